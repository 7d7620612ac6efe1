"""A doctor's credits as a PDF of as many pages as it takes: facts go in, bytes come out.

As with certificates, what people wrote is data and never markup, and the same facts give the same bytes.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from certification.printing import text, typesetting
from certification.printing.facts import RIGHT_TO_LEFT, FactError, Labels
from certification.printing.qr import qr_svg
from certification.printing.typesetting import FOLDER, FONTS, STANDARDS, DocumentError, families, typeset

TEMPLATE = FOLDER / "transcript.typ"


@dataclass(frozen=True, slots=True)
class Bar:
    """A cycle or a year. `share` is of what is wanted, 0 to 1; `amount` and `note` are printed as they stand."""

    title: str
    amount: str
    share: Decimal
    note: str = ""
    is_reached: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One credit. `remark` says that there is a reason on record, never which."""

    on: date
    title: str
    format: str
    amount: str
    approval_code: str = ""
    certificate: str = ""
    remark: str = ""
    is_revoked: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """One authority, and where it has several one council. `total` empty: it knows no figures."""

    title: str
    total: str
    unit: str
    bars: tuple[Bar, ...] = ()
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Position:
    """Where a programme's ledger stood: how many lines, and the SHA-256 of the newest in hexadecimal."""

    programme: str
    length: int
    head: str


@dataclass(frozen=True, slots=True)
class TranscriptWords:
    """The small words, in the transcript's language. `labels` writes the days."""

    heading: str = "Transcript of credits"
    council: str = "Medical council"
    registration_number: str = "Registration number"
    made_on: str = "Made on {day} from the ledger"
    position: str = "line {length}, head {head}"
    date: str = "Date"
    activity: str = "Activity"
    credits: str = "Credits"
    certificate: str = "Certificate"
    page: str = "Page {page} of {pages}"
    nothing: str = "There are no credits yet."
    verify: str = "Check a certificate"
    verify_alt: str = "QR code that leads to {address}"
    labels: Labels = field(default_factory=Labels)


@dataclass(frozen=True, slots=True)
class TranscriptFacts:
    """Everything on the pages. Empty texts are left out."""

    holder: str
    made_on: date
    verify_address: str
    council: str = ""
    registration_number: str = ""
    site: str = ""
    sections: tuple[Section, ...] = ()
    positions: tuple[Position, ...] = ()
    language: str = "en"
    accent: str = "#0a6b5e"
    words: TranscriptWords = field(default_factory=TranscriptWords)

    def __post_init__(self) -> None:
        for name in ("holder", "verify_address"):
            if not text.clean(getattr(self, name)):
                raise FactError("This must not be empty.", field=name)


def engine() -> str:
    """What the bytes depend on besides the facts."""
    sources = (TEMPLATE, FONTS / "fonts.lock", Path(__file__), Path(typesetting.__file__))
    layout = sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()[:12]
    return f"typst {version('typst')}, transcript {layout}"


def render(facts: TranscriptFacts) -> bytes:
    """Some 50 ms of a core for a page of credits. In a worker: see `typesetting` about processes."""
    on = facts.made_on
    made = typeset(
        TEMPLATE,
        inputs(facts),
        format="pdf",
        pdf_standards=STANDARDS,
        timestamp=datetime(on.year, on.month, on.day, tzinfo=UTC),
    )
    if not made.startswith(b"%PDF-"):
        raise DocumentError("typst answered without a PDF.")
    return made


def inputs(facts: TranscriptFacts) -> dict[str, str]:
    """What the template reads: `data` (JSON) and `qr` (SVG)."""
    words, on = facts.words, facts.made_on
    language = facts.language.partition("-")[0]
    said = " ".join([facts.holder, *(line.title for section in facts.sections for line in section.lines)])
    council, number = text.clean(facts.council), text.clean(facts.registration_number)
    rows = [(words.council, council), (words.registration_number, number)]
    data = {
        "accent": facts.accent,
        "lang": language,
        "dir": "rtl" if language in RIGHT_TO_LEFT else "ltr",
        "fonts": families(is_japanese=text.language_of(said, fallback=language).partition("-")[0] == "ja"),
        "meta": {"title": text.clean(f"{words.heading}: {facts.holder}"), "author": text.clean(facts.site)},
        "made": {"year": on.year, "month": on.month, "day": on.day},
        "holder": text.clean(facts.holder),
        "site": text.clean(facts.site),
        "rows": [
            {"label": text.clean(label), "value": text.clean(value)} for label, value in rows if text.clean(value)
        ],
        "sections": [_section(section, facts) for section in facts.sections],
        "made_on": text.clean(words.made_on.replace("{day}", _day(on, facts))),
        "positions": [_position(one, facts) for one in facts.positions],
        "address": text.clean(facts.verify_address),
        "verify_alt": text.clean(words.verify_alt.replace("{address}", facts.verify_address)),
        "words": {
            name: text.clean(getattr(words, name))
            for name in ("heading", "date", "activity", "credits", "certificate", "page", "nothing", "verify")
        },
    }
    return {"data": json.dumps(data, ensure_ascii=False, sort_keys=True), "qr": qr_svg(facts.verify_address)}


def _section(section: Section, facts: TranscriptFacts) -> dict[str, Any]:
    return {
        "title": text.clean(section.title),
        "total": text.clean(section.total),
        "unit": text.clean(section.unit),
        "bars": [
            {
                "title": text.clean(bar.title),
                "amount": text.clean(bar.amount),
                "note": text.clean(bar.note),
                "permille": int(max(Decimal(0), min(Decimal(1), bar.share)) * 1000),
                "reached": bar.is_reached,
            }
            for bar in section.bars
        ],
        "lines": [
            {
                "on": text.clean(_day(line.on, facts)),
                "small": " · ".join(part for part in map(text.clean, (line.format, line.approval_code)) if part),
                **{name: text.clean(getattr(line, name)) for name in ("title", "amount", "certificate", "remark")},
                "revoked": line.is_revoked,
            }
            for line in section.lines
        ],
    }


def _position(one: Position, facts: TranscriptFacts) -> dict[str, str]:
    said = facts.words.position.replace("{length}", str(one.length)).replace("{head}", one.head)
    return {"programme": text.clean(one.programme), "said": text.clean(said)}


def _day(on: date, facts: TranscriptFacts) -> str:
    labels = facts.words.labels
    written = labels.date.replace("{day}", str(on.day)).replace("{year}", str(on.year))
    return written.replace("{month}", labels.months[on.month - 1])
