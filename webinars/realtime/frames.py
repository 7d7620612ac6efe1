"""Frames the server sends. `docs/protocol.md` describes each; tests hold the two together."""

import json
from collections.abc import Iterable, Sequence
from enum import IntEnum, StrEnum
from typing import Any

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


class Bye(StrEnum):
    """Why the server ends a conversation. A socket that floods or stalls is closed without one: it may come back."""

    DEVICE_ENDED = "device_ended"
    SIGNED_OUT = "signed_out"
    NOT_ENROLLED = "not_enrolled"
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


def decode(text: str) -> Any:
    """None for what is not JSON; a document nested thousands deep is not JSON either."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
