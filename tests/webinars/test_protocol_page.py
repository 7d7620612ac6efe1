"""docs/protocol.md names every frame, reason, close code and limit that the code has."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from webinars import consumers
from webinars.api.serializers import MOST_BEATS
from webinars.domain.beats import MAX_SPANS
from webinars.domain.crediting import TOLERANCE_SECONDS
from webinars.enums import Refusal
from webinars.realtime import frames, sockets
from webinars.realtime.committer import GroupCommitter

PAGE = (Path(settings.BASE_DIR) / "docs" / "protocol.md").read_text()


def test_every_reason_and_close_code_is_described() -> None:
    assert set(re.findall(r"^\| `([a-z_]+)` \|", PAGE, re.MULTILINE)) == set(Refusal.values)
    line = next(line for line in PAGE.splitlines() if line.startswith("Reasons of `bye`"))
    assert set(re.findall(r"`([a-z_]+)`", line)) - {"bye"} == {reason.value for reason in frames.Bye}
    assert set(map(int, re.findall(r"^\| (\d{4}) \|", PAGE, re.MULTILINE))) == {int(code) for code in frames.Close} | {
        1009
    }


def test_every_frame_is_described() -> None:
    sent = [
        frames.welcome(session="s", phase="live", position=0, seen=0, required=1),
        frames.ack([1], 2, False),
        frames.refused([1], "malformed", "words"),
        frames.retry([1], 2.5),
        frames.bye(frames.Bye.RESTARTING),
    ]
    for text in sent:
        frame = frames.decode(text)
        described = next(line for line in PAGE.splitlines() if line.startswith(f'| `{{"t":"{frame["t"]}"'))
        assert set(re.findall(r'"(\w+)":', described)) == set(frame)
    heard = set(re.findall(r'\| `\{"t":"(\w+)"', PAGE))
    assert heard == {"hello", "beat", "welcome", "ack", "refused", "retry", "bye"}


@pytest.mark.parametrize(
    "words",
    [
        f"at most {MAX_SPANS} of them",
        f"at most {MOST_BEATS} beats",
        f"more than {TOLERANCE_SECONDS} seconds behind",
        f"says nothing for {consumers.HELLO_SECONDS:.0f} seconds",
        f"lets {sockets.MOST_UNSENT} frames pile up",
        f"{settings.SOCKET_MESSAGES_PER_MINUTE} messages a minute after a burst of {settings.SOCKET_MESSAGE_BURST}",
        f"× {settings.MAX_PLAYBACK_RATE} + {settings.CREDIT_SLACK_SECONDS}",
    ],
)
def test_the_numbers_are_those_of_the_code(words: str) -> None:
    assert words in PAGE


def test_the_collecting_time_is_that_of_the_code() -> None:
    defaults = GroupCommitter.__init__.__kwdefaults__
    assert defaults is not None
    assert f"for {defaults['max_wait'] * 1000:.0f} ms or {defaults['max_batch']:,} beats" in PAGE
