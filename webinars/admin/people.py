"""Whom a webinar's forms offer: people with a role in its programme, not a directory of everybody."""

from django.db.models import Q, QuerySet
from django.http import HttpRequest

from accounts.enums import STAFF_ROLES, Role
from accounts.models import User
from courses.models import Course, Programme, RoleGrant

ROLES = {"presenters": (Role.PRESENTER,), "moderators": tuple(sorted(STAFF_ROLES))}


def object_id(request: HttpRequest) -> int:
    given = str(request.resolver_match.kwargs.get("object_id", "")) if request.resolver_match else ""
    return int(given) if given.isdecimal() and len(given) < 18 else 0


def people_of(course: QuerySet[Course], *, part: str) -> QuerySet[User]:
    """`part` is `presenters` or `moderators`; who has the role in all programmes has it here too."""
    programmes = Programme.objects.filter(courses__in=course)
    grants = RoleGrant.objects.filter(Q(programme=None) | Q(programme__in=programmes), role__in=ROLES[part])
    return User.objects.filter(role_grants__in=grants).distinct()
