from typing import Any

from django.urls import URLPattern, re_path

from webinars.consumers import WatchSockets


async def nowhere(_scope: Any, receive: Any, send: Any) -> None:
    """Closed before it is accepted: the browser sees a plain HTTP refusal."""
    await receive()
    await send({"type": "websocket.close", "code": 4403})


def urlpatterns_of(sockets: WatchSockets) -> list[URLPattern]:
    routes: list[tuple[str, Any]] = [(r"^ws/webinars/(?P<webinar_id>[0-9]{1,18})/$", sockets), (r"", nowhere)]
    return [re_path(pattern, application) for pattern, application in routes]
