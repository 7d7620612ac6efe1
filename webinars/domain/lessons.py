"""What a webinar is as a lesson: the settings behind it, made, copied and looked over with the course."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from courses.models import Lesson
from webinars.domain.authoring import is_watched
from webinars.models import Webinar


class WebinarLessons:
    """Registered with `courses.domain.lesson_kinds`."""

    def prepare(self, *, lesson: Lesson, now: datetime) -> None:
        Webinar.objects.get_or_create(lesson=lesson)

    def copy(self, *, source: Lesson, target: Lesson, now: datetime) -> None:
        """The copy shows the same video: a stored lecture may belong to any number of lessons."""
        original = Webinar.objects.filter(lesson=source).first()
        if original is None:
            self.prepare(lesson=target, now=now)
            return
        made = Webinar.objects.create(
            lesson=target, video=original.video, completion_percent=original.completion_percent
        )
        made.presenters.set(original.presenters.all())

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
            if webinar is None or webinar.video is None:
                found[lesson.pk] = _("no video is chosen yet.")
            elif not webinar.video.is_published:
                found[lesson.pk] = _("its video is not ready to be watched yet.")
        return found
