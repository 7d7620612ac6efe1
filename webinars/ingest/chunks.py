"""RTMP's chunk stream: messages cut into chunks, several streams of them interleaved on one connection."""

from dataclasses import dataclass, field
from enum import IntEnum

FIRST_CHUNK_BYTES = 128
OUR_CHUNK_BYTES = 4096
MOST_STREAMS = 16
LEAST_CHUNK_BYTES = 64
NO_TIME = 0xFFFFFF  # the real time follows in four more bytes
_HEADER_BYTES = (11, 7, 3, 0)


class ChunkError(ValueError):
    """No RTMP, or more than an honest publisher sends."""


class Kind(IntEnum):
    SET_CHUNK_SIZE = 1
    ABORT = 2
    ACKNOWLEDGEMENT = 3
    USER_CONTROL = 4
    WINDOW_SIZE = 5
    PEER_BANDWIDTH = 6
    AUDIO = 8
    VIDEO = 9
    COMMAND_AMF3 = 17
    DATA = 18
    COMMAND = 20
    AGGREGATE = 22


@dataclass(slots=True)
class Message:
    kind: int
    stream_id: int
    timestamp: int
    payload: bytes


@dataclass(slots=True)
class _Stream:
    kind: int = 0
    stream_id: int = 0
    length: int = 0
    timestamp: int = 0
    step: int = 0
    extended: bool = False
    partial: bytearray = field(default_factory=bytearray)


class ChunkReader:
    """Feed it bytes, it gives whole messages. `most_bytes` bounds a message, and with it the memory of a connection."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self._buffer = bytearray()
        self._chunk_bytes = FIRST_CHUNK_BYTES
        self._streams: dict[int, _Stream] = {}

    def feed(self, data: bytes) -> list[Message]:
        self._buffer += data
        messages = []
        at = 0
        while (step := self._chunk(at)) is not None:
            at, message = step
            if message is None:
                continue
            if message.kind == Kind.SET_CHUNK_SIZE:
                self._chunk_bytes = int.from_bytes(message.payload[:4]) & 0x7FFFFFFF
                if self._chunk_bytes < LEAST_CHUNK_BYTES:
                    raise ChunkError("chunks that are mostly headers")
            elif message.kind == Kind.ABORT:
                self._streams.get(int.from_bytes(message.payload[:4]), _Stream()).partial.clear()
            else:
                messages.append(message)
        del self._buffer[:at]
        return messages

    def _chunk(self, at: int) -> tuple[int, Message | None] | None:
        """Reads one chunk; None while it is not here completely."""
        buffer = self._buffer
        if len(buffer) <= at:
            return None
        form, number = buffer[at] >> 6, buffer[at] & 0x3F
        header = at + 1 + (number + 1 if number < 2 else 0)
        at = header + _HEADER_BYTES[form]
        if len(buffer) < at:
            return None
        if number < 2:
            number = int.from_bytes(buffer[header - number - 1 : header], "little") + 64
        stream = self._stream(number, form)
        time = int.from_bytes(buffer[header : header + 3]) if form < 3 else 0
        extended = time == NO_TIME if form < 3 else stream.extended
        if extended:
            at += 4
            if len(buffer) < at:
                return None
            time = int.from_bytes(buffer[at - 4 : at])
        length = int.from_bytes(buffer[header + 3 : header + 6]) if form < 2 else stream.length
        if length > self.most_bytes or (form < 3 and stream.partial):
            raise ChunkError("a message that is too long, or begins inside another")
        take = min(self._chunk_bytes, length - len(stream.partial))
        if len(buffer) < at + take:
            return None
        if not stream.partial:
            self._begin(stream, form, header, time, length, extended=extended)
        return self._append(stream, at, take)

    def _stream(self, number: int, form: int) -> _Stream:
        stream = self._streams.get(number)
        if stream is None:
            if form != 0 or len(self._streams) >= MOST_STREAMS:
                raise ChunkError("a chunk without a beginning, or too many streams")
            stream = self._streams[number] = _Stream()
        return stream

    def _begin(self, stream: _Stream, form: int, header: int, time: int, length: int, *, extended: bool) -> None:
        if form < 3:
            stream.extended, stream.step = extended, time
        if form == 0:
            stream.timestamp = time
            stream.stream_id = int.from_bytes(self._buffer[header + 7 : header + 11], "little")
        else:
            stream.timestamp = (stream.timestamp + stream.step) & 0xFFFFFFFF
        if form < 2:
            stream.length, stream.kind = length, self._buffer[header + 6]

    def _append(self, stream: _Stream, at: int, take: int) -> tuple[int, Message | None]:
        end = at + take
        stream.partial += self._buffer[at:end]
        if len(stream.partial) < stream.length:
            return end, None
        payload, stream.partial = bytes(stream.partial), bytearray()
        return end, Message(stream.kind, stream.stream_id, stream.timestamp, payload)


def written(
    kind: int, payload: bytes, *, stream_id: int = 0, channel: int = 3, timestamp: int = 0, chunk_bytes: int
) -> bytes:
    """One message as chunks. `timestamp` stays below four hours and a half: longer ones are never sent from here."""
    head = (
        bytes([channel])
        + timestamp.to_bytes(3)
        + len(payload).to_bytes(3)
        + bytes([kind])
        + stream_id.to_bytes(4, "little")
    )
    parts = [payload[start : start + chunk_bytes] for start in range(0, len(payload), chunk_bytes)]
    return head + bytes([0xC0 | channel]).join(parts)
