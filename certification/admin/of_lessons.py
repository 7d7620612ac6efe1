"""On the pages of a webinar in the office: by whom it is accredited, how far that is, and the way to begin."""

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from courses.admin.beside import says_beside_lessons
from courses.enums import LessonKind
from courses.models import Lesson


@says_beside_lessons
def accreditation_of(lesson: Lesson) -> SafeString:
    if lesson.kind != LessonKind.WEBINAR:
        return SafeString("")
    activities = list(lesson.activities.prefetch_related("accreditations").order_by("-format"))
    context = {"lesson": lesson, "activities": activities}
    html = render_to_string("admin/certification/activity/_of_lesson.html", context)
    return mark_safe(html)  # noqa: S308  # by a template, which escapes
