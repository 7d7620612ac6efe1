"""A provider of the tests: what it was handed is in a file, one line a message, so that it outlives a killed worker.

Its answers are told beforehand, by the recipient's address; without a word it takes everything.
"""

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from core.valkey import QuickValkey
from reminders.enums import Channel
from reminders.transports import KINDS
from reminders.transports.base import Accepted, BadCallbackError, Callback, Outgoing, Refused, Result, Told, Uncertain

ANSWERS: dict[str, Callable[[Outgoing], Result]] = {}


class Sink:
    """`SINK` is the file. `SINK_PAUSE` seconds pass before it is written; `SINK_DIES` says when the process ends."""

    name = "sink"
    most = 50
    rate = 100_000.0
    tells_delivery = True
    tells_read = True
    can_look_up = True

    def __init__(self, channel: Channel, values: Mapping[str, Any]) -> None:
        self.channel = channel

    def send(self, messages: Sequence[Outgoing]) -> list[Result]:
        dies = os.environ.get("SINK_DIES", "")
        if dies == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(float(os.environ.get("SINK_PAUSE", "0")))
        results = [ANSWERS.get(message.address, _take)(message) for message in messages]
        taken = [message for message, result in zip(messages, results, strict=True) if isinstance(result, Accepted)]
        with _file().open("a") as file:
            file.writelines(f"{json.dumps([str(one.key), one.address, one.subject])}\n" for one in taken)
            file.flush()
            os.fsync(file.fileno())
        if dies == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return results

    def look_up(self, key: UUID, provider_id: str, sent_at: datetime, address: str = "") -> Accepted | Refused | None:
        return Accepted(f"sink-{key}") if str(key) in taken() else Refused("it has nothing", is_temporary=True)

    def read_callback(self, callback: Callback, *, now: datetime) -> list[Told]:
        raise BadCallbackError("it does not call back")

    def check(self) -> str:
        return ""


def _take(message: Outgoing) -> Result:
    return Accepted(f"sink-{message.key}")


def answer(address: str, result: Result | Exception) -> None:
    def say(_message: Outgoing) -> Result:
        if isinstance(result, Exception):
            raise result
        return result

    ANSWERS[address] = say


def taken() -> Counter[str]:
    """How often each key was taken."""
    if not _file().exists():
        return Counter()
    return Counter(json.loads(line)[0] for line in _file().read_text().splitlines())


def _file() -> Path:
    return Path(os.environ["SINK"])


@pytest.fixture
def sink(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Path:
    """Every channel goes into one file."""
    monkeypatch.setenv("SINK", str(tmp_path / "sink"))
    for channel in KINDS:
        monkeypatch.setitem(KINDS[channel], "sink", "tests.reminders.sink.Sink")
    settings.MESSAGES = {**settings.MESSAGES, **{f"MESSAGES_{channel.upper()}": "sink" for channel in KINDS}}
    ANSWERS.clear()
    forget_rates()
    return tmp_path / "sink"


def forget_rates() -> None:
    """Of another test: Valkey outlives it."""
    for channel in KINDS:
        QuickValkey().ask(lambda client, name=channel: client.delete(f"messages:rate:sink:{name}"))  # type: ignore[misc]


TEMPORARY = Refused("come back later", is_temporary=True)
FOR_GOOD = Refused("not this one")
NO_SUCH = Refused("nobody there", is_hard=True)
LOST = Uncertain("the line broke")
