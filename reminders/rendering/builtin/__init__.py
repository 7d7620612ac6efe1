"""The words that come with the product: `<language>.toml` here becomes the rows of one template set."""

import hashlib
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
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


def digest() -> str:
    """Of all words. A migration names it, so that changed words come with one that puts them into the database."""
    told = [sorted(asdict(words).items()) for words in all_words()]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def _read(language: str, tables: dict[str, Any]) -> Iterator[Words]:
    greeting = tables["greeting"]
    for kind in WRITTEN:
        said = {name: text.strip() for name, text in tables[kind].items()}
        of = {"kind": str(kind), "language": language}
        letter = {"subject": said["subject"], "button": said["button"]}
        yield Words(**of, channel=Channel.EMAIL, **letter, preheader=said["preheader"],
                    body=f"{greeting}\n\n{said['body']}")  # fmt: skip
        yield Words(**of, channel=Channel.SMS, body=said["sms"])
        yield Words(**of, channel=Channel.WHATSAPP, body=said["whatsapp"], button=said["button"],
                    approved_name=str(kind), approved_places=named_in(said["whatsapp"]))  # fmt: skip
        yield Words(**of, channel=Channel.INBOX, **letter, body=said["body"])
        yield Words(**of, channel=Channel.PUSH, subject=said["notice"], body=said["note"])
