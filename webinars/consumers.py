"""The WebSocket of a webinar page. A plain ASGI callable: the cost of a beat is what decides how many replicas run.

`docs/decisions/` has the measurement against Channels' AsyncWebsocketConsumer.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.http.cookie import parse_cookie
from django.utils import translation

from core import clock
from core.http import client_address_of_scope
from core.metrics import SOCKETS, SOCKETS_REFUSED
from webinars.domain import presence, room_state, viewers, watching
from webinars.domain.beats import Beat, BeatError, BeatResult, read_beat, read_number
from webinars.domain.room_state import RoomState
from webinars.domain.viewers import Knock, Viewer
from webinars.enums import Refusal
from webinars.models import Webinar
from webinars.realtime import frames
from webinars.realtime.batcher import Batcher
from webinars.realtime.bell import Bell
from webinars.realtime.census import Census
from webinars.realtime.committer import GroupCommitter
from webinars.realtime.frames import Bye, Close
from webinars.realtime.hub import Hub, Member
from webinars.realtime.limits import Crowd, TokenBucket
from webinars.realtime.registry import Registry
from webinars.realtime.ring import Event
from webinars.realtime.sockets import LINE, Message, Outbox, Send
from webinars.realtime.threads import DatabaseThreads

Receive = Callable[[], Awaitable[Message]]
Scope = dict[str, Any]
MAX_FRAME_CHARACTERS = 65_536
HELLO_SECONDS = 30.0  # a socket that says nothing is closed
MOST_STRANGERS = 1_000  # of one address, whose session is being looked up; a hospital's doctors may come at once
ADMISSION_SECONDS = 10.0
FULL_SECONDS = 5  # Retry-After of a process that is full


class Tier:
    """What the sockets of one process share. Made on the first socket: only then is there an event loop."""

    committer_class: type[GroupCommitter[Beat, BeatResult]] = GroupCommitter

    def __init__(self) -> None:
        self.readers = DatabaseThreads("sockets", 4)
        # Letting people in and bringing events must not queue behind a thousand greetings.
        self.rooms = DatabaseThreads("rooms", 2)
        self.writer = DatabaseThreads("beats", 1, keeps_connection=True)
        self.committer = self.committer_class(self._commit)
        self.registry: Registry[Viewer] = Registry(self._find_revoked)
        self.hub: Hub[RoomState] = Hub(
            read_state=self._read_state, read_events=self._read_events, check_rights=self.registry.look
        )
        self.bell = Bell(self.hub.ring)
        self.census = Census(self.hub, self._report)
        self.door: Batcher[Knock, Viewer | Bye] = Batcher(self._admit)
        self.strangers = Crowd(MOST_STRANGERS)
        self.draining = False

    def start(self) -> None:
        self.committer.start()
        self.registry.start()
        self.hub.start()
        self.bell.start()
        self.census.start()

    async def _admit(self, knocks: Sequence[Knock]) -> list[Viewer | Bye]:
        return await self.rooms.run(viewers.admit, knocks, now=clock.now())

    async def _read_state(self, webinar_id: int) -> RoomState:
        return await self.rooms.run(room_state.read_state, webinar_id, now=clock.now())

    async def _read_events(self, wanted: Sequence[tuple[int, int]]) -> list[Event]:
        return await self.rooms.run(room_state.read_events, wanted)

    async def _report(self, present: Mapping[int, Mapping[int, str]]) -> dict[int, int]:
        return await self.rooms.run(presence.report, present, process=presence.process_name(), now=clock.now())

    async def _find_revoked(self, present: Sequence[Viewer]) -> dict[Viewer, Viewer | Bye | None]:
        return await self.rooms.run(viewers.revoked, present)

    async def _commit(self, beats: Sequence[Beat]) -> list[BeatResult]:
        return await self.writer.run(watching.record_beats, beats, now=clock.now())

    async def drain(self, *, seconds: float = 5.0) -> None:
        """Accept nothing more, commit what waits, acknowledge it, then send everybody away to another replica."""
        self.draining = True
        await self.committer.drain(seconds=seconds)
        await self.registry.close_all(Bye.RESTARTING, seconds=min(1.0, len(self.registry) / 1000))
        await self.census.stop()
        await self.bell.stop()
        await self.hub.stop()
        await self.registry.stop()
        await self.committer.stop()
        self.writer.close()
        self.readers.close()
        self.rooms.close()


class WatchSockets:
    """The ASGI application below `/ws/webinars/<id>/`."""

    def __init__(self, tier_class: type[Tier] = Tier) -> None:
        self._tier_class = tier_class
        self._tier: Tier | None = None
        self._drain: asyncio.Task[None] | None = None
        self.open = 0

    @property
    def tier(self) -> Tier:
        if self._tier is None:
            self._tier = self._tier_class()
            self._tier.start()
        return self._tier

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        address = client_address_of_scope(scope)
        if self.open >= settings.SOCKET_LIMIT and _origin_allowed(scope):
            await _refuse_for_now(scope, send)
            return
        if self.tier.draining or not _origin_allowed(scope) or not self.tier.strangers.enter(address):
            await send({"type": "websocket.close", "code": int(Close.REFUSED)})  # before accept: HTTP 403
            return
        self.open += 1
        try:
            await self._serve(address, scope, receive, send)
        finally:
            self.open -= 1

    async def _serve(self, address: str, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send({"type": "websocket.accept"})
            socket = WatchSocket(self.tier, scope, receive, send)
            is_in = await socket.enter()
        finally:
            self.tier.strangers.leave(address)
        if is_in:
            await socket.run()

    def start_draining(self) -> None:
        """Callable any number of times; there is one drain."""
        if self._tier and self._drain is None:
            self._drain = asyncio.create_task(self._tier.drain(), name="drain")

    async def drain(self) -> None:
        self.start_draining()
        if self._drain:
            await self._drain


async def _refuse_for_now(scope: Scope, send: Send) -> None:
    """This process is full, before a handshake is paid for: pages try again with growing pauses, meet another
    replica, or ask by HTTP meanwhile."""
    SOCKETS_REFUSED.inc()
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": int(Close.TRY_LATER)})  # HTTP 403; not all servers know better
        return
    headers = [(b"retry-after", str(FULL_SECONDS).encode()), (b"content-length", b"0")]
    await send({"type": "websocket.http.response.start", "status": 503, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": b""})


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
        self.knock = Knock(_session_key(scope), int(scope["url_route"]["kwargs"]["webinar_id"]))
        self.receive = receive
        self.box = Outbox(send, scope.get("extensions", {}).get(LINE))
        self.member: Member | None = None  # once it has asked for the room
        self.bucket = TokenBucket(per_minute=settings.SOCKET_MESSAGES_PER_MINUTE, burst=settings.SOCKET_MESSAGE_BURST)
        self.session = ""
        self.pending = 0  # beats in the committer
        self.answered = asyncio.Event()

    async def enter(self) -> bool:
        """Accepted already, because a browser cannot read why a handshake was refused."""
        try:
            async with asyncio.timeout(ADMISSION_SECONDS):
                found = await self.tier.door.ask(self.knock)
        except (DatabaseError, TimeoutError):
            self.box.close_with(int(Close.TRY_LATER))
        else:
            if isinstance(found, Viewer):
                self.viewer = found
                return True
            self.box.close(found)
        await self.box.flushed()
        return False

    async def run(self) -> None:
        self.tier.registry.add(self.viewer, self.box, self._become)
        SOCKETS.inc()
        try:
            if self.tier.draining:  # it came while the others were being sent away
                self.box.close(Bye.RESTARTING)
            await self._listen()
        finally:
            SOCKETS.dec()
            self.tier.registry.remove(self.viewer, self.box)
            if self.member is not None:
                self.tier.hub.leave(self.member)
            self.box.closed = True

    def _become(self, viewer: Viewer) -> None:
        self.viewer = viewer
        if self.member is not None:
            self.member.reader = viewer.reader

    async def _listen(self) -> None:
        try:
            async with asyncio.timeout(HELLO_SECONDS):
                message = await self.receive()
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
        elif kind == "room":
            await self._room(frame.get("since"))
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

    async def _room(self, since: Any) -> None:
        if type(since) is not int or not 0 <= since < 2**63:
            self._refuse([], Refusal.MALFORMED)
            return
        one = self.viewer
        if self.member is None:
            self.member = Member(one.webinar_id, one.reader, one.country, self.box)
        try:
            await self.tier.hub.join(self.member, since, self._greeting)
        except Webinar.DoesNotExist:
            self.box.close(Bye.NOT_ENROLLED)
        except DatabaseError:
            self.box.close_with(int(Close.TRY_LATER))

    def _greeting(self, state: RoomState, number: int, people: int) -> str:
        return frames.room_state(state.members_for(self.viewer, number=number, people=people, now=clock.now()))

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
