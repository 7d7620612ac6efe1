"""The gate of accredited webinars: their disclosures are read first. It leads pages there, and locks nothing."""

from django.urls import reverse

from accounts.models import User
from certification.domain.sheets import unread_activity
from certification.enums import Format
from courses.enums import LessonKind
from courses.models import Lesson


def disclosures_before(*, lesson: Lesson, user: User, is_live: bool) -> str | None:
    """One query, and none for lessons that are no webinars."""
    if lesson.kind != LessonKind.WEBINAR:
        return None
    form = Format.LIVE if is_live else Format.ENDURING
    activity_id = unread_activity(user_id=user.pk, lesson_id=lesson.pk, form=str(form))
    return reverse("certification:sheet", args=(activity_id,)) if activity_id else None
