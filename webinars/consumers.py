"""The WebSocket of a webinar page. A plain ASGI callable: the cost of a beat is what decides how many replicas run.

`docs/decisions/` has the measurement against Channels' AsyncWebsocketConsumer.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.http import Http404
from django.http.cookie import parse_cookie
from django.utils import timezone, translation

from webinars.domain import viewers, watching
from webinars.domain.beats import Beat, BeatError, BeatResult, read_beat, read_number
from webinars.domain.viewers import Viewer
from webinars.enums import Refusal
from webinars.realtime import frames
from webinars.realtime.committer import GroupCommitter
from webinars.realtime.frames import Bye, Close
from webinars.realtime.limits import TokenBucket
from webinars.realtime.sockets import Message, Outbox, Registry, Send
from webinars.realtime.threads import DatabaseThreads

Receive = Callable[[], Awaitable[Message]]
Scope = dict[str, Any]
MAX_FRAME_CHARACTERS = 65_536
HELLO_SECONDS = 30.0  # a socket that says nothing is closed


class Tier:
    """What the sockets of one process share. Made on the first socket: only then is there an event loop."""

    committer_class: type[GroupCommitter[Beat, BeatResult]] = GroupCommitter

    def __init__(self) -> None:
        self.readers = DatabaseThreads("sockets", 4)
        self.writer = DatabaseThreads("beats", 1, keeps_connection=True)
        self.committer = self.committer_class(self._commit)
        self.registry: Registry[Viewer] = Registry(self._find_revoked)
        self.draining = False

    def start(self) -> None:
        self.committer.start()
        self.registry.start()

    async def _find_revoked(self, present: Sequence[Viewer]) -> dict[Viewer, Bye]:
        return await self.readers.run(viewers.revoked, present)

    async def _commit(self, beats: Sequence[Beat]) -> list[BeatResult]:
        return await self.writer.run(watching.record_beats, beats, now=timezone.now())

    async def drain(self, *, seconds: float = 5.0) -> None:
        """Accept nothing more, commit what waits, acknowledge it, then send everybody away to another replica."""
        self.draining = True
        await self.committer.drain(seconds=seconds)
        await self.registry.close_all(Bye.RESTARTING, seconds=min(1.0, len(self.registry) / 1000))
        await self.registry.stop()
        await self.committer.stop()
        self.writer.close()
        self.readers.close()


class WatchSockets:
    """The ASGI application below `/ws/webinars/<id>/`."""

    def __init__(self, tier_class: type[Tier] = Tier) -> None:
        self._tier_class = tier_class
        self._tier: Tier | None = None
        self._drain: asyncio.Task[None] | None = None

    @property
    def tier(self) -> Tier:
        if self._tier is None:
            self._tier = self._tier_class()
            self._tier.start()
        return self._tier

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        if self.tier.draining or not _origin_allowed(scope):
            await send({"type": "websocket.close", "code": int(Close.REFUSED)})  # before accept: HTTP 403
            return
        await send({"type": "websocket.accept"})
        await WatchSocket(self.tier, scope, receive, send).run()

    def start_draining(self) -> None:
        """Callable any number of times; there is one drain."""
        if self._tier and self._drain is None:
            self._drain = asyncio.create_task(self._tier.drain(), name="drain")

    async def drain(self) -> None:
        self.start_draining()
        if self._drain:
            await self._drain


def _origin_allowed(scope: Scope) -> bool:
    """Exactly one Origin header, exactly one of ours. Browsers always send it, so a missing one is no browser."""
    origins = [value for name, value in scope["headers"] if name == b"origin"]
    return len(origins) == 1 and origins[0].decode("latin-1") in settings.SOCKET_ORIGINS


def _session_key(scope: Scope) -> str:
    cookies = b"; ".join(value for name, value in scope["headers"] if name == b"cookie").decode("latin-1")
    return parse_cookie(cookies).get(settings.SESSION_COOKIE_NAME, "")


class WatchSocket:
    """One browser page. Frames are handled one after the other; what they cause is answered when it is committed."""

    def __init__(self, tier: Tier, scope: Scope, receive: Receive, send: Send) -> None:
        self.tier = tier
        self.scope = scope
        self.receive = receive
        self.box = Outbox(send)
        self.bucket = TokenBucket(per_minute=settings.SOCKET_MESSAGES_PER_MINUTE, burst=settings.SOCKET_MESSAGE_BURST)
        self.session = ""
        self.pending = 0  # beats in the committer
        self.answered = asyncio.Event()

    async def run(self) -> None:
        viewer = await self._admit()
        if viewer is None:
            await self.box.flushed()
            return
        self.viewer = viewer
        self.tier.registry.add(viewer, self.box)
        try:
            if self.tier.draining:  # it came while the others were being sent away
                self.box.close(Bye.RESTARTING)
            await self._listen()
        finally:
            self.tier.registry.remove(viewer, self.box)
            self.box.closed = True

    async def _admit(self) -> Viewer | None:
        webinar_id = int(self.scope["url_route"]["kwargs"]["webinar_id"])
        try:
            return await self.tier.readers.run(
                viewers.admit, session_key=_session_key(self.scope), webinar_id=webinar_id, now=timezone.now()
            )
        except viewers.NotSignedInError:
            self.box.close(Bye.SIGNED_OUT)
        except Http404:
            self.box.close(Bye.NOT_ENROLLED)
        except DatabaseError:
            self.box.close_with(int(Close.TRY_LATER))
        return None

    async def _listen(self) -> None:
        try:
            message = await asyncio.wait_for(self.receive(), HELLO_SECONDS)
        except TimeoutError:
            self.box.close_with(int(Close.TRY_LATER))
            await self.box.flushed()
            return
        while message["type"] == "websocket.receive" and not self.box.closed:
            if not self.bucket.take():
                await self._answer_pending()
                self.box.close_with(int(Close.FLOOD))
                break
            await self._handle(message.get("text"))
            if not self.tier.committer.has_room.is_set():
                await self.tier.committer.has_room.wait()  # unread frames wait in the browser, not here
            message = await self.receive()
        await self.box.flushed()

    async def _handle(self, text: str | None) -> None:
        if text is None or len(text) > MAX_FRAME_CHARACTERS:
            self._refuse([], Refusal.MALFORMED)
            return
        frame = frames.decode(text)
        kind = frame.get("t") if type(frame) is dict else None
        if kind == "beat":
            self._beat(frame)
        elif kind == "hello":
            await self._hello(frame.get("session"))
        else:
            self._refuse([], Refusal.MALFORMED)

    def _beat(self, frame: Any) -> None:
        number = read_number(frame)
        if number is None:
            self._refuse([], Refusal.MALFORMED)
            return
        if not self.session:
            self._refuse([number], Refusal.UNKNOWN_SESSION)
            return
        try:
            beat = read_beat(
                frame, user_id=self.viewer.user_id, webinar_id=self.viewer.webinar_id, session=self.session
            )
        except BeatError as error:
            self._refuse([number], error.refusal)
            return
        self.pending += 1
        self.tier.committer.add(beat, self)

    async def _hello(self, given: Any) -> None:
        """A second hello changes the session; the numbers of the first one are answered before."""
        await self._answer_pending()
        try:
            session = str(uuid.UUID(given))
        except (ValueError, TypeError, AttributeError):
            self._refuse([], Refusal.MALFORMED)
            return
        try:
            greeting = await self.tier.readers.run(viewers.greet, viewer=self.viewer, session=session)
        except viewers.SessionRefusedError as error:
            self._refuse([], error.refusal)
            return
        except DatabaseError:
            self.box.push(frames.retry([], 2.0))
            return
        self.session = session
        self.box.push(
            frames.welcome(
                session=session,
                phase=greeting.phase,
                position=greeting.position,
                seen=greeting.seen,
                required=greeting.required,
            )
        )

    async def _answer_pending(self) -> None:
        while self.pending and not self.box.closed:
            self.answered.clear()
            await self.answered.wait()

    def _refuse(self, numbers: list[int], reason: Refusal) -> None:
        with translation.override(self.viewer.language):
            self.box.push(frames.refused(numbers, reason.value, str(reason.label)))

    # Called by the committer, for all beats of this socket in a batch at once.

    def committed(self, pairs: list[tuple[Beat, BeatResult]]) -> None:
        self.pending -= len(pairs)
        self.answered.set()
        if self.box.closed:
            return
        acked = [beat.number for beat, result in pairs if result.refusal is None]
        if acked:
            _, last = pairs[-1]
            seen = max(result.seen or 0 for _, result in pairs)
            self.box.push(frames.ack(acked, seen, last.done))
        if len(acked) < len(pairs):
            for reason in {result.refusal for _, result in pairs if result.refusal}:
                self._refuse([beat.number for beat, result in pairs if result.refusal is reason], reason)

    def not_committed(self, items: list[Beat], *, retry_after: float) -> None:
        self.pending -= len(items)
        self.answered.set()
        self.box.push(frames.retry([beat.number for beat in items], retry_after))
