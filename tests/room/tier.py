"""The real server with real sockets, in a thread of the test process."""

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator
from typing import Any

import uvicorn
from django.conf import settings
from websockets.sync.client import ClientConnection, connect

from accounts.models import Device
from core.processes import wait_until
from lms.asgi import build_application
from lms.realtime import Protocol
from tests.webinars.watching import make_device
from webinars.consumers import WatchSockets
from webinars.models import PlaySession, Webinar

ORIGIN = "http://127.0.0.1:8000"
PATIENCE = 45.0


class Server(uvicorn.Server):
    """Looks more often than ten times a second whether it should end."""

    async def main_loop(self) -> None:
        while not await self.on_tick(0):  # noqa: ASYNC110  # another thread says so
            await asyncio.sleep(0.01)


class RunningTier:
    def __init__(self, sockets: WatchSockets) -> None:
        config = uvicorn.Config(
            build_application(sockets),
            host="127.0.0.1",
            port=0,
            ws=Protocol,
            ws_max_size=65_536,
            ws_per_message_deflate=False,
            lifespan="on",
            log_config=None,
        )
        self.server = Server(config)
        self.thread = threading.Thread(target=self.server.run, name="tier")

    @property
    def port(self) -> int:
        return int(self.server.servers[0].sockets[0].getsockname()[1])

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()


@contextlib.contextmanager
def running_tier(sockets: WatchSockets | None = None) -> Iterator[RunningTier]:
    tier = RunningTier(sockets or WatchSockets())
    tier.thread.start()
    assert wait_until(lambda: tier.server.started, seconds=PATIENCE)
    try:
        yield tier
    finally:
        tier.stop()


class Page:
    """A browser page as the server sees it."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def say(self, frame: Any) -> None:
        self.connection.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))

    def hear(self, seconds: float = PATIENCE) -> Any:
        return json.loads(self.connection.recv(timeout=seconds))

    def enter(self, since: int = 0) -> Any:
        """The room's state; what was missed comes behind it."""
        self.say({"t": "room", "since": since})
        return self.answer()

    def answer(self) -> Any:
        """The next frame but those about people, which come by the clock."""
        while (frame := self.hear())["t"] == "presence":
            pass
        return frame

    def events(self, count: int) -> list[Any]:
        """So many events, whatever else is said in between."""
        found: list[Any] = []
        while len(found) < count:
            frame = self.hear()
            assert frame["t"] in {"event", "presence"}, frame
            found += [frame] if frame["t"] == "event" else []
        return found

    def hello(self, session: object) -> Any:
        self.say({"t": "hello", "session": str(session)})
        return self.hear()

    def beat(self, number: int, *spans: tuple[float, float], position: float = 0.0) -> None:
        self.say({"t": "beat", "n": number, "s": [list(span) for span in spans], "p": position})


@contextlib.contextmanager
def page(
    tier: RunningTier, session: PlaySession, *, cookie: str | None = None, path: str = "", origin: str | None = ORIGIN
) -> Iterator[Page]:
    """The page of the person whose play session it is, unless the cookie is another one."""
    if cookie is None:
        cookie = session.device.session_key
    url = f"ws://127.0.0.1:{tier.port}{path or f'/ws/webinars/{session.webinar_id}/'}"
    headers = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={cookie}"} if cookie else {}
    with connect(url, origin=origin, additional_headers=headers, compression=None, open_timeout=PATIENCE) as connection:  # type: ignore[arg-type]
        yield Page(connection)


@contextlib.contextmanager
def room_page(
    tier: RunningTier, device: Device | None, webinar: Webinar, *, origin: str | None = ORIGIN
) -> Iterator[Page]:
    """The live page of whoever uses this device; None is somebody who is not signed in."""
    url = f"ws://127.0.0.1:{tier.port}/ws/webinars/{webinar.pk}/"
    headers = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={device.session_key}"} if device else {}
    with connect(url, origin=origin, additional_headers=headers, compression=None, open_timeout=PATIENCE) as connection:  # type: ignore[arg-type]
        yield Page(connection)


def fresh_device_cookie(session: PlaySession) -> str:
    return make_device(session.user).session_key
