from typing import Any

from django.urls import re_path

from webinars.consumers import WatchSockets


async def nowhere(_scope: Any, receive: Any, send: Any) -> None:
    """Closed before it is accepted: the browser sees a plain HTTP refusal."""
    await receive()
    await send({"type": "websocket.close", "code": 4403})


watch_sockets = WatchSockets()
websocket_urlpatterns = [
    re_path(r"^ws/webinars/(?P<webinar_id>[0-9]{1,18})/$", watch_sockets),  # type: ignore[arg-type]
    re_path(r"", nowhere),  # type: ignore[arg-type]
]
