"""All datasets, by their keys."""

from analytics.domain.exporting.datasets import Dataset, Scope
from analytics.domain.exporting.door import DOOR
from analytics.domain.exporting.lecture import AUDIENCE, AUDIENCE_MINUTES, FEEDBACK, QUESTIONS, RETENTION
from analytics.domain.exporting.people import LEARNERS, WATCHING
from analytics.domain.exporting.playback import PLAYBACK

DATASETS = {
    one.key: one
    for one in (AUDIENCE, AUDIENCE_MINUTES, RETENTION, FEEDBACK, QUESTIONS, PLAYBACK, LEARNERS, WATCHING, DOOR)
}


def datasets_of(scope: Scope) -> list[Dataset]:
    return [one for one in DATASETS.values() if one.scope == scope]


def find_dataset(key: str, scope: Scope) -> Dataset | None:
    found = DATASETS.get(key)
    return found if found and found.scope == scope else None
