"""What travels in RTMP and in FLV alike: tags of sound, picture and metadata."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from webinars.ingest import amf

AUDIO, VIDEO, DATA = 8, 9, 18
AVC, AAC = "avc1", "mp4a"
_VIDEO_CODECS = {2: "h263", 3: "screen", 4: "vp6", 5: "vp6a", 6: "screen2", 7: AVC, 12: "hvc1"}
_AUDIO_CODECS = {0: "pcm", 1: "adpcm", 2: "mp3", 3: "pcm", 7: "g711", 8: "g711", 10: AAC, 11: "speex", 14: "mp3"}
_FOURCC = {".mp3": "mp3"}
_SEQUENCE_START = 0


class FlvError(ValueError):
    """Bytes that are no FLV."""


@dataclass(slots=True)
class Tag:
    """`timestamp` in milliseconds on the publisher's clock."""

    kind: int
    timestamp: int
    payload: bytes

    @property
    def codec(self) -> str:
        """As a four-character code where there is one. Empty for an empty tag."""
        if not self.payload:
            return ""
        first = self.payload[0]
        if self.kind == VIDEO:
            if first & 0x80:
                return _fourcc(self.payload)
            return _VIDEO_CODECS.get(first & 0x0F, f"flv-{first & 0x0F}")
        if first >> 4 == 9:
            return _fourcc(self.payload)
        return _AUDIO_CODECS.get(first >> 4, f"flv-{first >> 4}")

    @property
    def is_header(self) -> bool:
        """The decoder's parameters, without a picture or sound of its own."""
        if len(self.payload) < 2:
            return False
        first = self.payload[0]
        if (self.kind == VIDEO and first & 0x80) or (self.kind == AUDIO and first >> 4 == 9):
            return first & 0x0F == _SEQUENCE_START
        return self.codec in {AVC, AAC} and self.payload[1] == _SEQUENCE_START

    @property
    def is_key_frame(self) -> bool:
        return self.kind == VIDEO and bool(self.payload) and (self.payload[0] >> 4) & 0x07 == 1 and not self.is_header

    @property
    def is_frame(self) -> bool:
        """Whether there is something to see or hear in it."""
        return len(self.payload) > 2 and not self.is_header


def _fourcc(payload: bytes) -> str:
    code = payload[1:5].decode("ascii", errors="replace")
    return _FOURCC.get(code, code)


FILE_HEADER = b"FLV\x01\x05" + (9).to_bytes(4) + bytes(4)
# AAC-LC, 44,100 Hz, mono: the decoder's parameters, and a frame of 1,024 silent samples.
SILENT_HEADER = b"\xae\x00\x12\x08"
SILENT_FRAME = b"\xae\x01\x00\xc8\x00\x80\x23\x80"
SILENT_FRAME_SECONDS = 1024 / 44100


def written(tag: Tag, timestamp: int) -> bytes:
    size = len(tag.payload)
    time = (timestamp & 0xFFFFFF).to_bytes(3) + bytes([(timestamp >> 24) & 0xFF])
    return bytes([tag.kind]) + size.to_bytes(3) + time + bytes(3) + tag.payload + (size + 11).to_bytes(4)


def read_metadata(payload: bytes) -> dict[str, Any]:
    """The values of onMetaData; empty for any other data message, and for one that cannot be read."""
    try:
        values = amf.decode(payload)
    except amf.AmfError:
        return {}
    if "onMetaData" not in values[:2]:
        return {}
    return next((value for value in values if isinstance(value, dict)), {})


def split_aggregate(payload: bytes, timestamp: int) -> Iterator[Tag]:
    """Several tags in one message; their own times count from the first one's."""
    reader, first = FlvReader(has_file_header=False), None
    for tag in reader.feed(payload):
        first = tag.timestamp if first is None else first
        tag.timestamp += timestamp - first
        yield tag


class FlvReader:
    """Feed it the bytes of a file or a pipe, it gives whole tags."""

    def __init__(self, *, has_file_header: bool = True, most_bytes: int = 8 * 1024 * 1024) -> None:
        self._buffer = bytearray()
        self._waits_for_header = has_file_header
        self.most_bytes = most_bytes

    def feed(self, data: bytes) -> Iterator[Tag]:
        self._buffer += data
        if self._waits_for_header:
            if len(self._buffer) < 13:
                return
            if self._buffer[:3] != b"FLV":
                raise FlvError("no FLV")
            del self._buffer[:13]
            self._waits_for_header = False
        while len(self._buffer) >= 11:
            size = int.from_bytes(self._buffer[1:4])
            if size > self.most_bytes:
                raise FlvError("a tag that is too long")
            if len(self._buffer) < size + 15:
                return
            time = int.from_bytes(self._buffer[4:7]) | self._buffer[7] << 24
            tag = Tag(self._buffer[0] & 0x1F, time, bytes(self._buffer[11 : 11 + size]))
            del self._buffer[: size + 15]
            yield tag
