"""docs/protocol.md names every frame, reason, close code and limit that the code has."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from webinars import consumers
from webinars.api.serializers import MOST_BEATS
from webinars.domain.beats import MAX_SPANS
from webinars.domain.crediting import TOLERANCE_SECONDS
from webinars.domain.events import SCHEMAS
from webinars.enums import EventKind, Refusal, WebinarState
from webinars.realtime import frames, ring, sockets
from webinars.realtime.committer import GroupCommitter
from webinars.rules import Part

PAGE = (Path(settings.BASE_DIR) / "docs" / "protocol.md").read_text()


def part(start: str, end: str) -> str:
    return PAGE[PAGE.index(start) : PAGE.index(end)]


def test_every_reason_and_close_code_is_described() -> None:
    reasons = part("Reasons of `refused`", "Reasons of `bye`")
    assert set(re.findall(r"^\| `([a-z_]+)` \|", reasons, re.MULTILINE)) == set(Refusal.values)
    line = next(line for line in PAGE.splitlines() if line.startswith("Reasons of `bye`"))
    assert set(re.findall(r"`([a-z_]+)`", line)) - {"bye"} == {reason.value for reason in frames.Bye}
    assert set(map(int, re.findall(r"^\| (\d{4}) \|", PAGE, re.MULTILINE))) == {int(code) for code in frames.Close} | {
        1009
    }


ROOM = frames.room_members(
    number=1,
    shared='"state":"live","schedule":{}',
    now="",
    people=1,
    part=Part.ATTENDEE,
    may={"ask": True},
    register="",
)


def test_every_frame_is_described() -> None:
    sent = [
        frames.welcome(session="s", phase="live", position=0, seen=0, required=1),
        frames.ack([1], 2, False),
        frames.refused([1], "malformed", "words"),
        frames.retry([1], 2.5),
        frames.bye(frames.Bye.RESTARTING),
        frames.room_state(ROOM),
        frames.event(1, "state", "", "{}"),
        frames.presence(1, 1),
        frames.RELOAD,
    ]
    for text in sent:
        frame = frames.decode(text)
        described = next(line for line in PAGE.splitlines() if line.startswith(f'| `{{"t":"{frame["t"]}"'))
        assert set(re.findall(r'"(\w+)":', described)) == set(frame)
    heard = set(re.findall(r'\| `\{"t":"(\w+)"', PAGE))
    sockets_hear = {"hello", "beat", "room"}
    assert heard == sockets_hear | {frames.decode(text)["t"] for text in sent}


def test_every_kind_of_event_is_described_with_its_keys_for_every_audience() -> None:
    table = part("| Kind | For | Data |", "### How events travel")
    described: dict[tuple[str, str], set[str]] = {}
    for kind, audiences, data in re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", table, re.MULTILINE):
        keys = set(re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)|: ask for `room`.*", "", data))) - {"may"}
        for audience in audiences.split(", "):
            described[kind, audience] = keys
    written = {
        (kind.value, audience.value): set(keys) for kind, those in SCHEMAS.items() for audience, keys in those.items()
    }
    assert {key: keys for key, keys in described.items() if key[1] != "–"} == written
    assert {kind for kind, _ in described} == set(EventKind.values)


def test_states_and_parts_are_named() -> None:
    described = part("Of `room_state`", "`people` counts")
    assert {state for state in WebinarState.values if f"`{state}`" in described} == set(WebinarState.values)
    assert {one for one in Part if f"`{one}`" in described} == set(Part)


@pytest.mark.parametrize(
    "words",
    [
        f"at most {MAX_SPANS} of them",
        f"at most {MOST_BEATS} beats",
        f"more than {TOLERANCE_SECONDS} seconds behind",
        f"says nothing for {consumers.HELLO_SECONDS:.0f} seconds",
        f"lets {sockets.MOST_UNSENT_BYTES // 1024} KB pile up",
        f"longer than {sockets.SLOW_SECONDS:.0f} seconds for a page of {ring.PAGE} missed events",
        f"More than {ring.MOST_BEHIND:,} events behind",
        f"The last {ring.KEPT:,} events of a room",
        f"At most {consumers.MOST_STRANGERS:,} sockets of one address",
        f"takes over {consumers.ADMISSION_SECONDS:.0f} seconds",
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
