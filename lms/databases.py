"""Connections to PostgreSQL: to the database itself, and to a copy that follows it."""

from typing import Any
from urllib.parse import unquote, urlsplit

from lms.environment import Environment

# The copy may go at any time, and then the database itself is read (`core.replica`). So a connection is asked whether
# it lives before it is used, and nobody waits for long: neither for one, nor for an answer that will never come.
_COPY_POOL = {"timeout": 2}
_COPY_OPTIONS = {
    "options": "-c default_transaction_read_only=on",
    "connect_timeout": 2,  # seconds
    "tcp_user_timeout": 2000,  # milliseconds without an acknowledgement
    "keepalives_idle": 10,
    "keepalives_interval": 5,
}


def database(url: str, *, env: Environment, is_copy: bool = False) -> dict[str, Any]:
    """A `postgresql://user:password@host:port/name?option=value` URL; a `host` option may name a socket directory."""
    parts = urlsplit(url)
    query = dict(pair.partition("=")[::2] for pair in parts.query.split("&") if pair)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(query.pop("host", "")) or parts.hostname or "",
        "PORT": query.pop("port", "") or str(parts.port or ""),
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": is_copy,
        "DISABLE_SERVER_SIDE_CURSORS": env.flag("DATABASE_TRANSACTION_POOLER", default=False),
        "OPTIONS": {
            "pool": {
                "min_size": 1,
                "max_size": env.number("DATABASE_POOL_SIZE", 8, low=1, high=200),
                "timeout": 10,
                "max_lifetime": 600,  # a PgBouncer that is to go waits so long for its callers (deploy)
                **(_COPY_POOL if is_copy else {}),
            },
            **(_COPY_OPTIONS if is_copy else {}),
            **{name: unquote(value) for name, value in query.items()},
            **({"options": _COPY_OPTIONS["options"]} if is_copy else {}),
        },
    }
