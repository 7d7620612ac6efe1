"""The definition of every column, as text for docs/numbers.md."""

from collections.abc import Iterator

from django.utils import translation

from analytics.domain.exporting.catalogue import DATASETS
from analytics.domain.exporting.datasets import Scope

DOORS = {
    Scope.WEBINAR: "`/presenting/<webinar>/export/{key}.csv`, for the presenters of the webinar and staff",
    Scope.PROGRAMME: "`/reports/<programme>/export/{key}.csv`, for staff",
}


def as_markdown() -> str:
    """In English: what a column means does not depend on who asks."""
    with translation.override("en"):
        return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    for one in DATASETS.values():
        yield f"### {one.key}"
        yield ""
        yield f"{one.about} {DOORS[one.scope].format(key=one.key)}."
        yield ""
        yield "| Column | Unit | What it says |"
        yield "|---|---|---|"
        for column in one.columns:
            yield f"| `{column.name}` | {column.unit} | {column.definition} |"
        yield ""
