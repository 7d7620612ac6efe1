"""Named places of a recording. Kept in seconds of the uncut one, so that a later cut moves them along."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.domain import audit
from accounts.models import User
from webinars.domain.timelines import RecordingMap
from webinars.models import Chapter, Webinar

MOST_CHAPTERS = 100
LONGEST_TITLE = 120


class ChapterError(Exception):
    """Nothing was changed; `message` is for the editor."""

    message = _("A chapter has a time and a title, and no two begin at the same time.")


class TooManyChaptersError(ChapterError):
    message = _("A recording can have up to a hundred chapters.")


@transaction.atomic
def save_chapters(
    *,
    webinar_id: int,
    chapters: Iterable[tuple[float, str]],
    actor: User | None,
    request: HttpRequest | None = None,
    now: datetime,
) -> int:
    """Replaces them all. Returns how many there are."""
    webinar = Webinar.objects.select_for_update(of=("self",), no_key=True).get(pk=webinar_id)
    given = list(chapters)
    wanted = {float(second): title.strip()[:LONGEST_TITLE] for second, title in given}
    if len(given) > MOST_CHAPTERS:
        raise TooManyChaptersError
    if len(wanted) < len(given) or not all(second >= 0 and title for second, title in wanted.items()):
        raise ChapterError
    before = list(webinar.chapters.values_list("at_seconds", "title"))
    after = sorted(wanted.items())
    if before == after:
        return len(after)
    webinar.chapters.all().delete()
    Chapter.objects.bulk_create([Chapter(webinar=webinar, at_seconds=at, title=title) for at, title in after])
    details = {"before": before, "after": after}
    audit.record("recording.chapters", actor=actor, subject=webinar, request=request, details=details, now=now)
    return len(after)


def chapters_of(webinar_id: int, edition: RecordingMap | None) -> list[tuple[float, str]]:
    """Where they begin in what is shown. One that was cut away begins with what follows, unless another does."""
    found: dict[float, str] = {}
    end = edition.uncut_to_shown.recording_seconds if edition else 0.0
    for at, title in (
        Chapter.objects.filter(webinar=webinar_id).order_by("at_seconds").values_list("at_seconds", "title")
    ):
        shown = edition.uncut_to_shown.to_recording(at) if edition else at
        if edition is None or shown < end:
            found[shown] = title
    return sorted(found.items())
