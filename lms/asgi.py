"""The realtime tier: WebSockets below /ws/. HTTP is the WSGI tier's; here only the two probes answer."""

import os
from collections.abc import Awaitable, Callable
from typing import Any

import django
from channels.routing import ProtocolTypeRouter, URLRouter

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lms.settings")
django.setup(set_prefix=False)  # without Django's handler, which reads the middleware: pages are served elsewhere

from lms.health import probe  # noqa: E402  # needs the app registry
from webinars.consumers import WatchSockets  # noqa: E402
from webinars.routing import urlpatterns_of  # noqa: E402

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Lifespan:
    """For servers that say when they stop. Most close the sockets first; then only what still waits is committed.

    `lms.realtime` finds the sockets in the state, and lets them end the conversations themselves.
    """

    def __init__(self, sockets: WatchSockets) -> None:
        self.sockets = sockets

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self.sockets.drain()
                await send({"type": "lifespan.shutdown.complete"})
                return
            scope.get("state", {})["sockets"] = self.sockets
            await send({"type": "lifespan.startup.complete"})


def build_application(sockets: WatchSockets) -> ProtocolTypeRouter:
    return ProtocolTypeRouter(
        {"websocket": URLRouter(urlpatterns_of(sockets)), "http": probe, "lifespan": Lifespan(sockets)}
    )


watch_sockets = WatchSockets()
application = build_application(watch_sockets)
