"""Who may watch and do what: the doors to webinars. Whether a lesson is open today is another question (courses)."""

from enum import StrEnum

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest

from accounts.enums import CONTENT_ROLES, STAFF_ROLES
from accounts.models import User
from accounts.rules import require_second_step
from core.prepared import Prepared
from courses.rules import Person, has_role, lessons_for, programmes_staffed_by
from media.models import Video
from webinars.enums import Audience, EventKind, Restriction
from webinars.models import PersonRestriction, Webinar


class Part(StrEnum):
    """What somebody is in one webinar. Staff of the programme are moderators everywhere in it."""

    ATTENDEE = "attendee"
    PRESENTER = "presenter"
    MODERATOR = "moderator"


_SEES: dict[Part, frozenset[str]] = {
    Part.ATTENDEE: frozenset({Audience.ALL}),
    Part.PRESENTER: frozenset({Audience.ALL, Audience.PRESENTERS}),
    Part.MODERATOR: frozenset({Audience.ALL, Audience.PRESENTERS, Audience.MODERATORS}),
}


def webinars_for(user: Person) -> QuerySet[Webinar]:
    return Webinar.objects.filter(lesson__in=lessons_for(user).order_by().values("pk")).select_related(
        "lesson__course__programme", "video"
    )


def videos_staffed_by(user: Person) -> QuerySet[Video]:
    """What the lessons of one's programmes show. Who may see it may replace it, for every lesson that shows it."""
    return Video.objects.filter(webinars__lesson__course__programme__in=programmes_staffed_by(user))


_of_people = Prepared[Webinar](lambda user, webinar: webinars_for(User(pk=user)).filter(pk=webinar))
_all = Prepared[Webinar](lambda webinar: webinars_for(User(is_superuser=True)).filter(pk=webinar))


def get_webinar_for(user: Person, webinar_id: int) -> Webinar:
    """The webinar with lesson, course, programme and video; 404 for an absent or foreign one."""
    if not isinstance(user, User) or not user.is_active:
        raise Http404
    try:
        found = (
            _all.first(webinar=webinar_id) if user.is_superuser else _of_people.first(user=user.pk, webinar=webinar_id)
        )
    except OverflowError as absent:
        raise Http404 from absent
    if found is None:
        raise Http404
    return found


def part_of(user: User, webinar: Webinar) -> Part:
    """For somebody who has passed `get_webinar_for`. Two small queries; ask once per page or socket.

    The webinar's list of moderators says who will be at the desk. It lets nobody in: who loses the role loses the desk.
    """
    if has_role(user, *STAFF_ROLES, programme=webinar.lesson.course.programme):
        return Part.MODERATOR
    return Part.PRESENTER if presents(user, webinar) else Part.ATTENDEE


def presents(user: User, webinar: Webinar) -> bool:
    """Whether they give it: on its list of presenters, and with the role in its programme.

    The list alone says who was asked to, also when they have lost the role since. A query for who is on it alone.
    """
    if all(presenter.pk != user.pk for presenter in webinar.presenters.all()):  # few, and a page has them already
        return False
    return has_role(user, *CONTENT_ROLES, programme=webinar.lesson.course.programme)


# What reaches those who have not registered for a webinar that wants it: their page changes state, and nothing else.
_WITHOUT_PLACE = frozenset({EventKind.STATE, EventKind.RESTRICTED})


def may_see(
    *, kind: str, audience: str, person_id: int | None, part: Part, user_id: int, reads: bool, has_place: bool
) -> bool:
    """The one place that decides who hears an event, for sockets, replay and polling alike.

    `reads`: the lane of published questions is open to this person; `has_place`: they are registered, or need not be
    (`domain.viewers`, as `domain.lanes` and `domain.registrations` say it).
    """
    if not has_place and kind not in _WITHOUT_PLACE:
        return False
    if kind == EventKind.PUBLISHED and not reads:
        return False
    if audience == Audience.PERSON:
        return person_id == user_id
    return audience in _SEES[part]


def get_moderated_webinar(user: Person, webinar_id: int) -> Webinar:
    """For the desk: 404 when unknown to this person, 403 for who may watch it but not moderate."""
    return _with_part(user, webinar_id, Part.MODERATOR)


def get_desk_of(request: HttpRequest, webinar_id: int) -> Webinar:
    """For the desk's calls, which are not below the administration's addresses: after the second step, as its page."""
    webinar = get_moderated_webinar(request.user, webinar_id)
    require_second_step(request)
    return webinar


def get_presented_webinar(user: Person, webinar_id: int) -> Webinar:
    """For the presenter's page; moderators may look over the shoulder."""
    return _with_part(user, webinar_id, Part.PRESENTER, Part.MODERATOR)


def _with_part(user: Person, webinar_id: int, *parts: Part) -> Webinar:
    webinar = get_webinar_for(user, webinar_id)
    if not isinstance(user, User) or part_of(user, webinar) not in parts:
        raise PermissionDenied
    return webinar


_restrictions = Prepared[tuple[int]](
    lambda webinar, user, kind: PersonRestriction.objects.filter(
        webinar=webinar, user=user, kind=kind, lifted_at=None
    ).values_list("pk")
)


def is_restricted(user: User, webinar: Webinar, kind: Restriction) -> bool:
    return _restrictions.exists(webinar=webinar.pk, user=user.pk, kind=kind)


def get_room_for(user: Person, webinar_id: int) -> Webinar:
    """The door to everything live: like `get_webinar_for`, and 403 for who was removed from this webinar."""
    webinar = get_webinar_for(user, webinar_id)
    if isinstance(user, User) and is_restricted(user, webinar, Restriction.REMOVED):
        raise PermissionDenied
    return webinar


def get_guest(webinar: Webinar, user_id: int) -> User:
    """Somebody a moderator deals with: who may come to this webinar, removed or not. 404 for everybody else."""
    try:
        user = User.objects.get(pk=user_id)
    except (User.DoesNotExist, OverflowError) as absent:
        raise Http404 from absent
    if not webinars_for(user).filter(pk=webinar.pk).exists():
        raise Http404
    return user
