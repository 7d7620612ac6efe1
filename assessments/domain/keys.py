"""What is right by today: the key a version was made with, or the last correction of it.

No query where `revisions` are prefetched, in whatever order; otherwise one.
"""

from assessments.items.base import Json
from assessments.models import ItemVersion, KeyRevision


def last_revision(version: ItemVersion) -> KeyRevision | None:
    return max(version.revisions.all(), key=lambda one: one.number, default=None)


def current_key(version: ItemVersion) -> Json:
    last = last_revision(version)
    key: Json = version.key if last is None else last.key
    return key


def stand_of(version: ItemVersion | None) -> str:
    """Which version with which correction somebody has before their eyes. Empty for none."""
    if version is None:
        return ""
    last = last_revision(version)
    return f"{version.number}.{last.number if last else 0}"
