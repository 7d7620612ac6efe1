"""What providers call: delivered, bounced, read, STOP. Only what their signature proves is believed."""

from collections.abc import Sequence

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.views.decorators.csrf import csrf_exempt

from core import clock
from core.http import client_address
from core.limits import hit
from core.logging import get_logger
from reminders.domain.told import take
from reminders.transports import transports_named
from reminders.transports.base import BadCallbackError, Callback, Challenged

log = get_logger("reminders")
MOST_BYTES = 2_000_000  # a list of a thousand events is some hundred thousand
# Refusals alone are counted: a provider tells of 15,000 messages in a minute, and all from a few addresses.
MOST_REFUSED, WINDOW_SECONDS = 30, 60


@csrf_exempt
def receive(request: HttpRequest, name: str) -> HttpResponse:
    """404 for a provider that is not used here; 403 for what it did not say. 200 means: kept."""
    transports = transports_named(name)
    if not transports:
        raise Http404
    if request.method not in {"GET", "POST"}:
        return HttpResponseNotAllowed(["GET", "POST"])
    if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES:
        return HttpResponse(status=413)
    callback = _callback_of(request)
    try:
        if request.method == "GET":
            return _answer(transports, callback)
        now = clock.now()
        told = [(transport, transport.read_callback(callback, now=now)) for transport in transports]
    except BadCallbackError as problem:
        return _refused(request, name, str(problem))
    for transport, what in told:
        take(transport, what, now=now)
    return HttpResponse(content_type="text/plain")


def _refused(request: HttpRequest, name: str, why: str) -> HttpResponse:
    """Whoever forges does it from the provider's own address as well: what is rightly signed is heard all the same."""
    counter = f"callback:{name}:{client_address(request)}"
    if not hit(counter, limit=MOST_REFUSED, window_seconds=WINDOW_SECONDS):
        return HttpResponse(status=429, headers={"Retry-After": str(WINDOW_SECONDS)})
    log.warning("reminders.callback_refused", transport=name, why=why)
    return HttpResponse(status=403)


def _answer(transports: Sequence[object], callback: Callback) -> HttpResponse:
    for transport in transports:
        if isinstance(transport, Challenged):
            return HttpResponse(transport.answer(callback), content_type="text/plain")
    return HttpResponseNotAllowed(["POST"])


def _callback_of(request: HttpRequest) -> Callback:
    """Providers sign the address as they know it, which is the site's public one."""
    return Callback(
        method=request.method or "",
        url=f"{settings.SITE_URL}{request.get_full_path()}",
        headers={key.lower(): value for key, value in request.headers.items()},
        body=request.body,
    )
