"""The words that come with the product: `<language>.toml` here becomes the rows of one template set."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from reminders.enums import Channel, Kind
from reminders.rendering.placeholders import named_in

WRITTEN = tuple(kind for kind in Kind if kind not in {Kind.CAMPAIGN, Kind.TEST})


@dataclass(frozen=True, slots=True)
class Words:
    """The columns of a MessageTemplate that say something."""

    kind: str
    channel: str
    language: str
    subject: str = ""
    preheader: str = ""
    body: str = ""
    button: str = ""
    approved_name: str = ""
    approved_places: list[str] = field(default_factory=list)


def all_words() -> list[Words]:
    """For every kind, channel and language there is a file for."""
    files = sorted(Path(__file__).parent.glob("*.toml"))
    return [words for file in files for words in _read(file.stem, tomllib.loads(file.read_text(encoding="utf-8")))]


def _read(language: str, tables: dict[str, Any]) -> Iterator[Words]:
    greeting = tables["greeting"]
    for kind in WRITTEN:
        said = {name: text.strip() for name, text in tables[kind].items()}
        words = partial(Words, kind=str(kind), language=language)
        letter = partial(words, subject=said["subject"], button=said["button"])
        greeted = f"{greeting}\n\n{said['body']}"
        yield letter(channel=Channel.EMAIL, preheader=said["preheader"], body=greeted)
        yield words(channel=Channel.SMS, body=said["sms"])
        places = named_in(said["whatsapp"])
        approved = partial(words, approved_name=str(kind), approved_places=places)
        yield approved(channel=Channel.WHATSAPP, body=said["whatsapp"], button=said["button"])
        yield letter(channel=Channel.INBOX, body=said["body"])
        yield words(channel=Channel.PUSH, subject=said["notice"], body=said["note"])
