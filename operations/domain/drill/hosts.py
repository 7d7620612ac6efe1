"""Where a drill may go: this machine, or a host that the operator named on purpose."""

from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import urlsplit

from operations.domain.drill.errors import DrillError

LOOPBACK_NAMES = frozenset({"localhost"})


def check_target(address: str, *, allowed: Collection[str], site_url: str) -> str:
    """The address without its last slash. Refuses the production site itself, even when its host was allowed."""
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise DrillError(f"{address} is no address of a site: https://host or http://host:port.")
    own = urlsplit(site_url)
    if not is_loopback(parts.hostname) and parts.hostname == (own.hostname or "").lower():
        raise DrillError(f"{parts.hostname} is this site itself (SITE_URL). A drill never runs against it.")
    if not is_loopback(parts.hostname) and parts.hostname not in {name.lower() for name in allowed}:
        raise DrillError(
            f"{parts.hostname} is not on this machine. A drill sends thousands of visitors there; "
            f"if that is meant: --allow-host {parts.hostname}"
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def is_loopback(host: str) -> bool:
    """By its name or its number; other names are not resolved: who answers for them may change in between."""
    if host.lower() in LOOPBACK_NAMES:
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
