from datetime import UTC, datetime

import pytest
from django.contrib.contenttypes.models import ContentType

from accounts.enums import Role
from accounts.models import AuditEvent, User
from courses.domain.roles import RoleError, grant_role, revoke_role
from courses.models import RoleGrant
from tests.factories.accounts import UserFactory
from tests.factories.courses import ProgrammeFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def grant(user: User, role: str, by: User | None = None, **where: object) -> RoleGrant:
    programme = where["programme"] if "programme" in where else ProgrammeFactory()
    return grant_role(user=user, role=role, programme=programme, granted_by=by, now=NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("role", "is_staff"),
    [
        (Role.PRESENTER, False),
        (Role.SPONSOR, False),
        (Role.AUDITOR, True),
        (Role.MODERATOR, True),
        (Role.OPERATOR, True),
    ],
)
def test_only_roles_of_the_office_open_the_admin_and_only_while_they_last(role: str, is_staff: bool) -> None:
    user = UserFactory()
    made = grant(user, role)
    assert User.objects.get(pk=user.pk).is_staff is is_staff
    assert revoke_role(grant=made, revoked_by=None, now=NOW)
    assert User.objects.get(pk=user.pk).is_staff is False


def test_the_second_staff_role_keeps_the_admin_open() -> None:
    user = UserFactory()
    first, second = grant(user, Role.MODERATOR), grant(user, Role.MODERATOR)
    revoke_role(grant=first, revoked_by=None, now=NOW)
    assert User.objects.get(pk=user.pk).is_staff is True
    revoke_role(grant=second, revoked_by=None, now=NOW)
    assert User.objects.get(pk=user.pk).is_staff is False


def test_a_superuser_keeps_the_admin_without_any_role() -> None:
    root = UserFactory(is_superuser=True, is_staff=True)
    revoke_role(grant=grant(root, Role.MODERATOR), revoked_by=None, now=NOW)
    assert User.objects.get(pk=root.pk).is_staff is True


def test_twice_is_once() -> None:
    user, programme = UserFactory(), ProgrammeFactory()
    first = grant(user, Role.SPONSOR, programme=programme)
    assert grant(user, Role.SPONSOR, programme=programme) == first
    everywhere = grant(user, Role.SPONSOR, programme=None)
    assert grant(user, Role.SPONSOR, programme=None) == everywhere != first
    assert revoke_role(grant=first, revoked_by=None, now=NOW) is True
    assert revoke_role(grant=first, revoked_by=None, now=NOW) is False
    assert list(RoleGrant.objects.all()) == [everywhere]


@pytest.mark.parametrize("role", [Role.DOCTOR, "king"])
def test_no_other_role_can_be_granted(role: str) -> None:
    with pytest.raises(RoleError):
        grant(UserFactory(), role)
    assert not RoleGrant.objects.exists()


def test_sec_32_every_change_of_a_role_is_in_the_audit_trail_once() -> None:
    user, operator, programme = UserFactory(), UserFactory(), ProgrammeFactory(slug="fertility")
    made = grant(user, Role.MODERATOR, operator, programme=programme)
    grant(user, Role.MODERATOR, operator, programme=programme)
    revoke_role(grant=made, revoked_by=operator, now=NOW)
    events = AuditEvent.objects.filter(action__startswith="role.").order_by("pk")
    details = {"role": "moderator", "programme": "fertility"}
    assert [(one.action, one.actor, one.subject_id, one.details, one.at) for one in events] == [
        ("role.granted", operator, str(user.pk), details, NOW),
        ("role.revoked", operator, str(user.pk), details, NOW),
    ]


@pytest.mark.parametrize(
    ("role", "everywhere", "may", "may_not"),
    [
        (
            Role.MODERATOR,
            False,
            {"courses.change_programme", "courses.add_course", "courses.view_enrolment", "media.add_video"},
            {"courses.delete_course", "courses.view_rolegrant", "accounts.view_user", "media.delete_video"},
        ),
        (
            Role.OPERATOR,
            False,
            {"courses.add_rolegrant", "courses.delete_course"},
            {"accounts.view_user", "media.delete_video", "courses.delete_programme"},
        ),
        (Role.OPERATOR, True, {"accounts.view_user", "media.delete_video", "courses.delete_programme"}, set()),
        (
            Role.AUDITOR,
            True,
            {"certification.view_claim", "certification.view_ledgerentry"},
            {"courses.view_programme", "accounts.view_auditevent", "certification.view_certificate"},
        ),
    ],
)
def test_the_admins_permissions_follow_from_the_roles(
    role: str, everywhere: bool, may: set[str], may_not: set[str]
) -> None:
    user = UserFactory()
    grant(user, role, **({"programme": None} if everywhere else {}))
    assert {name for name in may | may_not if user.has_perm(name)} == may
    assert user.has_module_perms("courses") is (role in {Role.MODERATOR, Role.OPERATOR})
    assert User.objects.get(pk=user.pk).has_perm("courses.view_programme") is (role in {Role.MODERATOR, Role.OPERATOR})


def test_every_permission_of_the_matrix_exists() -> None:
    """A misspelt model would silently take a right away."""
    from lms.backends import EVERYWHERE

    known = {f"{one.app_label}.{one.model}" for one in ContentType.objects.all()}
    assert set(EVERYWHERE) <= known


def test_a_disabled_moderator_has_no_permission() -> None:
    user = UserFactory(is_active=False)
    grant(user, Role.MODERATOR)
    assert user.get_all_permissions() == set()
