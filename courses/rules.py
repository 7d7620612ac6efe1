"""Who may see and do what in programmes, and the only doors to their objects.

A door answers a foreign object as if it did not exist (404); a page that is known but needs a role answers 403.
Whether something is open *today* is no question of rights: `courses.domain.availability` answers that.
"""

from functools import cache
from typing import TypeVar

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.http import Http404

from accounts.enums import CONTENT_ROLES, REPORT_ROLES, STAFF_ROLES, Role
from accounts.models import User
from core.prepared import Prepared
from courses.enums import OPEN_ENROLMENTS, PublishStatus
from courses.models import Course, Enrolment, Lesson, Programme, RoleGrant

Person = User | AnonymousUser
Found = TypeVar("Found", bound=Model)


def is_operator(user: Person) -> bool:
    """An operator of all programmes. A superuser is one: the first account of a fresh installation has no grant yet."""
    return has_role(user, Role.OPERATOR, programme=None)


def has_role(user: Person, *roles: str, programme: Programme | None) -> bool:
    """Whether `user` has one of the roles in this programme; `None` asks for a role in all programmes. One query."""
    if not user.is_active or not isinstance(user, User):
        return False
    if user.is_superuser and Role.OPERATOR in roles:
        return True
    if programme is None:
        return RoleGrant.objects.filter(programme=None, user=user, role__in=roles).exists()
    return _grants(*roles).exists(user=user.pk, programme=programme.pk)


@cache
def _grants(*roles: str) -> Prepared[tuple[int]]:
    """In one programme, or in all."""
    return Prepared(
        lambda user, programme: RoleGrant.objects.filter(
            Q(programme=None) | Q(programme=programme), user=user, role__in=roles
        ).values_list("pk")[:1]
    )


def require_role(user: Person, *roles: str, programme: Programme | None) -> None:
    if not has_role(user, *roles, programme=programme):
        raise PermissionDenied


def programmes_with_role(user: Person, *roles: str) -> QuerySet[Programme]:
    """The programmes in which `user` has one of the roles, drafts and archived ones included."""
    if not user.is_active or not isinstance(user, User):
        return Programme.objects.none()
    if user.is_superuser and Role.OPERATOR in roles:
        return Programme.objects.all()
    grants = RoleGrant.objects.filter(user=user, role__in=roles)
    return Programme.objects.filter(
        Exists(grants.filter(programme=None)) | Exists(grants.filter(programme=OuterRef("pk")))
    )


def programmes_staffed_by(user: Person) -> QuerySet[Programme]:
    """What a moderator or an operator works on in the admin."""
    return programmes_with_role(user, *STAFF_ROLES)


def programmes_for(user: Person) -> QuerySet[Programme]:
    """Published programmes with an open enrolment, and every programme in which `user` presents or is staff.

    Sponsors and auditors come to no content by their role: `reads_reports`.
    """
    if not user.is_active or not isinstance(user, User):
        return Programme.objects.none()
    if user.is_superuser:
        return Programme.objects.all()
    enrolments = Enrolment.objects.filter(user=user, programme=OuterRef("pk"), status__in=OPEN_ENROLMENTS)
    grants = RoleGrant.objects.filter(
        Q(programme=None) | Q(programme=OuterRef("pk")), user=user, role__in=CONTENT_ROLES
    )
    return Programme.objects.filter(Q(Exists(enrolments), status=PublishStatus.PUBLISHED) | Q(Exists(grants)))


def reads_reports(user: Person) -> bool:
    """A sponsor or an auditor of at least one programme. One query."""
    if not user.is_active or not isinstance(user, User):
        return False
    return RoleGrant.objects.filter(user=user, role__in=REPORT_ROLES).exists()


def get_programme_for(user: Person, slug: str) -> Programme:
    return _one(programmes_for(user), slug=slug)


_open_enrolment = Prepared[Enrolment](
    lambda user, programme: Enrolment.objects.filter(
        user=user, programme=programme, status__in=OPEN_ENROLMENTS
    ).select_related("cohort")
)


def get_enrolment_for(user: Person, programme: Programme) -> Enrolment | None:
    """The open enrolment: nothing for a suspended or withdrawn doctor, or one who has not signed in yet."""
    if not isinstance(user, User):
        return None
    return _open_enrolment.first(user=user.pk, programme=programme.pk)


def may_preview(user: Person, programme: Programme) -> bool:
    """Staff who are no doctors there look at its lessons before and after their dates, and in any order."""
    return has_role(user, *STAFF_ROLES, programme=programme) and get_enrolment_for(user, programme) is None


def courses_for(user: Person) -> QuerySet[Course]:
    """Published courses of the programmes `user` is enrolled in, and all courses where `user` presents or is staff."""
    if not user.is_active or not isinstance(user, User):
        return Course.objects.none()
    if user.is_superuser:
        return Course.objects.all()
    enrolments = Enrolment.objects.filter(user=user, programme=OuterRef("programme"), status__in=OPEN_ENROLMENTS)
    grants = RoleGrant.objects.filter(
        Q(programme=None) | Q(programme=OuterRef("programme")), user=user, role__in=CONTENT_ROLES
    )
    return Course.objects.filter(
        Q(Exists(enrolments), status=PublishStatus.PUBLISHED, programme__status=PublishStatus.PUBLISHED)
        | Q(Exists(grants))
    )


def lessons_for(user: Person) -> QuerySet[Lesson]:
    return Lesson.objects.filter(course__in=courses_for(user)).select_related("course__programme")


def get_course_for(user: Person, course_id: int) -> Course:
    return _one(courses_for(user).select_related("programme"), pk=course_id)


def get_lesson_for(user: Person, lesson_id: int) -> Lesson:
    return _one(lessons_for(user), pk=lesson_id)


def _one(found: QuerySet[Found], **by: object) -> Found:
    """Like `get_object_or_404`, with one message for all: the model's name would tell that such a thing exists."""
    try:
        return found.get(**by)
    except (ObjectDoesNotExist, OverflowError) as absent:
        raise Http404 from absent
