"""The learning record store, where there is one. `docs/xapi.md` says what is sent to it."""

from typing import Any

from lms.environment import Environment

NEEDED = ("XAPI_KEY", "XAPI_SECRET")


def xapi(env: Environment, *, site_url: str, production: bool) -> dict[str, Any]:
    """By the variable's own name; without XAPI_URL nothing is made and nothing is sent."""
    found: dict[str, Any] = {
        "XAPI_URL": env.url("XAPI_URL", "https", "http").rstrip("/"),
        "XAPI_KEY": env.text("XAPI_KEY"),
        "XAPI_SECRET": env.text("XAPI_SECRET"),
        "XAPI_HOME_PAGE": (env.url("XAPI_HOME_PAGE", "https", "http") or site_url).rstrip("/"),
        "XAPI_BATCH": env.number("XAPI_BATCH", 50, low=1, high=500),
        "XAPI_TIMEOUT": env.number("XAPI_TIMEOUT", 30, low=1, high=60),
    }
    if not found["XAPI_URL"]:
        return found
    for name in NEEDED:
        env.require(name, found[name], "XAPI_URL is set, and a learning record store lets nobody in without it")
    if production and not found["XAPI_URL"].startswith("https://"):
        env.problems.append("XAPI_URL must start with https://: credentials go there")
    return found
