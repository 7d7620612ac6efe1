"""What most projects would write for a live room: Channels consumers, and a group member for every socket.

Served by the same uvicorn with the same protocol class and the same queries, so that only the consumers and the way of
fanning out differ. It does less than the product: no order across reconnects, no replay, nothing kept without Redis.
"""

import json
import os
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lms.settings")
get_asgi_application()

from channels.db import database_sync_to_async  # noqa: E402  # needs the app registry, like the rest
from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402
from channels.layers import channel_layers  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels_redis.core import RedisChannelLayer  # type: ignore[import-untyped]  # noqa: E402
from django.conf import settings  # noqa: E402
from django.urls import re_path  # noqa: E402
from django.utils.timezone import now  # noqa: E402

from webinars.consumers import Tier, _session_key  # noqa: E402
from webinars.domain.beats import Beat, BeatResult, read_beat  # noqa: E402
from webinars.domain.viewers import Knock, Viewer, admit  # noqa: E402
from webinars.rules import may_see  # noqa: E402

MOST_WAITING = 100_000  # the default of 100 would drop most of what is sent to a thousand sockets of one process


encode = json.JSONEncoder(separators=(",", ":")).encode


def group_of(webinar_id: int) -> str:
    return f"room.{webinar_id}"


def make_layer() -> RedisChannelLayer:
    host = {"address": settings.REDIS_URL, "socket_timeout": None, "max_connections": 10_000}  # reads block for 5 s
    return RedisChannelLayer(hosts=[host], capacity=MOST_WAITING, expiry=120)


class Consumer(AsyncWebsocketConsumer):
    viewer: Viewer
    session = ""

    async def connect(self) -> None:
        knock = Knock(_session_key(self.scope), int(self.scope["url_route"]["kwargs"]["webinar_id"]))
        [found] = await database_sync_to_async(admit)([knock], now=now())
        if not isinstance(found, Viewer):
            await self.close()
            return
        self.viewer = found
        await self.channel_layer.group_add(group_of(found.webinar_id), self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(group_of(self.viewer.webinar_id), self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        frame = json.loads(text_data or "null")
        if frame["t"] == "beat":
            beat = read_beat(
                frame, user_id=self.viewer.user_id, webinar_id=self.viewer.webinar_id, session=self.session
            )
            tier().committer.add(beat, self)
        elif frame["t"] == "hello":
            self.session = frame["session"]
            await self.send(text_data=encode({"t": "welcome", "session": self.session}))
        else:
            await self.send(text_data=encode({"t": "room_state", "number": 0}))

    async def room_event(self, message: dict[str, Any]) -> None:
        event, viewer = message["event"], self.viewer
        if may_see(
            kind=event["kind"],
            audience=message["audience"],
            person_id=message["person"],
            part=viewer.part,
            user_id=viewer.user_id,
            reads=viewer.reads,
            has_place=viewer.has_place,
        ):
            await self.send(text_data=encode(event))

    def committed(self, pairs: list[tuple[Beat, BeatResult]]) -> None:
        import asyncio

        text = encode({"t": "ack", "n": [beat.number for beat, _ in pairs], "seen": pairs[-1][1].seen})
        task = asyncio.ensure_future(self.send(text_data=text))
        _sending.add(task)
        task.add_done_callback(_sending.discard)

    def not_committed(self, items: list[Beat], *, retry_after: float) -> None:
        raise RuntimeError("The database did not take the beats of the benchmark")


_sending: set[Any] = set()
_tiers: list[Tier] = []


def tier() -> Tier:
    """The product's group commit, started on the first beat: only then is there an event loop."""
    if not _tiers:
        _tiers.append(Tier())
        _tiers[0].committer.start()
    return _tiers[0]


async def nothing(_scope: Any, receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})


channel_layers.set("default", make_layer())
application = ProtocolTypeRouter(
    {
        "websocket": URLRouter([re_path(r"^ws/webinars/(?P<webinar_id>[0-9]+)/$", Consumer.as_asgi())]),
        "lifespan": nothing,
    }
)

if __name__ == "__main__":
    import uvicorn

    host, _, port = os.environ["REALTIME_BIND"].rpartition(":")
    uvicorn.run(
        application,
        host=host,
        port=int(port),
        ws="lms.realtime:Protocol",
        ws_per_message_deflate=False,
        backlog=4096,
        log_config=None,
    )
