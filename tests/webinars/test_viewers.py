"""Open sockets are asked about in one statement of SQL; what it says is what the doors say."""

from collections.abc import Callable
from itertools import product

import pytest

from accounts.enums import Role
from accounts.models import User
from courses.enums import EnrolmentStatus, PublishStatus
from courses.models import Course, Enrolment, Programme, RoleGrant
from tests.factories.courses import ProgrammeFactory, RoleGrantFactory
from tests.webinars.watching import NOON, make_device, make_enrolment, make_webinar
from webinars.domain.viewers import Viewer, revoked
from webinars.models import Webinar
from webinars.realtime.frames import Bye
from webinars.rules import webinars_for

pytestmark = pytest.mark.django_db


def viewer_of(user: User, webinar_id: int) -> Viewer:
    return Viewer(user_id=user.pk, device_id=make_device(user).pk, webinar_id=webinar_id, language="en")


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


def test_a_disabled_account_is_signed_out() -> None:
    enrolment = make_enrolment()
    viewer = viewer_of(enrolment.user, make_webinar(enrolment).pk)
    User.objects.filter(pk=enrolment.user_id).update(is_active=False)
    assert revoked([viewer]) == {viewer: Bye.DEVICE_ENDED}
