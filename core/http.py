"""Facts about a request that depend on the deployment."""

from ipaddress import IPv6Address, ip_address
from typing import Any

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The caller's address: REMOTE_ADDR, or the TRUSTED_PROXIES-th entry of X-Forwarded-For from the right.

    Entries further left are whatever the caller wrote. Where the expected entry is missing or no address, the nearest
    proxy's address is the answer: everybody behind it then shares one limit, which is the safe way to fail.
    """
    return _choose(request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", ""))


def client_address_of_scope(scope: dict[str, Any]) -> str:
    """The same for a WebSocket's ASGI scope."""
    forwarded = b",".join(value for name, value in scope.get("headers", ()) if name == b"x-forwarded-for")
    client = scope.get("client") or ("",)
    return _choose(str(client[0]), forwarded.decode("latin-1"))


def _choose(remote: str, forwarded: str) -> str:
    hops = settings.TRUSTED_PROXIES
    entries = [entry.strip() for entry in forwarded.split(",") if entry.strip()]
    candidate = _normal(entries[-hops]) if hops and len(entries) >= hops else ""
    return candidate or _normal(remote) or "0.0.0.0"


def _normal(text: str) -> str:
    """One spelling per address, so that a limit cannot be dodged by writing ::ffff:192.0.2.1."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(address)
