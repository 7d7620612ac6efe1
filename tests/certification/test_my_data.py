"""A doctor's own data: the page, the copy, and asking to be erased."""

import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.core.mail import EmailMessage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.admin import AsksForErasure, PersonAdmin
from accounts.domain.erasure import ask_for_erasure, withdraw_erasure
from accounts.enums import Role
from accounts.models import AuditEvent, User
from certification.domain.erasure import erase, look
from certification.domain.my_data import tell_office
from certification.tasks import tell_office as bell
from lms.schedule import SCHEDULE
from tests.certification.audited import make_audited
from tests.factories.accounts import UserFactory
from tests.factories.courses import RoleGrantFactory
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db
PAGE, COPY, ASK, WITHDRAW = (f"/account/data/{part}" for part in ("", "download/", "erasure/", "erasure/withdraw/"))


@pytest.fixture
def user() -> User:
    made: User = UserFactory.create(first_name="Zebediah")
    return made


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    bells: list[bool] = []
    monkeypatch.setattr(bell, "delay", lambda: bells.append(True))
    return bells


def text_of(browser: Client, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def taken(browser: Client) -> int:
    return browser.post(COPY).status_code


def asked(user: User) -> bool:
    user.refresh_from_db()
    return user.erasure_asked_at is not None


class TestThePage:
    def test_the_account_leads_there_and_it_leads_on(self, user: User) -> None:
        browser = signed_in(user)
        assert f'href="{PAGE}"' in text_of(browser, "/account/")
        text = text_of(browser, PAGE)
        assert f'action="{COPY}"' in text
        assert f'href="{ASK}"' in text
        assert WITHDRAW not in text

    def test_it_asks_for_a_sign_in(self) -> None:
        addresses = [PAGE, ASK]
        assert [Client().get(one).status_code for one in addresses] == [302, 302]
        assert [Client().post(one).status_code for one in (COPY, WITHDRAW)] == [302, 302]

    def test_reading_changes_nothing(self, user: User) -> None:
        browser = signed_in(user)
        assert [browser.get(one).status_code for one in (COPY, WITHDRAW)] == [405, 405]
        text_of(browser, ASK)
        assert not asked(user)
        assert not AuditEvent.objects.filter(action__in=["erasure.asked", "person.data_taken"]).exists()


class TestTheCopy:
    def test_has_everything_of_theirs_and_is_recorded(self) -> None:
        mine = make_audited(doctor=UserFactory.create(first_name="Zebediah"))
        other = make_audited(doctor=UserFactory.create(first_name="Somebodyelse", last_name="Unrelated"))
        answer = signed_in(mine.doctor).post(COPY)
        assert (answer["Content-Type"], answer["Cache-Control"]) == ("application/zip", "private, no-store")
        assert answer["Content-Disposition"] == 'attachment; filename="my-data.zip"'
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            whole = "".join(archive.read(name).decode() for name in archive.namelist())
            account = json.loads(archive.read("account.json"))
        assert account["profile"]["email"] == mine.doctor.email
        assert mine.certificate.number in whole
        assert [word for word in ("Somebodyelse", "Unrelated", other.doctor.email) if word in whole] == []
        event = AuditEvent.objects.get(action="person.data_taken")
        assert (event.actor, event.subject_id) == (mine.doctor, str(mine.doctor.pk))

    def test_not_without_end(self, user: User) -> None:
        browser = signed_in(user)
        assert [taken(browser) for _ in range(7)] == [200] * 6 + [429]
        assert taken(signed_in(UserFactory.create())) == 200

    def test_the_number_of_queries_does_not_grow(self) -> None:
        doctor = UserFactory.create()
        counts = []
        for _ in range(2):
            mine = make_audited(doctor=doctor)
            browser = signed_in(mine.doctor)
            with CaptureQueriesContext(connection) as found:
                taken(browser)
            counts.append(len(found))
        assert counts[0] == counts[1]


class TestErasure:
    def test_is_confirmed_by_post_told_to_the_office_and_can_be_withdrawn(
        self, user: User, rung: list[bool], mailoutbox: list[EmailMessage], django_capture_on_commit_callbacks: Any
    ) -> None:
        operator = RoleGrantFactory.create(role=Role.OPERATOR, programme=None).user
        RoleGrantFactory.create(role=Role.OPERATOR)  # of one programme: people are not theirs
        RoleGrantFactory.create(role=Role.MODERATOR, programme=None)
        RoleGrantFactory.create(role=Role.OPERATOR, programme=None, user__is_active=False)
        browser = signed_in(user)
        for _ in range(2):
            with django_capture_on_commit_callbacks(execute=True):
                assert browser.post(ASK)["Location"] == PAGE
        assert (asked(user), rung) == (True, [True])
        assert "You asked to be erased" in text_of(browser, PAGE)
        assert (tell_office(now=timezone.now()), tell_office(now=timezone.now())) == (1, 0)
        (message,) = mailoutbox
        assert message.to == [operator.email]
        assert f"/admin/accounts/user/{user.pk}/change/" in str(message.body)
        assert user.last_name not in str(message.body)
        browser.post(WITHDRAW)
        assert not asked(user)
        browser.post(WITHDRAW)
        assert "You asked to be erased" not in text_of(browser, PAGE)
        events = AuditEvent.objects.filter(action__startswith="erasure.").order_by("pk")
        assert [(one.action, one.actor) for one in events] == [("erasure.asked", user), ("erasure.withdrawn", user)]

    def test_asked_anew_the_office_hears_it_anew(self, user: User, mailoutbox: list[EmailMessage]) -> None:
        RoleGrantFactory.create(role=Role.OPERATOR, programme=None)
        for _ in range(2):
            assert ask_for_erasure(user=user, now=timezone.now())
            assert tell_office(now=timezone.now()) == 1
            assert withdraw_erasure(user=user, now=timezone.now())
        assert len(mailoutbox) == 2

    def test_while_nobody_is_there_to_hear_it_it_waits(self, user: User, mailoutbox: list[EmailMessage]) -> None:
        ask_for_erasure(user=user, now=timezone.now())
        assert (bell(), mailoutbox) == (0, [])
        UserFactory.create(is_superuser=True)
        assert (bell(), len(mailoutbox)) == (1, 1)
        assert "certification.tell_office" in {one["task"] for one in SCHEDULE.values()}

    def test_says_until_when_something_is_kept(self) -> None:
        mine = make_audited(at=timezone.now() - timedelta(days=2))
        until = max(one.until for one in look(user=mine.doctor, now=timezone.now()).kept if one.until)
        text = text_of(signed_in(mine.doctor), ASK)
        assert f"Until {until.day} {until:%B %Y} at the latest." in text
        assert "at the latest" not in text_of(signed_in(UserFactory.create()), ASK)

    def test_who_still_has_work_is_told_to_hand_it_over(self, user: User) -> None:
        RoleGrantFactory.create(user=user)
        browser = signed_in(user)
        assert "You still have work here" in text_of(browser, ASK)
        assert browser.post(ASK).status_code == 200
        assert not asked(user)

    def test_the_request_goes_with_the_person(self, user: User) -> None:
        ask_for_erasure(user=user, now=timezone.now())
        user.refresh_from_db()
        erase(user=user, now=timezone.now())
        assert not asked(user)

    def test_the_office_finds_who_asks(self, user: User) -> None:
        ask_for_erasure(user=user, now=timezone.now())
        user.refresh_from_db()
        people = PersonAdmin(User, admin.site)
        found = AsksForErasure(None, {"erasure": ["asked"]}, User, people).queryset(None, User.objects.all())  # type: ignore[arg-type]
        assert list(found or ()) == [user]
        assert f"erase_person {user.email} --dry-run" in people.erasure_asked(user)
        assert people.erasure_asked(UserFactory.create()) == "No"
