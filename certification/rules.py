"""Who may see what of credit: the doors to its objects."""

import re

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404

from accounts.models import User
from certification.enums import ActivityState
from certification.models import Accreditation, Activity, Certificate, Claim
from certification.models.ledger import ClaimQuerySet
from courses.enums import PublishStatus
from courses.models import Enrolment
from courses.rules import Person, lessons_for, programmes_staffed_by

# What base32 has not, as people read it from paper.
MISREAD = str.maketrans("018", "OIB")


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


def claims_for(user: Person) -> ClaimQuerySet:
    """One's own, the latest first; they stay when a programme is over."""
    if not isinstance(user, User) or not user.is_active:
        nothing: ClaimQuerySet = Claim.objects.none()
        return nothing
    found: ClaimQuerySet = Claim.objects.filter(user=user)
    return found.select_related("accreditation__activity__lesson__course__programme").order_by("-took_part_on", "-pk")


def get_announced_activity(user: Person, activity_id: int) -> Activity:
    """One that is or was open, of a webinar this person may see; with lesson, course and programme. Else 404."""
    found = Activity.objects.filter(lesson__in=lessons_for(user).order_by().values("pk"))
    try:
        return found.exclude(state=ActivityState.DRAFT).select_related("lesson__course__programme").get(pk=activity_id)
    except (ObjectDoesNotExist, OverflowError) as absent:
        raise Http404 from absent


def certificates_for(user: Person) -> QuerySet[Certificate]:
    """One's own, whatever became of the programme: a certificate is for life."""
    if not isinstance(user, User) or not user.is_active:
        return Certificate.objects.none()
    return Certificate.objects.filter(user=user)


def get_certificate_for(user: Person, public_id: str) -> Certificate:
    """One's own, or one of a programme that this person staffs; with programme, template and file. Else 404."""
    if not isinstance(user, User) or not user.is_active:
        raise Http404
    staffed = programmes_staffed_by(user).order_by().values("pk")
    found = Certificate.objects.filter(Q(user=user) | Q(programme__in=staffed), public_id=typed_id(public_id))
    certificate = found.select_related("programme", "template", "file").first()
    if certificate is None:
        raise Http404
    return certificate


def find_certificate(typed: str) -> Certificate | None:
    """For everybody who has its code. One query whatever was typed, so that nothing tells a near miss from nonsense."""
    found = Certificate.objects.filter(public_id=typed_id(typed))
    return found.select_related("programme__chain", "replaced_by").first()


def typed_id(typed: str) -> str:
    """A code as people copy it from paper: in groups, in small letters, with 0 for O."""
    return re.sub("[^A-Z2-7]", "", typed[:200].upper().translate(MISREAD))
