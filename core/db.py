"""PostgreSQL types that Django does not bring: multiranges."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.types.multirange import Int4Multirange, Multirange, TimestamptzMultirange
from psycopg.types.range import Int4Range, TimestamptzRange

from core.ranges import Ranges

Interval = tuple[datetime, datetime]
Intervals = tuple[Interval, ...]

if TYPE_CHECKING:
    _IntField = models.Field[Iterable[tuple[int, int]], Ranges]
    _TimeField = models.Field[Iterable[Interval], Intervals]
else:  # Django's Field takes no parameters at run time
    _IntField = _TimeField = models.Field


class IntMultiRangeField(_IntField):
    """`int4multirange`; in Python `core.ranges.Ranges` (half-open, sorted, disjoint)."""

    description = "Set of whole numbers, as ranges"

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "int4multirange"

    def from_db_value(self, value: Multirange[int] | None, *_: Any) -> Ranges | None:
        return None if value is None else tuple((r.lower, r.upper) for r in value)  # type: ignore[misc]

    def to_python(self, value: Any) -> Ranges | None:
        return None if value is None else tuple((int(start), int(end)) for start, end in value)

    def get_prep_value(self, value: Any) -> Any:
        if value is None or isinstance(value, Multirange) or hasattr(value, "resolve_expression"):
            return value
        return Int4Multirange([Int4Range(int(start), int(end)) for start, end in value])


class TimeMultiRangeField(_TimeField):
    """`tstzmultirange`; in Python a tuple of (start, end) aware datetimes."""

    description = "Set of times, as intervals"

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "tstzmultirange"

    def from_db_value(self, value: Multirange[datetime] | None, *_: Any) -> Intervals | None:
        return None if value is None else tuple((r.lower, r.upper) for r in value)  # type: ignore[misc]

    def to_python(self, value: Any) -> Intervals | None:
        return None if value is None else tuple((start, end) for start, end in value)

    def get_prep_value(self, value: Any) -> Any:
        if value is None or isinstance(value, Multirange) or hasattr(value, "resolve_expression"):
            return value
        return TimestamptzMultirange([TimestamptzRange(start, end) for start, end in value])
