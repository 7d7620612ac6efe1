"""What the pages of accredited webinars ask: whether disclosures are to be read first, and where the credit is."""

from django.urls import reverse

from accounts.models import User
from certification.domain.sheets import unread_activity
from certification.enums import ActivityState, Format
from certification.models import Accreditation
from core.prepared import Prepared
from courses.enums import LessonKind
from courses.models import Lesson

# Two of them are as good as many.
_accredited = Prepared[int](
    lambda lesson: (
        Accreditation.objects.filter(activity__lesson=lesson, activity__state=ActivityState.OPEN)
        .order_by("pk")
        .values_list("pk", flat=True)[:2]
    )
)


def disclosures_before(*, lesson: Lesson, user: User, is_live: bool) -> str | None:
    """The gate: it leads pages there, and locks nothing. One query, and none for lessons that are no webinars."""
    if lesson.kind != LessonKind.WEBINAR:
        return None
    form = Format.LIVE if is_live else Format.ENDURING
    activity_id = unread_activity(user_id=user.pk, lesson_id=lesson.pk, form=str(form))
    return reverse("certification:sheet", args=(activity_id,)) if activity_id else None


def credit_page_of(*, lesson: Lesson) -> str | None:
    """How the only credit that there is was counted; the list where there are several. One query."""
    if lesson.kind != LessonKind.WEBINAR:
        return None
    found = _accredited.rows(lesson=lesson.pk)
    if not found:
        return None
    return reverse("certification:credit", args=(found[0],)) if len(found) == 1 else reverse("certification:credits")
