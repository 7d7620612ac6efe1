"""What several kinds have in common: reading options, texts, numbers and identifiers from JSON."""

import re
import unicodedata
from collections.abc import Collection
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

from assessments.items.base import AnswerError, ItemError, Json
from core.richtext import clean_html

MOST_OPTIONS = 26
MOST_REFERENCES = 20
MOST_IMAGES = 10
LONGEST_TEXT = 5_000
HIGHEST_ID = 2**63 - 1
_NAME = re.compile(r"[a-z0-9]{1,8}\Z")
_NUMBER = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?\Z")
# PostgreSQL's jsonb takes no NUL and no half of a surrogate pair; other control characters have no place in an answer.
_KEPT_CONTROLS = "\n\t"


def options_of(raw: Any, *, field: str = "options", least: int = 2) -> list[Json]:
    """`[{"id", "text"}]`, each identifier once and no text empty. Raises ItemError."""
    if not isinstance(raw, list) or not least <= len(raw) <= MOST_OPTIONS:
        raise ItemError(_("Give %(least)d to %(most)d of them.") % {"least": least, "most": MOST_OPTIONS}, field=field)
    options = [{"id": one.get("id"), "text": html(one.get("text"), field)} for one in raw if isinstance(one, dict)]
    names = [option["id"] for option in options]
    if len(options) != len(raw) or not all(isinstance(name, str) and _NAME.match(name) for name in names):
        raise ItemError(_("Each needs a letter of its own."), field=field)
    if len(set(names)) != len(names):
        raise ItemError(_("Each needs a letter of its own."), field=field)
    if not all(option["text"] for option in options):
        raise ItemError(_("One of them is empty."), field=field)
    return options


def names_of(options: list[Json]) -> list[str]:
    return [option["id"] for option in options]


def images_of(shown: Json) -> Json:
    """`{"images": [ItemImage ids]}`, or nothing at all where there are none. Raises ItemError."""
    raw = shown.get("images") or []
    if not isinstance(raw, list) or len(raw) > MOST_IMAGES or not all(is_id(one) for one in raw):
        raise ItemError(_("Give the numbers of at most %(most)d pictures.") % {"most": MOST_IMAGES}, field="images")
    return {"images": list(dict.fromkeys(raw))} if raw else {}


def is_id(raw: Any) -> bool:
    return isinstance(raw, int) and not isinstance(raw, bool) and 0 < raw <= HIGHEST_ID


def html(raw: Any, field: str) -> str:
    """Sanitised. Raises ItemError."""
    if raw is None:
        return ""
    if not isinstance(raw, str) or len(raw) > LONGEST_TEXT:
        raise ItemError(_("Give a text of at most %(most)d characters.") % {"most": LONGEST_TEXT}, field=field)
    return clean_html(storable(raw))


def line(raw: Any, field: str, *, longest: int = 200) -> str:
    """Plain text in one line, no HTML. Raises ItemError."""
    if not isinstance(raw, str) or len(raw) > longest:
        raise ItemError(_("Give a text of at most %(most)d characters.") % {"most": longest}, field=field)
    return " ".join(storable(raw).split())


def explanations(key: Json, *, names: list[str]) -> Json:
    """What every key has: `rationale`, `references`, and `rationales` by option."""
    given = key.get("rationales")
    by_name = given if isinstance(given, dict) else {}
    references = key.get("references")
    listed = references if isinstance(references, list) else []
    if len(listed) > MOST_REFERENCES or not all(isinstance(one, str) and len(one) <= 500 for one in listed):
        raise ItemError(_("Give at most 20 references, each in one line."), field="references")
    cleaned = {name: html(by_name[name], "rationales") for name in names if by_name.get(name)}
    lines = [" ".join(storable(one).split()) for one in listed]
    return {
        "rationale": html(key.get("rationale"), "rationale"),
        "rationales": {name: text for name, text in cleaned.items() if text},
        "references": [one for one in lines if one],
    }


def subset_of(raw: Any, names: list[str], *, field: str, text: str) -> list[str]:
    """Those of `names` that are in the list `raw`, in the order of `names`. Raises ItemError with `text`."""
    chosen = _chosen(raw, names)
    if chosen is None:
        raise ItemError(text, field=field)
    return chosen


def choices_of(raw: Any, names: list[str]) -> list[str]:
    """The same of an answer. Raises AnswerError."""
    chosen = _chosen(raw, names)
    if chosen is None:
        raise AnswerError
    return chosen


def _chosen(raw: Any, names: list[str]) -> list[str] | None:
    if not isinstance(raw, list) or not all(isinstance(one, str) and one in names for one in raw):
        return None
    return [name for name in names if name in raw]


def one_of(raw: Any, allowed: Collection[str], *, default: str, field: str) -> str:
    """Raises ItemError."""
    if raw is None or raw == "":
        return default
    if not isinstance(raw, str) or raw not in allowed:
        raise ItemError(_("Choose one of: %(names)s.") % {"names": ", ".join(allowed)}, field=field)
    return raw


def whole(raw: Any, *, least: int, most: int, field: str) -> int | None:
    """A whole number or its digits; None for none. Raises ItemError."""
    if raw is None or raw == "":
        return None
    if isinstance(raw, str) and raw.isascii() and raw.isdigit() and len(raw) < 10:
        raw = int(raw)
    if not isinstance(raw, int) or isinstance(raw, bool) or not least <= raw <= most:
        raise ItemError(_("Give a number from %(least)d to %(most)d.") % {"least": least, "most": most}, field=field)
    return raw


def number(raw: Any, *, field: str, least: Decimal | None = None, most: Decimal | None = None) -> Decimal:
    """Exact: a text with a point, or a JSON number as it is written. Raises ItemError."""
    value = _decimal(raw)
    if value is None or (least is not None and value < least) or (most is not None and value > most):
        raise ItemError(_("Give a number, with a point where it needs one."), field=field)
    return value


def written(value: Decimal) -> str:
    """One text for one number: 0.50 and 0.5 are the same."""
    return format(value.normalize(), "f") if value else "0"


def _decimal(raw: Any) -> Decimal | None:
    if isinstance(raw, bool) or not isinstance(raw, str | int | float | Decimal):
        return None
    if isinstance(raw, int) and abs(raw) >= 10**20:
        return None
    text = raw.strip() if isinstance(raw, str) else str(raw)
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    if not value.is_finite() or abs(value.adjusted()) > 20:
        return None
    return value if _NUMBER.match(format(value, "f")) else None


def storable(text: str) -> str:
    """Without what the database takes in no text."""
    kept = text.replace("\r\n", "\n").replace("\r", "\n")
    if kept.isprintable():
        return kept
    return "".join(one for one in kept if one in _KEPT_CONTROLS or unicodedata.category(one) not in ("Cc", "Cs"))
