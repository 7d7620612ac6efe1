"""Many messages as one with places: filled in again, each is what it was."""

import re
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from reminders.transports.base import Outgoing
from reminders.transports.merging import Merged, grouped, merge

TABOO = re.compile(r"\[\[|\]\]")
NAMES = st.text(alphabet="aé<>\"' \n&[]{}%-k0", max_size=12)


def place(name: str) -> str:
    return f"[[{name}]]"


def outgoing(number: int, name: str = "", **values: Any) -> Outgoing:
    shown: dict[str, Any] = {
        "subject": f"{name}: live",
        "text": f"Dear {name}\n\nwe are live\n",
        "html": f"<p>Dear {name}</p><p><a href='/s/{number}'>live</a></p>",
    }
    return Outgoing(key=UUID(int=number), address=f"d{number}@example.org", **(shown | values))


def filled(merged: Merged, index: int) -> tuple[str, str, str]:
    def fill(text: str) -> str:
        return re.sub(r"\[\[(k\d+)\]\]", lambda found: merged.values[index][found.group(1)], text)

    return fill(merged.subject), fill(merged.text), fill(merged.html)


@given(st.lists(NAMES, min_size=1, max_size=6))
def test_filled_in_again_every_message_is_what_it_was(names: list[str]) -> None:
    messages = [outgoing(number, name) for number, name in enumerate(names)]

    for group in grouped(messages, most=100, taboo=TABOO):
        some = [messages[index] for index in group]
        merged = merge(some, place=place, taboo=TABOO)
        if merged is None:
            assert len(some) == 1
            assert TABOO.search(f"{some[0].text}\n{some[0].html}\n{some[0].subject}")
            continue
        for index, one in enumerate(some):
            assert filled(merged, index) == (one.subject, one.text, one.html)


def test_what_is_the_same_is_said_once() -> None:
    merged = merge([outgoing(1, "Dr A"), outgoing(2, "Dr B")], place=place, taboo=TABOO)

    assert merged is not None
    assert merged.html == "<p>[[k1]]</p><p>[[k2]]live</a></p>"
    assert merged.values[1] == {"k0": "Dr B: live", "k1": "Dear Dr B", "k2": "<a href='/s/2'>"}


def test_the_same_difference_has_one_name() -> None:
    same = [outgoing(number, text=f"x{number}\ny\nx{number}", html="", subject="s") for number in (1, 2)]

    merged = merge(same, place=place, taboo=TABOO)

    assert merged is not None
    assert merged.text == "[[k0]]\ny\n[[k0]]"


def test_values_that_are_too_long_are_no_values() -> None:
    messages = [outgoing(number, text=str(number) * 500) for number in (1, 2)]

    assert merge(messages, place=place, taboo=TABOO, most_bytes=400) is None
    assert merge(messages, place=place, taboo=TABOO, most_bytes=2_000) is not None


def test_groups_are_alike_and_not_too_many() -> None:
    messages = [outgoing(number) for number in range(5)]
    messages[3] = outgoing(3, html="<p>another shape</p>")

    assert grouped(messages, most=3, taboo=TABOO) == [[0, 1, 2], [3], [4]]
