"""Copies of a webinar: whose they are, so that nobody has credit of the same content twice.

The office states it at an activity (`same_as`). It always names the first one, also for a copy of a copy, and is the
same for both formats of a webinar. What shows the same video is found by itself.
"""

from certification.models import Activity
from courses.models import Lesson
from webinars.models import Webinar


def origin_of(lesson_id: int) -> int:
    """The webinar itself where it is nobody's copy."""
    stated = Activity.objects.filter(lesson=lesson_id, same_as__isnull=False).order_by("pk")
    return stated.values_list("same_as", flat=True).first() or lesson_id


def found_origin(lesson: Lesson) -> Lesson | None:
    """Of another accredited webinar that shows the same video: the one accredited first."""
    video = Webinar.objects.filter(lesson=lesson, video__isnull=False).values("video")
    same = Activity.objects.filter(lesson__webinar__video__in=video).exclude(lesson=lesson)
    first = same.order_by("pk").values_list("lesson", flat=True).first()
    return Lesson.objects.select_related("course").get(pk=origin_of(first)) if first else None


def has_copies(lesson_id: int) -> bool:
    return Activity.objects.filter(same_as=lesson_id).exists()
