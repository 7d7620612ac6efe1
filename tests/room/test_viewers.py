"""Open sockets are asked about in one statement of SQL; what it says is what the doors say."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from accounts.enums import Role
from accounts.models import Device, User
from courses.domain.roles import grant_role
from courses.enums import EnrolmentStatus, PublishStatus
from courses.models import Course, Enrolment, Programme, RoleGrant
from tests.factories.courses import EnrolmentFactory, ProgrammeFactory, RoleGrantFactory
from tests.factories.webinars import add_presenter
from tests.webinars.watching import NOON, make_device, make_enrolment, make_webinar
from webinars.domain.lanes import lanes_of
from webinars.domain.viewers import Knock, Viewer, admit, revoked
from webinars.enums import Lane, LaneAccessLevel, Restriction
from webinars.models import LaneAccess, PersonRestriction, Webinar
from webinars.realtime.frames import Bye
from webinars.rules import Part, part_of, webinars_for

pytestmark = pytest.mark.django_db


def viewer_of(user: User, webinar_id: int) -> Viewer:
    part = part_of(User.objects.get(pk=user.pk), Webinar.objects.get(pk=webinar_id))
    return Viewer(user.pk, make_device(user).pk, webinar_id, "en", part)


def grant(everywhere: bool, role: Role = Role.PRESENTER) -> Callable[[Enrolment], None]:
    def give(enrolment: Enrolment) -> None:
        RoleGrantFactory.create(user=enrolment.user, role=role, programme=None if everywhere else enrolment.programme)

    return give


def elsewhere(enrolment: Enrolment) -> None:
    RoleGrantFactory.create(user=enrolment.user, programme=ProgrammeFactory.create())


def root(enrolment: Enrolment) -> None:
    User.objects.filter(pk=enrolment.user_id).update(is_superuser=True)


def nothing(_: Enrolment) -> None:
    assert not RoleGrant.objects.exists()


@pytest.mark.parametrize(
    "power",
    [
        nothing,
        grant(False),
        grant(True),
        grant(False, Role.MODERATOR),
        grant(False, Role.SPONSOR),
        grant(True, Role.AUDITOR),
        elsewhere,
        root,
    ],
)
def test_a_socket_stays_exactly_while_the_door_is_open(power: Callable[[Enrolment], None]) -> None:
    enrolment = make_enrolment()
    webinar = make_webinar(enrolment)
    power(enrolment)
    user = User.objects.get(pk=enrolment.user_id)
    viewer = viewer_of(user, webinar.pk)
    doors, sockets = {}, {}
    for case in product(EnrolmentStatus, PublishStatus, PublishStatus):
        Enrolment.objects.update(status=case[0], completed_at=NOON)
        Programme.objects.update(status=case[1])
        Course.objects.update(status=case[2])
        doors[case] = webinars_for(user).filter(pk=webinar.pk).exists()
        sockets[case] = revoked([viewer]) == {}
    assert sockets == doors
    assert any(doors.values())


def test_archiving_a_programme_closes_the_sockets_of_its_doctors_only() -> None:
    ours, others = make_enrolment(), make_enrolment()
    mine, theirs = (viewer_of(one.user, make_webinar(one).pk) for one in (ours, others))
    assert revoked([mine, theirs]) == {}
    Programme.objects.filter(pk=ours.programme_id).update(status=PublishStatus.ARCHIVED)
    assert revoked([mine, theirs]) == {mine: Bye.NOT_ENROLLED}


def test_a_lecture_that_is_gone_keeps_nobody_not_even_staff() -> None:
    enrolment = make_enrolment()
    root(enrolment)
    viewer = viewer_of(enrolment.user, make_webinar(enrolment).pk)
    Webinar.objects.all().delete()
    assert revoked([viewer]) == {viewer: Bye.NOT_ENROLLED}


def listed(*people: str, role: Callable[[Enrolment], None] = nothing) -> Callable[[Enrolment, Webinar], None]:
    """On the webinar's own lists of people, with a role or without one."""

    def become(enrolment: Enrolment, webinar: Webinar) -> None:
        role(enrolment)
        for name in people:
            getattr(webinar, name).add(enrolment.user)

    return become


PARTS = [
    listed(),
    listed("presenters", role=grant(False)),
    listed("moderators"),
    listed("presenters"),
    listed("presenters", "moderators", role=grant(False)),
    listed("presenters", role=grant(True)),
    listed("presenters", role=grant(False, Role.SPONSOR)),
    listed("presenters", role=grant(False, Role.MODERATOR)),
    listed("presenters", role=elsewhere),
    listed(role=grant(False)),
    listed(role=grant(False, Role.MODERATOR)),
    listed(role=grant(True, Role.OPERATOR)),
    listed(role=elsewhere),
    listed(role=root),
]


@pytest.mark.parametrize("become", PARTS)
def test_who_comes_in_is_what_the_rules_say_and_a_changed_part_sends_them_round(
    become: Callable[[Enrolment, Webinar], object],
) -> None:
    enrolment = make_enrolment()
    webinar = make_webinar(enrolment)
    before = viewer_of(enrolment.user, webinar.pk)
    become(enrolment, webinar)
    user = User.objects.get(pk=enrolment.user_id)
    device = make_device(user)
    [found] = admit([Knock(device.session_key, webinar.pk)], now=NOON)
    assert found == Viewer(
        user.pk, device.pk, webinar.pk, "en", part_of(user, webinar), "IN", is_held_back=user.is_staff
    )
    assert revoked([found]) == {}
    assert revoked([before]) == ({} if found.part == Part.ATTENDEE else {before: None})


@pytest.mark.parametrize("people", ["moderators", "presenters"])
def test_a_list_of_people_alone_opens_nothing(people: str) -> None:
    """Whose role was taken back may still stand on it."""
    enrolment = make_enrolment()
    webinar = make_webinar(enrolment)
    getattr(webinar, people).add(enrolment.user)
    device = make_device(enrolment.user)

    [found] = admit([Knock(device.session_key, webinar.pk)], now=NOON)
    assert isinstance(found, Viewer)
    assert (part_of(enrolment.user, webinar), found.part) == (Part.ATTENDEE, Part.ATTENDEE)


def test_whose_role_is_taken_back_comes_back_to_the_room_as_a_doctor() -> None:
    enrolment = make_enrolment()
    webinar = make_webinar(enrolment)
    add_presenter(webinar, enrolment.user)
    presenting = viewer_of(enrolment.user, webinar.pk)
    assert (presenting.part, revoked([presenting])) == (Part.PRESENTER, {})
    enrolment.user.role_grants.all().delete()
    assert revoked([presenting]) == {presenting: None}
    assert viewer_of(enrolment.user, webinar.pk).part == Part.ATTENDEE


def test_sec_07_what_the_desk_hears_waits_for_the_second_step() -> None:
    enrolment = make_enrolment()
    webinar = make_webinar(enrolment)
    grant_role(user=enrolment.user, role=Role.MODERATOR, programme=enrolment.programme, granted_by=None, now=NOON)
    device = make_device(User.objects.get(pk=enrolment.user_id))

    [early] = admit([Knock(device.session_key, webinar.pk)], now=NOON)
    assert isinstance(early, Viewer)
    assert (early.part, early.reader.part) == (Part.MODERATOR, Part.ATTENDEE)
    Device.objects.filter(pk=device.pk).update(mfa_at=NOON)
    [later] = admit([Knock(device.session_key, webinar.pk)], now=NOON)
    assert isinstance(later, Viewer)
    assert (later.part, later.reader.part) == (Part.MODERATOR, Part.MODERATOR)


OWN = (None, *LaneAccessLevel)


@pytest.mark.parametrize("become", [PARTS[0], PARTS[1], PARTS[2]])
def test_who_reads_published_questions_is_said_as_the_lanes_say_it(
    become: Callable[[Enrolment, Webinar], object],
) -> None:
    enrolment = make_enrolment()
    webinar = make_webinar(enrolment)
    become(enrolment, webinar)
    Webinar.objects.filter(pk=webinar.pk).update(starts_at=NOON, live_at=NOON)
    webinar.refresh_from_db()
    user = User.objects.get(pk=enrolment.user_id)
    device, part = make_device(user), part_of(user, webinar)
    seen = set()
    for own, *of_part in product(OWN, OWN, OWN, OWN):
        LaneAccess.objects.all().delete()
        rows = [("", user, own), *((one.value, None, level) for one, level in zip(Part, of_part, strict=True))]
        LaneAccess.objects.bulk_create(
            LaneAccess(webinar=webinar, lane=Lane.PUBLISHED, role=role, user=person, level=level, set_at=NOON)
            for role, person, level in rows
            if level
        )
        [found] = admit([Knock(device.session_key, webinar.pk)], now=NOON)
        reads = lanes_of(webinar=webinar, user=user, part=part, now=NOON).may_read
        assert found == Viewer(user.pk, device.pk, webinar.pk, "en", part, "IN", reads, is_held_back=user.is_staff)
        other = replace(found, reads=not reads)
        assert revoked([found, other]) == {other: found}
        seen.add(reads)
    assert seen == {True, False}


def test_many_who_knock_at_once_are_told_apart() -> None:
    ours, others = make_enrolment(), make_enrolment()
    webinar, theirs = make_webinar(ours), make_webinar(others)
    in_time, ended, removed, disabled = (make_device(ours.user), *(make_device(make_doctor(ours)) for _ in range(3)))
    Device.objects.filter(pk=ended.pk).update(ended_at=NOON, ended_reason="revoked")
    User.objects.filter(pk=disabled.user_id).update(is_active=False)
    lifted = restrict(webinar, in_time.user, Restriction.REMOVED)
    PersonRestriction.objects.filter(pk=lifted.pk).update(lifted_at=NOON)
    restrict(webinar, in_time.user, Restriction.MUTED)
    restrict(webinar, removed.user, Restriction.REMOVED)
    keys = [in_time.session_key, "", "x" * 50, "\x00", ended.session_key, disabled.session_key]
    found = admit([Knock(key, webinar.pk) for key in keys], now=NOON)
    assert isinstance(found[0], Viewer)
    assert found[1:] == [Bye.SIGNED_OUT] * 5
    elsewhere = [theirs.pk, 10**17, webinar.pk]
    assert admit([Knock(removed.session_key, one) for one in elsewhere], now=NOON) == [
        Bye.NOT_ENROLLED,
        Bye.NOT_ENROLLED,
        Bye.REMOVED,
    ]
    late = NOON + timedelta(days=400)
    assert admit([Knock(in_time.session_key, webinar.pk)], now=late) == [Bye.SIGNED_OUT]


def make_doctor(enrolment: Enrolment) -> User:
    return EnrolmentFactory.create(programme=enrolment.programme).user


def restrict(webinar: Webinar, user: User, kind: Restriction) -> PersonRestriction:
    return PersonRestriction.objects.create(webinar=webinar, user=user, kind=kind, at=NOON)


def test_a_removed_person_may_not_stay() -> None:
    enrolment = make_enrolment()
    webinar = make_webinar(enrolment)
    viewer = viewer_of(enrolment.user, webinar.pk)
    restrict(webinar, enrolment.user, Restriction.MUTED)
    assert revoked([viewer]) == {}
    restrict(webinar, enrolment.user, Restriction.REMOVED)
    assert revoked([viewer]) == {viewer: Bye.REMOVED}


def test_a_disabled_account_is_signed_out() -> None:
    enrolment = make_enrolment()
    viewer = viewer_of(enrolment.user, make_webinar(enrolment).pk)
    User.objects.filter(pk=enrolment.user_id).update(is_active=False)
    assert revoked([viewer]) == {viewer: Bye.DEVICE_ENDED}
