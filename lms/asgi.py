"""The realtime tier: WebSockets below /ws/ and nothing else. HTTP is the WSGI tier's; here it is 404."""

import os
from collections.abc import Awaitable, Callable
from typing import Any

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lms.settings")
django_application = get_asgi_application()

from webinars.routing import watch_sockets, websocket_urlpatterns  # noqa: E402  # needs the app registry

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


async def not_found(_scope: dict[str, Any], _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body"})


async def lifespan(_scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """For servers that say when they stop. Most close the sockets first, then this only commits what still waits."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.shutdown":
            await watch_sockets.drain()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await send({"type": "lifespan.startup.complete"})


sockets = URLRouter(websocket_urlpatterns)
application = ProtocolTypeRouter({"websocket": sockets, "http": not_found, "lifespan": lifespan})
# `manage.py runserver` is daphne and serves everything by one application.
development = ProtocolTypeRouter({"websocket": sockets, "http": django_application})
