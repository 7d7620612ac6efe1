"""AMF0, as far as RTMP commands and FLV metadata use it."""

import struct
from typing import Any

MAX_DEPTH = 8
MAX_ITEMS = 500


class AmfError(ValueError):
    """Bytes that are no AMF0, or more of it than anybody sends honestly."""


def decode(data: bytes) -> list[Any]:
    """All values of a message; an unfinished last one is an error."""
    reader = _Reader(data)
    values = []
    while reader.at < len(data):
        values.append(reader.value(0))
    return values


def encode(*values: Any) -> bytes:
    return b"".join(map(_encoded, values))


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.items = 0

    def take(self, count: int) -> bytes:
        end = self.at + count
        if end > len(self.data):
            raise AmfError("the value is cut off")
        part, self.at = self.data[self.at : end], end
        return part

    def number(self, form: str) -> Any:
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def text(self, form: str = ">H") -> str:
        return self.take(self.number(form)).decode(errors="replace")

    def value(self, depth: int) -> Any:
        self.items += 1
        if depth > MAX_DEPTH or self.items > MAX_ITEMS:
            raise AmfError("too deep or too long")
        kind = self.take(1)[0]
        match kind:
            case 0x00:
                return self.number(">d")
            case 0x01:
                return self.take(1) != b"\x00"
            case 0x02:
                return self.text()
            case 0x03 | 0x08:
                self.take(4 if kind == 0x08 else 0)  # an approximate count that nobody needs
                return self.pairs(depth)
            case 0x0A:
                return [self.value(depth + 1) for _ in range(min(self.number(">I"), MAX_ITEMS + 1))]
            case 0x05 | 0x06 | 0x0B:
                self.take(10 if kind == 0x0B else 0)  # a date; only skipped
                return None
            case 0x0C:
                return self.text(">I")
        raise AmfError(f"unknown kind {kind}")

    def pairs(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while True:
            name = self.text()
            if not name and self.data[self.at : self.at + 1] == b"\x09":
                self.at += 1
                return found
            found[name] = self.value(depth + 1)


def _encoded(value: Any) -> bytes:
    match value:
        case None:
            return b"\x05"
        case bool():
            return b"\x01\x01" if value else b"\x01\x00"
        case int() | float():
            return b"\x00" + struct.pack(">d", value)
        case str():
            text = value.encode()
            return b"\x02" + struct.pack(">H", len(text)) + text
        case dict():
            pairs = (
                struct.pack(">H", len(name.encode())) + name.encode() + _encoded(one) for name, one in value.items()
            )
            return b"\x03" + b"".join(pairs) + b"\x00\x00\x09"
    raise AmfError(f"cannot be written: {type(value).__name__}")
