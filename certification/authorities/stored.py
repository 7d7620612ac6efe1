"""Evidence and terms as JSON, kept with a claim: whoever doubts a decision takes them and calculates it again."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from certification.authorities.base import Evidence, Granted, Terms

DATES = {"took_part_on", "cycle_from", "on", "starts_on", "ends_on", "released_on", "reviewed_on",
         "tested_on", "evaluated_on", "done_by"}  # fmt: skip
MOMENTS = {"began_at", "acknowledged_at"}
DECIMALS = {"best_percent", "other_format_credit", "copy_credit", "credit", "credits"}
Kept = TypeVar("Kept", Evidence, Terms, Granted)


def as_data(one: Evidence | Terms | Granted) -> dict[str, Any]:
    """Texts, whole numbers and truth only. Cleaned parameters have decimals, which become texts."""
    return {field.name: _plain(getattr(one, field.name)) for field in fields(one)}


def evidence_from(data: Mapping[str, Any]) -> Evidence:
    granted = tuple(_made(Granted, one) for one in data["granted"])
    return _made(Evidence, {**data, "granted": granted})


def terms_from(data: Mapping[str, Any]) -> Terms:
    return _made(Terms, data)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Granted):
        return as_data(value)
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value


def _made(kind: type[Kept], data: Mapping[str, Any]) -> Kept:
    """What a later version of the product added has its default."""
    return kind(**{one.name: _read(one.name, data[one.name]) for one in fields(kind) if one.name in data})


def _read(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in DATES:
        return date.fromisoformat(value)
    if name in MOMENTS:
        return datetime.fromisoformat(value)
    return Decimal(value) if name in DECIMALS else value
