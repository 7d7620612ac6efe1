"""Who may see what of credit: the doors to its objects."""

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404

from accounts.models import User
from certification.enums import ActivityState
from certification.models import Accreditation, Activity, Claim
from courses.enums import PublishStatus
from courses.models import Enrolment
from courses.rules import Person, lessons_for


def accreditations_for(user: Person) -> QuerySet[Accreditation]:
    """Of programmes in which this doctor has a place, once they were announced; and those they have credit of.

    Credit is one's own: no role sees another person's here. With activity, lesson, course and programme.
    """
    if not isinstance(user, User) or not user.is_active:
        return Accreditation.objects.none()
    place = Enrolment.objects.open().filter(user=user, programme=OuterRef("activity__lesson__course__programme"))
    announced = ~Q(activity__state=ActivityState.DRAFT) & Q(
        activity__lesson__course__status=PublishStatus.PUBLISHED,
        activity__lesson__course__programme__status=PublishStatus.PUBLISHED,
    )
    claims = Claim.objects.filter(user=user, accreditation=OuterRef("pk"))
    return Accreditation.objects.filter(Q(Exists(place)) & announced | Q(Exists(claims))).select_related(
        "activity__lesson__course__programme"
    )


def get_accreditation_for(user: Person, accreditation_id: int) -> Accreditation:
    """404 for an absent or foreign one."""
    try:
        return accreditations_for(user).get(pk=accreditation_id)
    except (ObjectDoesNotExist, OverflowError) as absent:
        raise Http404 from absent


def claims_for(user: Person) -> QuerySet[Claim]:
    """One's own, the latest first; they stay when a programme is over."""
    if not isinstance(user, User) or not user.is_active:
        return Claim.objects.none()
    return (
        Claim.objects.filter(user=user)
        .select_related("accreditation__activity__lesson__course__programme")
        .order_by("-took_part_on", "-pk")
    )


def get_announced_activity(user: Person, activity_id: int) -> Activity:
    """One that is or was open, of a webinar this person may see; with lesson, course and programme. Else 404."""
    found = Activity.objects.filter(lesson__in=lessons_for(user).order_by().values("pk"))
    try:
        return found.exclude(state=ActivityState.DRAFT).select_related("lesson__course__programme").get(pk=activity_id)
    except (ObjectDoesNotExist, OverflowError) as absent:
        raise Http404 from absent
