"""What a webinar is as a lesson: the settings behind it, made, copied and looked over with the course."""

from collections.abc import Sequence
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from courses.domain.lesson_kinds import Moment
from courses.models import Lesson
from webinars.domain import checks
from webinars.domain.authoring import is_watched
from webinars.domain.scheduling import COPIED
from webinars.enums import IngestKind, RecordingPolicy
from webinars.models import Webinar


class WebinarLessons:
    """Registered with `courses.domain.lesson_kinds`."""

    def prepare(self, *, lesson: Lesson, now: datetime) -> None:
        Webinar.objects.get_or_create(lesson=lesson)

    def copy(self, *, source: Lesson, target: Lesson, now: datetime) -> None:
        """The copy shows the same video: a stored lecture may belong to any number of lessons.

        A live webinar's settings and people come along; its date, its recording and what happened do not.
        """
        original = Webinar.objects.filter(lesson=source).first()
        if original is None:
            self.prepare(lesson=target, now=now)
            return
        settings = {name: getattr(original, name) for name in COPIED}
        if settings["recording_policy"] == RecordingPolicy.AT_DATE:
            settings["recording_policy"] = RecordingPolicy.ON_RELEASE  # its date stays behind
        made = Webinar.objects.create(
            lesson=target,
            video=original.video if original.starts_at is None else None,
            completion_percent=original.completion_percent,
            **settings,
        )
        made.presenters.set(original.presenters.all())
        made.moderators.set(original.moderators.all())

    def is_used(self, *, lesson: Lesson) -> bool:
        webinar_id = Webinar.objects.filter(lesson=lesson).values_list("pk", flat=True).first()
        return webinar_id is not None and is_watched(webinar_id=webinar_id)

    def problems(self, *, lessons: Sequence[Lesson]) -> dict[int, str]:
        webinars = {
            webinar.lesson_id: webinar for webinar in Webinar.objects.filter(lesson__in=lessons).select_related("video")
        }
        found = {}
        for lesson in lessons:
            webinar = webinars.get(lesson.pk)
            if webinar is not None and webinar.starts_at is not None and webinar.video is None:
                if problem := _problem_of_live(webinar):
                    found[lesson.pk] = problem
            elif webinar is None or webinar.video is None:
                found[lesson.pk] = _("no video is chosen yet.")
            elif not webinar.video.is_published:
                found[lesson.pk] = _("its video is not ready to be watched yet.")
        return found

    def address(self, *, lesson: Lesson) -> str | None:
        pk = Webinar.objects.filter(lesson=lesson).values_list("pk", flat=True).first()
        return reverse("webinars:watch", args=(pk,)) if pk is not None else None

    def moment_of(self, *, lesson: Lesson, inner_id: int, user: User, now: datetime, holds: bool) -> Moment:
        webinar = Webinar.objects.select_related("lesson__course__programme", "video").filter(lesson=lesson).first()
        if webinar is None:
            return Moment.BEFORE
        return checks.moment_of(webinar=webinar, lesson_id=inner_id, user=user, now=now, holds=holds)


def _problem_of_live(webinar: Webinar) -> str:
    """A live webinar has no video before it happened; afterwards its recording comes by itself."""
    if webinar.cancelled_at is not None:
        return _("its live webinar was cancelled, and it has no video.")
    if webinar.ingest == IngestKind.EXTERNAL and not webinar.external_url:
        return _("the link to the meeting is missing.")
    return ""
