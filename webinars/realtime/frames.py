"""Frames the server sends. `docs/protocol.md` describes each; tests hold the two together."""

import json
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum, StrEnum
from typing import Any

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


class Bye(StrEnum):
    """Why the server ends a conversation. A socket that floods or stalls is closed without one: it may come back."""

    DEVICE_ENDED = "device_ended"
    SIGNED_OUT = "signed_out"
    NOT_ENROLLED = "not_enrolled"
    REMOVED = "removed"
    RESTARTING = "restarting"


class Close(IntEnum):
    """After 1012, 1013 and 4429 a player reconnects (with jitter); after 4401 and 4403 it does not."""

    RESTARTING = 1012
    TRY_LATER = 1013
    SIGNED_OUT = 4401
    REFUSED = 4403
    FLOOD = 4429


CLOSE_OF: dict[Bye, Close] = {
    Bye.DEVICE_ENDED: Close.SIGNED_OUT,
    Bye.SIGNED_OUT: Close.SIGNED_OUT,
    Bye.NOT_ENROLLED: Close.REFUSED,
    Bye.REMOVED: Close.REFUSED,
    Bye.RESTARTING: Close.RESTARTING,
}


def welcome(*, session: str, phase: str, position: float, seen: int, required: int) -> str:
    return _encode(
        {"t": "welcome", "session": session, "phase": phase, "position": position, "seen": seen, "required": required}
    )


def ack(numbers: Iterable[int], seen: int | None, done: bool | None) -> str:
    """Written by hand: this frame is sent for every beat, and the encoder costs four times as much."""
    listed = ",".join(map(str, numbers))
    return f'{{"t":"ack","n":[{listed}],"seen":{seen or 0},"done":{"true" if done else "false"}}}'


def refused(numbers: Sequence[int], reason: str, detail: str) -> str:
    return _encode({"t": "refused", "n": list(numbers), "reason": reason, "detail": detail})


def retry(numbers: Sequence[int], after: float) -> str:
    return _encode({"t": "retry", "n": list(numbers), "after": round(after, 1)})


def bye(reason: Bye) -> str:
    return _encode({"t": "bye", "reason": reason.value})


RELOAD = '{"t":"reload"}'


def room_state(members: str) -> str:
    return f'{{"t":"room_state",{members}}}'


def room_members(
    *, number: int, shared: str, now: str, people: int, part: str, may: Mapping[str, bool], register: str
) -> str:
    """`shared` is JSON text that is the same for everybody in the room; written by hand around it for that reason."""
    rest = f'"now":"{now}","people":{people},"part":"{part}","may":{_encode(dict(may))},"register":{_encode(register)}'
    return f'"number":{number},{shared},{rest}'


def event(number: int, kind: str, at: str, data: str) -> str:
    """`data` is the payload as PostgreSQL wrote it: it is never decoded on its way to the sockets."""
    return f'{{"t":"event","number":{number},"kind":"{kind}","at":"{at}","data":{data}}}'


def presence(people: int, number: int) -> str:
    return f'{{"t":"presence","people":{people},"number":{number}}}'


def members(values: Mapping[str, Any]) -> str:
    """The members of a JSON object without its braces, to be put into others."""
    return _encode(dict(values))[1:-1]


def on_the_wire(text: str) -> bytes:
    """A whole text frame of RFC 6455 as a server sends it: unmasked, unfragmented, uncompressed."""
    payload = text.encode()
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


def polled(members: str, texts: Iterable[str], again: float) -> str:
    """The answer to a poll: the room as in `room_state`, and the events as the frames they would be."""
    return f'{{{members},"events":[{",".join(texts)}],"again":{again:.1f}}}'


def decode(text: str) -> Any:
    """None for what is not JSON; a document nested thousands deep is not JSON either."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
