"""Facts and a look become a PDF of one page, by typst and the fonts beside this file.

What people wrote goes in as data (JSON in `sys.inputs`), never as markup: `#read("…")` prints as it stands. The same
facts and look give the same bytes, on any machine, as long as `engine()` is the same.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from certification.printing import text, typesetting
from certification.printing.facts import CertificateFacts, FactError, Json, Look, picture_kind
from certification.printing.qr import qr_svg
from certification.printing.typesetting import FOLDER, FONTS, STANDARDS, DocumentError, families, typeset

TEMPLATE = FOLDER / "certificate.typ"
PAPERS = {"a4": (297.0, 210.0), "letter": (279.4, 215.9)}  # millimetres, on their long side


@cache
def engine() -> str:
    """What the bytes depend on besides facts and look. Kept with a certificate, it says why new bytes may differ."""
    parts = [
        TEMPLATE.read_bytes(),
        (FONTS / "fonts.lock").read_bytes(),
        Path(__file__).read_bytes(),
        Path(typesetting.__file__).read_bytes(),
        Path(__file__).with_name("signature.py").read_bytes(),
    ]
    layout = hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]
    return f"typst {version('typst')}, layout {layout}"


def render(facts: CertificateFacts, look: Look) -> bytes:
    """The unsigned PDF: some 25 ms of a core.

    Workers that render are forked before anything was rendered, as Celery and gunicorn do; a later fork is refused.
    """
    issued = datetime(facts.issued_on.year, facts.issued_on.month, facts.issued_on.day, tzinfo=UTC)
    made = _compile(inputs(facts, look), format="pdf", pdf_standards=STANDARDS, timestamp=issued)
    if not made.startswith(b"%PDF-"):
        raise DocumentError("typst answered without a PDF.")
    return made


def picture(facts: CertificateFacts, look: Look, *, pixels_per_inch: float = 96) -> bytes:
    """The same page as PNG."""
    return _compile(inputs(facts, look), format="png", ppi=pixels_per_inch)


def _compile(data: dict[str, str], **options: Any) -> bytes:
    return typeset(TEMPLATE, data, **options)


def inputs(facts: CertificateFacts, look: Look) -> dict[str, str]:
    """What the template reads: `data` (JSON), `qr` and pictures (SVG)."""
    pictures = {"qr": qr_svg(facts.verify_address)}
    if look.logo:
        pictures["logo"] = _embedded(look.logo)
    signatories = []
    for number, signatory in enumerate(facts.signatories):
        signature = look.signatures[number] if number < len(look.signatures) else b""
        if signature:
            pictures[f"signature-{number}"] = _embedded(signature)
        signatories.append({
            "name": text.clean(signatory.name), "role": text.clean(signatory.role),
            "picture": f"signature-{number}" if signature else "",
        })  # fmt: skip
    width, height = PAPERS[look.paper]
    data = {
        "width": width,
        "height": height,
        "accent": look.accent.lower(),
        "lang": look.language.partition("-")[0],
        "dir": "rtl" if look.is_right_to_left else "ltr",
        "fonts": _families(facts, look),
        "meta": _meta(facts, look),
        "logo_alt": text.clean(look.logo_alt or facts.provider or "Logo"),
        "has_logo": bool(look.logo),
        **{name: text.clean(getattr(look, name)) for name in ("heading", "above", "below")},
        **{name: text.clean(getattr(facts, name)) for name in ("holder", "title", "programme", "provider")},
        "credits": [{"amount": text.clean(row.amount), "unit": text.clean(row.unit)} for row in facts.credits],
        "statements": [text.clean(statement) for statement in facts.statements if statement.strip()],
        "rows": [{"label": text.clean(label), "value": text.clean(value)} for label, value in _rows(facts, look)],
        "signatories": signatories,
        "verify": text.clean(look.labels.verify),
        "verify_alt": text.clean(look.labels.verify_alt.replace("{address}", facts.verify_address)),
        "address": text.clean(facts.verify_address),
    }
    return {"data": json.dumps(data, ensure_ascii=False, sort_keys=True), **pictures}


def _meta(facts: CertificateFacts, look: Look) -> Json:
    issued = facts.issued_on
    return {
        "title": text.clean(f"{look.heading}: {facts.title}"),
        "author": text.clean(facts.provider or facts.programme or facts.title),
        "description": text.clean(f"{facts.holder} · {facts.number}"),
        "keywords": [text.clean(facts.number), text.clean(facts.public_id)],
        "issued": {"year": issued.year, "month": issued.month, "day": issued.day},
    }


def _rows(facts: CertificateFacts, look: Look) -> list[tuple[str, str]]:
    """The column of small facts, in the order in which an auditor reads."""
    labels = look.labels
    codes = dict.fromkeys(credit.approval_code for credit in facts.credits if credit.approval_code.strip())
    kind = {"live": labels.live, "enduring": labels.enduring}.get(facts.format, "")
    edition = labels.replaces.replace("{edition}", str(facts.edition)).replace("{number}", facts.replaces)
    rows = [
        (labels.took_place, _dates(facts.began_on, facts.ended_on, look)),
        (labels.format, kind),
        (labels.place, facts.place or (labels.online if facts.format else "")),
        (labels.council, facts.council),
        (labels.registration_number, facts.registration_number),
        (labels.approval_code, ", ".join(codes)),
        (labels.number, facts.number),
        (labels.issued_on, _date(facts.issued_on, look)),
        (labels.edition, edition if facts.replaces else str(facts.edition) if facts.edition > 1 else ""),
    ]
    return [(label, value) for label, value in rows if value.strip()]


def _date(day: date, look: Look, pattern: str = "") -> str:
    labels = look.labels
    written = (pattern or labels.date).replace("{day}", str(day.day)).replace("{year}", str(day.year))
    return written.replace("{month}", labels.months[day.month - 1])


def _dates(first: date | None, last: date | None, look: Look) -> str:
    days = sorted({day for day in (first, last) if day})
    if len(days) < 2:
        return "".join(_date(day, look) for day in days)
    first, last = days
    if (first.year, first.month) == (last.year, last.month):
        pattern = look.labels.days.replace("{first}", str(first.day)).replace("{last}", str(last.day))
        return _date(first, look, pattern)
    return look.labels.dates.replace("{first}", _date(first, look)).replace("{last}", _date(last, look))


def _families(facts: CertificateFacts, look: Look) -> Json:
    said = f"{facts.holder} {facts.title} {look.heading}"
    return families(is_japanese=text.language_of(said, fallback=look.language).partition("-")[0] == "ja")


@lru_cache(maxsize=64)
def _embedded(image: bytes) -> str:
    """A picture as an SVG around its bytes: inputs are texts, and typst reads no file but the template."""
    kind, width, height = picture_kind(image)
    encoded = base64.b64encode(image).decode()
    size = f'width="{width}" height="{height}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {width} {height}">'
        f'<image {size} href="data:{kind};base64,{encoded}"/></svg>'
    )


def unprintable(facts: CertificateFacts, look: Look) -> dict[str, list[str]]:
    """Field → characters that no font has and that print as �. For the person who issues, before it is too late."""
    found = {}
    for source in (facts, look):
        for entry in fields(source):
            value = getattr(source, entry.name)
            signs = text.missing(value) if isinstance(value, str) else []
            if signs:
                found[entry.name] = signs
    return found


__all__: Sequence[str] = (
    "CertificateFacts", "DocumentError", "FactError", "Look", "engine", "picture", "render", "unprintable",
)  # fmt: skip
