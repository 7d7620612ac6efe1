"""`/metrics`, for Prometheus on the own networks. To everybody else it is a page that does not exist."""

from ipaddress import ip_address, ip_network
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound

from core import metrics
from core.http import client_address
from operations.domain import gauges

KIND = "text/plain; version=0.0.4; charset=utf-8"


def metrics_page(request: HttpRequest) -> HttpResponse:
    """The web tier tells of the site as well: of its own requests alone nobody sees what waits."""
    if not _is_ours(client_address(request)):
        return HttpResponseNotFound()
    metrics.sample_pool()
    return HttpResponse(metrics.render() + gauges.render(), content_type=KIND, headers={"Cache-Control": "no-store"})


def metrics_of_realtime(scope: dict[str, Any]) -> bytes | None:
    """None: the caller is not to know. Only who connects to this process itself may ask: behind a balancer that hands
    whole connections on (the front door of `script/server`), a second request could claim any address."""
    forwarded = any(name == b"x-forwarded-for" for name, _ in scope["headers"])
    client = scope.get("client")
    if forwarded or not client or not _is_ours(str(client[0])):
        return None
    metrics.sample_pool()
    return metrics.render()


def _is_ours(address: str) -> bool:
    try:
        caller = ip_address(address)
    except ValueError:
        return False
    return any(caller in ip_network(network) for network in settings.METRICS_NETWORKS)
