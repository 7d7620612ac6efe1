"""The words and figures of charts. Drawing knows no language: `analytics/templatetags/chart_words.py` brings them."""

from collections.abc import Mapping
from dataclasses import dataclass

from analytics.rendering.data import MarkKind, Write


@dataclass(frozen=True)
class Words:
    """`number`, `percent` (of a share from 0 to 1) and `mean` write as the reader's language does. What has a place
    to fill is a `str.format` pattern of our own, never text of users."""

    number: Write
    percent: Write
    mean: Write
    is_rtl: bool
    table: str  # opens the table
    empty: str  # instead of a picture
    withheld: str  # instead of a number behind which too few people stand
    none: str  # nobody at all, in a legend
    unknown: str  # a place that is on no map
    name: str  # heading of the column with labels
    country: str
    step: str
    value: str
    share: str
    average: str
    answers: str
    when: str
    kind: str
    what: str
    timeline: str  # opens the table of all marks
    lost: str  # "{number} lost on the way ({share})"
    lost_head: str  # heading of that column
    up_to: str  # "up to {number}"
    between: str  # "{low} to {high}"
    mark_kinds: Mapping[MarkKind, str]
    weekdays: tuple[str, ...]  # seven, in the order of the reader's week
    first_weekday: int  # which one stands first: 0 is Monday
    hour: Write  # "19:00"
