"""The door that every account comes through."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from accounts import tasks
from accounts.domain import invitations
from accounts.domain.secrets import TOKEN_BYTES, hash_token
from accounts.enums import InvitationState, SignInMethod
from accounts.models import AuditEvent, Device, Invitation, SignInRequest, User
from courses.enums import EnrolmentStatus
from courses.models import Enrolment
from tests.accounts.helpers import NOW, deliver, link_in
from tests.factories.accounts import UserFactory
from tests.factories.courses import EnrolmentFactory
from tests.signing_in import device_of

pytestmark = pytest.mark.django_db


def page(token: str) -> str:
    return reverse("accounts:invitation", args=[token])


def test_sec_02_the_token_is_long_random_and_kept_as_a_hash_only(doctor: User) -> None:
    first, token = invitations.invite(user=doctor, created_by=None, now=NOW)
    second, other = invitations.invite(user=doctor, created_by=None, now=NOW)

    assert TOKEN_BYTES * 8 >= 128
    assert len(token) == len(other) == 43
    assert token != other
    assert bytes(second.token_hash or b"") == hash_token(other)
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(i)::text FROM accounts_invitation i")
        assert not [row for (row,) in cursor.fetchall() if token in row or other in row]
    assert first.pk != second.pk


def test_sec_02_looking_does_not_use_it_and_the_button_does(client: Client, doctor: User) -> None:
    EnrolmentFactory.create(user=doctor, status=EnrolmentStatus.INVITED)
    invitation, token = invitations.invite(user=doctor, created_by=None, now=now(), next_path="/account/")

    for _ in range(3):
        assert client.get(page(token)).status_code == 200
    assert Invitation.objects.open().get() == invitation
    assert "_auth_user_id" not in client.session

    response = client.post(page(token), {"timezone": "Europe/Berlin"})

    assert (response.status_code, response["Location"]) == (302, "/account/")
    assert not Invitation.objects.open().exists()
    assert client.session["_auth_user_id"] == str(doctor.pk)
    assert device_of(client).method == SignInMethod.INVITATION
    assert Enrolment.objects.get(user=doctor).status == EnrolmentStatus.ACTIVE
    assert list(AuditEvent.objects.order_by("id").values_list("action", flat=True)) == [
        "invitation.created",
        "invitation.used",
        "sign_in.done",
    ]


def test_sec_02_it_opens_once(doctor: User) -> None:
    _, token = invitations.invite(user=doctor, created_by=None, now=now())
    Client().post(page(token))

    second = Client()
    response = second.post(page(token))

    assert response.status_code == 410
    assert "You have used this invitation already" in response.content.decode()
    assert "_auth_user_id" not in second.session


@pytest.mark.django_db(transaction=True)
def test_sec_02_of_two_racing_clicks_one_gets_in() -> None:
    doctor = UserFactory.create()
    _, token = invitations.invite(user=doctor, created_by=None, now=now())
    barrier = threading.Barrier(2)
    answers: list[str] = []

    def click() -> None:
        barrier.wait(timeout=60)
        try:
            invitations.accept(token=token, now=now())
            answers.append("in")
        except invitations.InvitationUsedError:
            answers.append("used")
        finally:
            connection.close()

    threads = [threading.Thread(target=click) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert sorted(answers) == ["in", "used"]
    assert AuditEvent.objects.filter(action="invitation.used").count() == 1


def test_sec_02_an_expired_one_opens_nothing_and_helps(client: Client, doctor: User) -> None:
    _, token = invitations.invite(user=doctor, created_by=None, now=now() - timedelta(days=31))

    shown, pressed = client.get(page(token)), client.post(page(token))

    assert (shown.status_code, pressed.status_code) == (410, 410)
    assert "Your place is still kept" in shown.content.decode()
    assert "_auth_user_id" not in client.session


def test_sec_02_a_revoked_one_opens_nothing_by_any_way(client: Client, doctor: User) -> None:
    invitation, token = invitations.invite(user=doctor, created_by=None, now=now())
    assert invitations.revoke(invitation=invitation, actor=None, now=now())
    assert not invitations.revoke(invitation=invitation, actor=None, now=now())

    assert client.post(page(token)).status_code == 410
    client.post(reverse("accounts:invitation_new", args=[token]))
    assert deliver() == []
    client.post(reverse("account_login"), {"email": doctor.email})
    assert deliver() == []


def test_sec_02_it_is_bound_to_the_person(client: Client, doctor: User) -> None:
    """Whoever presses the button of a forwarded e-mail is its owner, and a new link goes to the owner's mailbox."""
    stranger = UserFactory.create()
    _, token = invitations.invite(user=doctor, created_by=None, now=now() - timedelta(days=31))

    client.post(reverse("accounts:invitation_new", args=[token]), {"email": stranger.email})

    assert [message.to for message in deliver()] == [[doctor.email]]


def test_sec_02_resending_makes_a_new_token_and_ends_the_old_one(client: Client, doctor: User) -> None:
    invitation, token = invitations.invite(user=doctor, created_by=None, now=now(), occasion="Fertility 2026")

    again = invitations.resend(invitation=invitation, actor=None, now=now())
    (message,) = deliver()

    assert message.subject == "Your invitation: Fertility 2026"
    assert client.get(page(token)).status_code == 410
    assert client.get(link_in(message)).status_code == 200
    again.refresh_from_db()
    assert again.state(now()) == InvitationState.SENT
    assert Invitation.objects.open().get() == again


def test_asking_twice_sends_once(doctor: User) -> None:
    for _ in range(2):
        invitations.queue_invitations(user_ids=[doctor.pk], created_by=None, now=now())

    assert [message.to for message in deliver()] == [[doctor.email]]
    assert deliver() == []


def test_held_invitations_wait(doctor: User) -> None:
    invitations.queue_invitations(user_ids=[doctor.pk], created_by=None, now=now(), send=False)

    assert deliver() == []
    assert Invitation.objects.get().state(now()) == InvitationState.HELD


def test_what_was_held_back_for_longer_than_its_life_is_still_sent(doctor: User) -> None:
    invitations.queue_invitations(user_ids=[doctor.pk], created_by=None, now=now(), send=False)
    later = now() + timedelta(days=31)
    held = list(Invitation.objects.values_list("pk", flat=True))

    assert invitations.release(invitation_ids=held, actor=None, now=later) == 1
    assert invitations.send_queued(now=later) == 1
    assert Invitation.objects.get().expires_at > later


def test_what_is_just_being_sent_is_not_released(doctor: User) -> None:
    invitations.queue_invitations(user_ids=[doctor.pk], created_by=None, now=now())
    row, at = Invitation.objects.get(), now()
    minute = timedelta(minutes=1)

    def release() -> int:
        return invitations.release(invitation_ids=[row.pk], actor=None, now=at)

    Invitation.objects.update(claimed_at=at - 4 * minute)  # a worker's
    assert release() == 0
    Invitation.objects.update(claimed_at=at - 5 * minute)  # refused just now, and tried again in five minutes
    assert release() == 1
    assert Invitation.objects.get().claimed_at is None


def test_one_task_sends_one_batch_and_the_next_minute_goes_on(mailoutbox: list[object]) -> None:
    people = UserFactory.create_batch(invitations.BATCH + 2)
    invitations.queue_invitations(user_ids=[person.pk for person in people], created_by=None, now=now())

    tasks.send_invitations()
    assert len(mailoutbox) == invitations.BATCH
    tasks.send_invitations(until=now().timestamp() - 1)
    assert len(mailoutbox) == len(people)


def test_a_new_link_after_a_used_one_is_a_sign_in_mail(client: Client, doctor: User) -> None:
    _, token = invitations.invite(user=doctor, created_by=None, now=now())
    Client().post(page(token))

    response = client.post(reverse("accounts:invitation_new", args=[token]))
    (message,) = deliver()

    assert response["Location"] == reverse("accounts:sign_in_code")
    assert client.post(link_in(message)).status_code == 302
    assert client.session["_auth_user_id"] == str(doctor.pk)


@pytest.mark.parametrize("token", ["x", "a" * 43, "a" * 5000, "%00", "é" * 20])
def test_an_unknown_token_gets_a_helpful_page(client: Client, token: str) -> None:
    response = client.get(f"/invitation/{token}/")

    assert response.status_code == 410
    assert "Sign in by e-mail" in response.content.decode()
    assert SignInRequest.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_each_invitation_once(mailoutbox: list[object]) -> None:
    people = UserFactory.create_batch(30)
    invitations.queue_invitations(user_ids=[person.pk for person in people], created_by=None, now=now())

    def work() -> None:
        try:
            invitations.send_queued(now=now())
        finally:
            connection.close()

    _in_parallel(work, 2)

    assert len(mailoutbox) == 30
    assert Invitation.objects.filter(sent_at=None).count() == 0


def _in_parallel(work: Callable[[], None], count: int) -> None:
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)


def test_a_signed_in_person_who_takes_another_invitation_changes_places(client: Client, doctor: User) -> None:
    other = UserFactory.create()
    client.force_login(other)
    _, token = invitations.invite(user=doctor, created_by=None, now=now())

    client.post(page(token))

    assert client.session["_auth_user_id"] == str(doctor.pk)
    assert [device.user_id for device in Device.objects.open()] == [doctor.pk]
