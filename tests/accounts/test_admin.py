"""Operators and people: each page for whom it is, each action by one domain call."""

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from accounts.domain import invitations
from accounts.enums import DeviceEnd, InvitationState, Role
from accounts.models import AuditEvent, Device, Invitation, User
from tests.accounts.helpers import deliver
from tests.factories.accounts import UserFactory
from tests.factories.courses import ProgrammeFactory, RoleGrantFactory
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db

LISTS = [f"/admin/accounts/{name}/" for name in ("user", "invitation", "device", "auditevent")]
PEOPLE = "/admin/accounts/user/"
INVITATIONS = "/admin/accounts/invitation/"


@pytest.fixture
def operator(db: None) -> User:
    user: User = RoleGrantFactory.create(role=Role.OPERATOR, programme=None).user
    return user


@pytest.fixture
def browser(operator: User) -> Client:
    return signed_in(operator)


def act(browser: Client, path: str, action: str, *rows: User | Invitation) -> None:
    response = browser.post(path, {"action": action, "_selected_action": [row.pk for row in rows]})
    assert response.status_code == 302, response.content.decode()[:2000]


@pytest.mark.parametrize("path", LISTS)
def test_who_may_see_the_lists(browser: Client, doctor: User, path: str) -> None:
    programme = ProgrammeFactory.create()
    answers = {}
    for role in (Role.MODERATOR, Role.OPERATOR):
        person = RoleGrantFactory.create(role=role, programme=programme).user
        answers[f"{role} of one programme"] = signed_in(person).get(path).status_code
    answers["operator of all"] = browser.get(path).status_code
    answers["doctor"] = signed_in(doctor).get(path).status_code
    answers["nobody"] = Client().get(path).status_code

    assert answers == {
        "moderator of one programme": 403,
        "operator of one programme": 403,
        "operator of all": 200,
        "doctor": 302,
        "nobody": 302,
    }


@pytest.mark.parametrize("path", LISTS)
def test_lists_cost_the_same_for_one_row_and_for_many(browser: Client, path: str) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert browser.get(path).status_code == 200
        return len(captured)

    def more(count: int) -> None:
        for person in UserFactory.create_batch(count):
            invitations.invite(user=person, created_by=None, now=now())
            Client().force_login(person)

    more(1)
    queries()
    one = queries()
    more(5)

    assert queries() == one


def test_a_person_is_added_without_a_password_and_invited(browser: Client, operator: User) -> None:
    given = {"email": "New@Example.org", "last_name": "Lima", "timezone": "America/Lima", "language": "en"}
    response = browser.post(f"{PEOPLE}add/", given)
    assert response.status_code == 302, response.context["adminform"].form.errors
    person = User.objects.get(email="new@example.org")
    assert not person.has_usable_password()

    act(browser, PEOPLE, "invite", person)

    assert [message.to for message in deliver()] == [["new@example.org"]]
    assert AuditEvent.objects.get(action="person.added").actor == operator


def test_an_address_somebody_has_is_told(browser: Client, doctor: User) -> None:
    given = {"email": doctor.email.upper(), "timezone": "UTC", "language": "en"}

    response = browser.post(f"{PEOPLE}add/", given)

    assert list(response.context["adminform"].form.errors) == ["email"]


def test_a_new_address_closes_what_the_old_mailbox_could_open(browser: Client, doctor: User) -> None:
    phone = signed_in(doctor)
    invitations.invite(user=doctor, created_by=None, now=now())
    Client().post("/sign-in/", {"email": doctor.email})
    given = {"email": "meera@new.example.org", "last_name": "Nair", "timezone": "Asia/Kolkata", "language": "en"}

    browser.post(f"{PEOPLE}{doctor.pk}/change/", given | {"is_superuser": "on", "is_staff": "on"})

    doctor.refresh_from_db()
    assert (doctor.email, doctor.is_superuser, doctor.is_staff) == ("meera@new.example.org", False, False)
    assert phone.get("/account/").status_code == 302
    assert deliver() == []
    assert not Invitation.objects.open().exists()
    assert "email" in AuditEvent.objects.get(action="person.changed").details["fields"]


def test_people_are_disabled_enabled_and_signed_out(browser: Client, doctor: User) -> None:
    signed_in(doctor)
    act(browser, PEOPLE, "sign_out_everywhere", doctor)
    assert Device.objects.get(user=doctor).ended_reason == DeviceEnd.REVOKED
    signed_in(doctor)
    act(browser, PEOPLE, "disable", doctor)
    doctor.refresh_from_db()
    assert not doctor.is_active
    assert not Device.objects.open().filter(user=doctor).exists()
    act(browser, PEOPLE, "enable", doctor)
    doctor.refresh_from_db()
    assert doctor.is_active


def test_an_operator_neither_locks_out_themselves_nor_touches_superusers(browser: Client, operator: User) -> None:
    root = UserFactory.create(is_superuser=True, is_staff=True)
    for action in ("disable", "reset_second_step", "sign_out_everywhere"):
        act(browser, PEOPLE, action, operator, root)

    operator.refresh_from_db()
    root.refresh_from_db()
    assert (operator.is_active, root.is_active) == (True, True)
    assert browser.get(PEOPLE).status_code == 200
    given = {"email": "mine@example.org", "timezone": "UTC", "language": "en"}
    assert browser.post(f"{PEOPLE}{root.pk}/change/", given).status_code == 403
    assert not User.objects.filter(email="mine@example.org").exists()


def test_nobody_is_deleted_and_nothing_read_only_is_changed(browser: Client, doctor: User) -> None:
    device = Device.objects.get()
    event = AuditEvent.objects.first()
    assert event is not None
    for path in (
        f"{PEOPLE}{doctor.pk}/delete/",
        f"/admin/accounts/device/{device.pk}/delete/",
        f"/admin/accounts/device/{device.pk}/change/",
        f"/admin/accounts/auditevent/{event.pk}/delete/",
        f"/admin/accounts/auditevent/{event.pk}/change/",
        "/admin/accounts/auditevent/add/",
        "/admin/accounts/device/add/",
        f"{INVITATIONS}add/",
    ):
        assert browser.post(path, {"post": "yes", "name": "x", "action": "x"}).status_code == 403, path
    browser.post(PEOPLE, {"action": "delete_selected", "_selected_action": [doctor.pk], "post": "yes"})
    assert User.objects.filter(pk=doctor.pk).exists()


def test_an_invitation_by_an_operator_is_in_the_audit_trail(browser: Client, operator: User, doctor: User) -> None:
    other = UserFactory.create()
    for _ in range(2):  # the second time nobody is invited, and nothing is written
        act(browser, PEOPLE, "invite", doctor, other)

    event = AuditEvent.objects.get(action="invitation.queued")
    assert event.actor == operator
    assert event.details == {"users": sorted([doctor.pk, other.pk]), "occasion": "", "held": False}


def test_invitations_are_sent_again_withdrawn_and_released(browser: Client, doctor: User) -> None:
    invitations.queue_invitations(user_ids=[doctor.pk], created_by=None, now=now(), send=False)
    assert deliver() == []

    act(browser, INVITATIONS, "send_held", Invitation.objects.get())
    assert len(deliver()) == 1
    act(browser, INVITATIONS, "resend", Invitation.objects.get())
    assert len(deliver()) == 1
    act(browser, INVITATIONS, "revoke", Invitation.objects.open().get())

    assert sorted(one.state(now()) for one in Invitation.objects.all()) == [InvitationState.REVOKED] * 2
    assert browser.get(f"{INVITATIONS}{Invitation.objects.first().pk}/change/").status_code == 200  # type: ignore[union-attr]


def test_the_details_of_every_kind_open(browser: Client) -> None:
    for path in (
        f"/admin/accounts/device/{Device.objects.get().pk}/change/",
        f"/admin/accounts/auditevent/{AuditEvent.objects.order_by('id')[0].pk}/change/",
    ):
        assert browser.get(path).status_code == 200


def test_searching_by_a_broken_number_is_no_error(browser: Client) -> None:
    for path in LISTS:
        assert browser.get(path, {"q": "'\"%_\\ ☃ \x00"[:-1]}).status_code == 200


@pytest.mark.parametrize("model", [Group, EmailAddress, Authenticator])
def test_nothing_else_of_identity_is_in_the_admin(model: type) -> None:
    admin.autodiscover()  # which otherwise waits for the first page

    assert admin.site.is_registered(User)
    assert not admin.site.is_registered(model)
