"""Many like messages as one with places: what providers take in one call for many people.

The messages come here worded. What they have in common is found again by taking them apart between tags and lines; what
differs becomes a value. Nothing is guessed: put together again, every message is what it was, or it is sent alone.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from reminders.transports.base import Outgoing

TAGS = re.compile(r"(<[^>]*>)")
LINES = re.compile(r"(\n)")
Place = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Merged:
    """`values` and `headers` in the order of `messages`; `subject`, `text` and `html` hold places for the values."""

    messages: tuple[Outgoing, ...]
    subject: str
    text: str
    html: str
    values: tuple[dict[str, str], ...]


def grouped(messages: Sequence[Outgoing], *, most: int, taboo: re.Pattern[str]) -> list[list[int]]:
    """Indexes of those that may go in one call: the same but for the words, and each address once.

    `taboo` is what the provider itself would take for a place: such a message goes alone.
    """
    open_groups: dict[tuple[object, ...], list[int]] = {}
    taken: dict[tuple[object, ...], set[str]] = defaultdict(set)
    groups: list[list[int]] = []
    for index, message in enumerate(messages):
        if has_taboo(message, taboo):
            groups.append([index])
            continue
        like = _likeness(message)
        group = open_groups.get(like)
        address = message.address.lower()
        if group is None or len(group) >= most or address in taken[like]:
            group = open_groups[like] = []
            groups.append(group)
            taken[like] = set()
        group.append(index)
        taken[like].add(address)
    return groups


def merge(messages: Sequence[Outgoing], *, place: Place, taboo: re.Pattern[str], most_bytes: int = 0) -> Merged | None:
    """None: these cannot be one. `most_bytes` of the values of one person; 0: no limit."""
    if any(has_taboo(message, taboo) for message in messages):
        return None
    names: dict[tuple[str, ...], str] = {}

    def whole(columns: Iterable[tuple[str, ...]]) -> str:
        parts = []
        for column in columns:
            if all(part == column[0] for part in column):
                parts.append(column[0])
            else:
                parts.append(place(names.setdefault(column, f"k{len(names)}")))
        return "".join(parts)

    subject = whole([tuple(message.subject for message in messages)])
    text = whole(zip(*(LINES.split(message.text) for message in messages), strict=True))
    html = whole(zip(*(TAGS.split(message.html) for message in messages), strict=True))
    values = tuple({name: column[index] for column, name in names.items()} for index in range(len(messages)))
    if most_bytes and any(sum(len(value.encode()) for value in own.values()) > most_bytes for own in values):
        return None
    return Merged(tuple(messages), subject, text, html, values)


def has_taboo(message: Outgoing, taboo: re.Pattern[str]) -> bool:
    return any(taboo.search(part) for part in (message.subject, message.text, message.html))


def _likeness(message: Outgoing) -> tuple[object, ...]:
    return (
        message.sender_name,
        message.reply_to,
        message.language,
        message.attachments,
        tuple(sorted(message.headers)),
        len(LINES.split(message.text)),
        len(TAGS.split(message.html)),
    )
