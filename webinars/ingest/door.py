"""The front door `listen`: speaks RTMP with publishers, many on one port, and needs nothing installed.

It ends RTMP here and feeds the packager FLV. Handing the bytes through to `ffmpeg -listen` was tried: it takes one
publisher a port, prints the stream key in its warnings, and ends a clean stop and a broken line with the same error;
and the chunks have to be taken apart here anyway, to see the key before ffmpeg does and to watch over the stream.
"""

import asyncio
import contextlib
import hmac
import os
from collections import Counter
from typing import Any

from django.db import DatabaseError

from core.logging import get_logger
from webinars.enums import StreamProblem
from webinars.ingest import amf, flv
from webinars.ingest.chunks import OUR_CHUNK_BYTES, ChunkError, ChunkReader, Kind, Message, written
from webinars.ingest.flv import AUDIO, DATA, VIDEO, Tag
from webinars.ingest.packager import PackagerError
from webinars.ingest.publication import Budget, Publication, Restart, Settings
from webinars.ingest.studio import SessionOver, StreamRefused, Studio

log = get_logger("webinars.ingest")
HANDSHAKE_BYTES = 1536
PUBLISH_SECONDS = 10.0  # from the connection to an accepted key
MOST_STRANGERS = 100  # connections without an accepted key, in all
MOST_STRANGERS_EACH = 10  # … and from one address
STRANGER_BYTES = 16 * 1024  # a message before the key is accepted
PUBLISHER_BYTES = 8 * 1024 * 1024
MOST_TRIES = 3  # commands to publish on one connection
READ_BYTES = 64 * 1024
WINDOW_BYTES = 2_500_000
GOODBYE_SECONDS = 2.0
TAGS = {Kind.AUDIO: AUDIO, Kind.VIDEO: VIDEO, Kind.DATA: DATA}


class Goodbye(Exception):  # noqa: N818 - a state, not an error of the program
    """The publisher says that it has finished."""


class Door:
    def __init__(self, studio: Studio, settings: Settings) -> None:
        self.studio = studio
        self.settings = settings
        self.budget = Budget(settings.cores)
        self.strangers: Counter[str] = Counter()
        self.callers: set[Caller] = set()
        self.stopping = False

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername")
        address = str(peer[0]) if peer else ""
        crowded = self.strangers.total() >= MOST_STRANGERS or self.strangers[address] >= MOST_STRANGERS_EACH
        if crowded or self.stopping:
            writer.transport.abort()
            return
        caller = Caller(self, reader, writer, address)
        self.callers.add(caller)
        try:
            await caller.serve()
        finally:
            self.callers.discard(caller)
            caller.gone.set()
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(GOODBYE_SECONDS):
                    await writer.wait_closed()

    async def stop(self) -> None:
        """Publishers are cut off and connect again; what they have sent is kept."""
        self.stopping = True
        for caller in list(self.callers):
            caller.cut_off()
        await asyncio.gather(*(caller.gone.wait() for caller in list(self.callers)))


class Caller:
    """One connection, from the handshake to its end."""

    def __init__(self, door: Door, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str) -> None:
        self.door = door
        self.reader = reader
        self.writer = writer
        self.address = address
        self.chunks = ChunkReader(STRANGER_BYTES)
        self.publication: Publication | None = None
        self.raw_key = ""
        self.window = WINDOW_BYTES
        self.received = 0
        self.acknowledged = 0
        self.tries = 0
        self.is_stranger = False
        self.is_followed = False
        self.gone = asyncio.Event()
        self.patience = asyncio.timeout(PUBLISH_SECONDS)

    def cut_off(self) -> None:
        """Ends whatever it waits for, at once."""
        if self.is_followed:
            self.patience.reschedule(asyncio.get_running_loop().time())

    async def serve(self) -> None:
        self._count_as_stranger(True)
        because, detail = StreamProblem.INTERRUPTED.value, ""
        try:
            await self._follow_patiently()
        except Goodbye:
            because = ""
        except SessionOver as over:
            because = over.because
            await self._say_rejected(because)
        except PackagerError as error:
            because, detail = StreamProblem.PACKAGER_FAILED.value, str(error)
            await self._say_rejected(because)
        except StreamRefused as refused:
            await self._say_rejected(refused.problem.value)
        except (ChunkError, amf.AmfError, flv.FlvError) as error:
            log.info("ingest.not_understood", address=self.address, reason=str(error))
        except DatabaseError as error:
            log.warning("ingest.database_away", address=self.address, error=str(error))
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            pass  # the line broke, or nobody said anything: INTERRUPTED says it, where somebody was on air
        finally:
            self._count_as_stranger(False)
            await self._end(because, detail)

    async def _follow_patiently(self) -> None:
        try:
            async with self.patience:
                self.is_followed = True
                await self._shake_hands()
                while True:
                    await self._read()
        except TimeoutError:
            if self.publication and self.publication.over:
                raise self.publication.over from None
            raise
        finally:
            self.is_followed = False

    async def _end(self, because: str, detail: str = "") -> None:
        if self.publication is None:
            return
        publication, self.publication = self.publication, None
        if detail:
            log.warning("ingest.packager_failed", webinar=publication.opened.webinar_id, detail=detail)
        try:
            await publication.end(because)
        except DatabaseError as error:  # the sweep ends what has no lease any more
            log.warning("ingest.database_away", address=self.address, error=str(error))
        opened = publication.opened
        log.info("ingest.off_air", webinar=opened.webinar_id, session=str(opened.session_id), because=because)

    def _count_as_stranger(self, stranger: bool) -> None:
        if stranger == self.is_stranger:
            return
        self.is_stranger = stranger
        self.door.strangers[self.address] += 1 if stranger else -1
        if not self.door.strangers[self.address]:
            del self.door.strangers[self.address]

    async def _shake_hands(self) -> None:
        version = await self.reader.readexactly(1)
        if version != b"\x03":
            raise ChunkError("no RTMP")
        theirs = await self.reader.readexactly(HANDSHAKE_BYTES)
        ours = bytes(8) + os.urandom(HANDSHAKE_BYTES - 8)
        self.writer.write(b"\x03" + ours + theirs)
        await self.writer.drain()
        echo = await self.reader.readexactly(HANDSHAKE_BYTES)
        if not hmac.compare_digest(echo[8:], ours[8:]):  # some programs write a time of their own in front
            log.debug("ingest.odd_echo", address=self.address)

    async def _read(self) -> None:
        data = await self.reader.read(READ_BYTES)
        if not data:
            raise asyncio.IncompleteReadError(b"", None)
        self.received += len(data)
        if self.received - self.acknowledged >= self.window:
            self.acknowledged = self.received
            self._send(Kind.ACKNOWLEDGEMENT, (self.received & 0xFFFFFFFF).to_bytes(4), channel=2)
        for message in self.chunks.feed(data):
            await self._take(message)

    async def _take(self, message: Message) -> None:
        if message.kind in TAGS:
            await self._pass_on(Tag(TAGS[Kind(message.kind)], message.timestamp, message.payload))
        elif message.kind == Kind.AGGREGATE:
            for tag in flv.split_aggregate(message.payload, message.timestamp):
                await self._pass_on(tag)
        elif message.kind == Kind.COMMAND:
            await self._obey(amf.decode(message.payload), message.stream_id)
        elif message.kind == Kind.COMMAND_AMF3:
            await self._obey(amf.decode(message.payload[1:]), message.stream_id)
        elif message.kind == Kind.WINDOW_SIZE:
            self.window = max(4096, min(WINDOW_BYTES, int.from_bytes(message.payload[:4])))

    async def _pass_on(self, tag: Tag) -> None:
        if self.publication is None:
            return
        if tag.kind == DATA and tag.payload.startswith(_SET_DATA_FRAME):
            tag.payload = tag.payload[len(_SET_DATA_FRAME) :]
        try:
            await self.publication.feed(tag)
        except Restart:
            await self._restart(self.publication)

    async def _restart(self, old: Publication) -> None:
        """Sound came, or the picture changed its size: it goes on behind a discontinuity, on the same connection."""
        await self._end("")
        await self._open()
        if self.publication:
            for tag in (old.metadata, *old.headers.values()):
                if tag:
                    await self.publication.feed(tag)

    async def _obey(self, values: list[Any], stream_id: int) -> None:
        """Commands of librtmp, ffmpeg and FMLE alike; what is unknown is answered with nothing, as they expect."""
        if len(values) < 2 or not isinstance(values[0], str):
            raise amf.AmfError("no command")
        name, number = values[0], values[1]
        match name:
            case "connect":
                self._welcome(number)
            case "createStream":
                self._command("_result", number, None, 1)
            case "releaseStream" | "FCPublish" | "_checkbw":
                self._command("_result", number, None)
            case "publish" if self.publication is None:
                await self._publish(values, stream_id)
            case "FCUnpublish" | "deleteStream" | "closeStream":
                if self.publication:
                    raise Goodbye
            case "play" | "play2":
                raise ChunkError("nobody watches here")
        await self.writer.drain()

    def _welcome(self, number: Any) -> None:
        self._send(Kind.WINDOW_SIZE, WINDOW_BYTES.to_bytes(4), channel=2)
        self._send(Kind.PEER_BANDWIDTH, WINDOW_BYTES.to_bytes(4) + b"\x02", channel=2)
        self._send(Kind.SET_CHUNK_SIZE, OUR_CHUNK_BYTES.to_bytes(4), channel=2)
        server = {"fmsVer": "FMS/3,0,1,123", "capabilities": 31.0}
        status = {"level": "status", "code": "NetConnection.Connect.Success", "objectEncoding": 0.0}
        self._command("_result", number, server, status)

    async def _publish(self, values: list[Any], stream_id: int) -> None:
        self.tries += 1
        if self.tries > MOST_TRIES:
            raise ChunkError("too many tries")
        given = values[3] if len(values) > 3 and isinstance(values[3], str) else ""
        self.raw_key = given.partition("?")[0].strip()
        await self._open()
        self._command("onFCPublish", 0, None, {"code": "NetStream.Publish.Start"}, stream_id=stream_id)
        self._status("status", "NetStream.Publish.Start", "On air.", stream_id=stream_id)
        self._count_as_stranger(False)
        self.patience.reschedule(None)
        self.chunks.most_bytes = PUBLISHER_BYTES

    async def _open(self) -> None:
        opened = await self.door.studio.open(self.raw_key, front="listen")
        self.publication = Publication(self.door.studio, opened, self.door.settings, self.door.budget)
        self.publication.on_over = self.cut_off
        self.publication.begin()
        log.info("ingest.on_air", webinar=opened.webinar_id, session=str(opened.session_id), address=self.address)

    async def _say_rejected(self, because: str) -> None:
        """OBS shows the text; others only stop trying."""
        text = StreamProblem(because).label if because else "The webinar has ended."
        with contextlib.suppress(OSError, TimeoutError):
            self._status("error", "NetStream.Publish.BadName", str(text), stream_id=1)
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self.writer.drain()

    def _status(self, level: str, code: str, text: str, *, stream_id: int) -> None:
        status = {"level": level, "code": code, "description": text}
        self._command("onStatus", 0, None, status, stream_id=stream_id)

    def _command(self, *values: Any, stream_id: int = 0) -> None:
        self._send(Kind.COMMAND, amf.encode(*values), stream_id=stream_id)

    def _send(self, kind: int, payload: bytes, *, stream_id: int = 0, channel: int = 3) -> None:
        """Our own chunk size counts from the message after the one that announces it, which is shorter anyway."""
        self.writer.write(written(kind, payload, stream_id=stream_id, channel=channel, chunk_bytes=OUR_CHUNK_BYTES))


_SET_DATA_FRAME = amf.encode("@setDataFrame")
