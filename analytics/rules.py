"""Who reads which numbers: the doors to reports.

Presenters read about their own lectures. Moderators and operators read about everything in their programmes. Sponsors
and auditors read aggregates of a programme, in which nobody can be recognised.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest

from accounts.enums import REPORT_ROLES, STAFF_ROLES, Role
from accounts.models import Device, User
from accounts.rules import require_second_step
from courses.enums import PublishStatus
from courses.models import Enrolment, Programme, RoleGrant
from courses.rules import Person, has_role, programmes_staffed_by, programmes_with_role
from webinars.models import PlaySession, Webinar
from webinars.rules import Part, get_presented_webinar, part_of

# A page that stayed open for longer says nothing of use any more; its month may lie in cold storage.
SESSION_DAYS = 7


def presented_by(user: Person) -> QuerySet[Webinar]:
    """The lectures that `user` gives, in programmes where they still are a presenter or staff; the newest first."""
    if not isinstance(user, User) or not user.is_active:
        return Webinar.objects.none()
    roles = (Role.PRESENTER, *STAFF_ROLES)
    grants = RoleGrant.objects.filter(
        Q(programme=None) | Q(programme=OuterRef("lesson__course__programme")), user=user, role__in=roles
    )
    mine = Webinar.objects.filter(presenters=user)
    return (mine if user.is_superuser else mine.filter(Exists(grants))).select_related(
        "lesson__course__programme", "video"
    )


def get_reported_webinar(user: Person, webinar_id: int) -> Webinar:
    """A webinar whose numbers `user` may read: 404 for an unknown or foreign one, 403 for who only attends it."""
    return get_presented_webinar(user, webinar_id)


def programmes_reported_to(user: Person) -> QuerySet[Programme]:
    """Whose people and numbers `user` works with: moderators and operators."""
    return programmes_staffed_by(user)


def require_reports(user: Person) -> None:
    """403 for whoever moderates or operates no programme."""
    if not has_role(user, *STAFF_ROLES, programme=None) and not programmes_reported_to(user).exists():
        raise PermissionDenied


def programmes_shared_with(user: Person) -> QuerySet[Programme]:
    """Of whose aggregates `user` may read: sponsors and auditors, and staff who look over what they see."""
    return programmes_with_role(user, *REPORT_ROLES, *STAFF_ROLES)


def get_own_place(user: User, slug: str, *, is_open: bool = True) -> Enrolment:
    """One's own place in a published programme; 404 without one, whatever else one does there. One query.

    Without `is_open`, also one that was closed, or whose programme is: what was agreed to there can still be ended.
    """
    places = Enrolment.objects.filter(user=user, programme__slug=slug).select_related("programme", "cohort")
    if is_open:
        places = places.open().filter(programme__status=PublishStatus.PUBLISHED)
    found = places.first()
    if found is None:
        raise Http404
    return found


def get_play_session_for(
    user: User, *, session_id: UUID, webinar_id: int, device: Device, now: datetime
) -> PlaySession:
    """One's own open one on this device; 404 for every other, and for one of last week. One query."""
    found = PlaySession.objects.filter(
        pk=session_id,
        user=user,
        webinar=webinar_id,
        device=device,
        device__ended_at=None,
        ended_at=None,
        started_at__gt=now - timedelta(days=SESSION_DAYS),
    )
    session = found.first()
    if session is None:
        raise Http404
    return session


def get_reported_programme(request: HttpRequest, slug: str) -> Programme:
    """404 for an unknown one and for one that who asks is no staff of; the second step before names of its doctors."""
    found = _one(programmes_reported_to(request.user), slug)
    require_second_step(request)
    return found


def get_lecture_of(programme: Programme, webinar_id: str) -> Webinar:
    """Of a programme whose door was passed; 404 for another one's, and for what is no number."""
    webinars = Webinar.objects.filter(lesson__course__programme=programme).select_related("lesson")
    found = webinars.filter(pk=int(webinar_id)).first() if webinar_id.isascii() and webinar_id.isdigit() else None
    if found is None:
        raise Http404
    return found


def get_shared_programme(request: HttpRequest, slug: str) -> Programme:
    """With the names of who agreed to that: who may open the administration takes the second step before them."""
    found = _one(programmes_shared_with(request.user), slug)
    require_second_step(request)
    return found


def _one(programmes: QuerySet[Programme], slug: str) -> Programme:
    found = programmes.filter(slug=slug).first()
    if found is None:
        raise Http404
    return found


def sees_all_of(request: HttpRequest, webinar: Webinar) -> bool:
    """Staff of the programme, after the second step; a presenter reads of questions only what was passed on."""
    user = request.user
    if not isinstance(user, User) or part_of(user, webinar) is not Part.MODERATOR:
        return False
    require_second_step(request)
    return True
