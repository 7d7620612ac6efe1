"""The source of each kind. The invitation itself is sent by `accounts`; campaigns and tests are planned by who makes
them.
"""

from reminders.domain.planning import of_people, of_webinars
from reminders.domain.planning.sources import Source

_SOURCES = {source.kind.value: source for source in (*of_webinars.SOURCES, *of_people.SOURCES)}


def source_of(kind: str) -> Source | None:
    return _SOURCES.get(kind)


def planned_kinds() -> list[str]:
    return list(_SOURCES)
