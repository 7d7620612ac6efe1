"""The audit trail as an operator reads it: words in the list, everything that was recorded on an event's own page."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from django.utils.timezone import now

from accounts.domain import invitations
from accounts.domain.audit import record
from accounts.domain.audit_words import words_of
from accounts.enums import AUDIT_ACTIONS, Role
from accounts.models import AuditEvent, User
from core.time import when
from tests.factories.accounts import UserFactory
from tests.factories.courses import ProgrammeFactory, RoleGrantFactory
from tests.signing_in import signed_in
from webinars.domain.answers import Move

TRAIL = "/admin/accounts/auditevent/"
APPS = ("accounts", "analytics", "assessments", "core", "courses", "lms", "media", "webinars")
CODE = re.compile(r"[a-z_]+(\.[a-z_]+)?")


@pytest.fixture
def browser(db: None) -> Client:
    return signed_in(RoleGrantFactory.create(role=Role.OPERATOR, programme=None).user)


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def codes_in(source: str) -> set[str]:
    """The codes that calls of `record` are given as they are, or by a choice between two."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and node.args and _name(node.func) in {"record", "_record", "log", "_log"}:
            given = node.args[0]
            for one in (given.body, given.orelse) if isinstance(given, ast.IfExp) else (given,):
                if isinstance(one, ast.Constant) and isinstance(one.value, str) and CODE.fullmatch(one.value):
                    found.add(one.value)
    return found


def _name(called: ast.expr) -> str:
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def test_every_action_that_is_recorded_has_words() -> None:
    sources = [path for app in APPS for path in sorted((Path(settings.BASE_DIR) / app).rglob("*.py"))]
    codes = {code for path in sources for code in codes_in(path.read_text())}
    assert {"sign_in.done", "sign_out", "role.granted", "video.deleted"} <= codes
    codes |= {f"question.{move}" for move in Move}
    codes |= {f"{what}.{look}" for what in ("credits", "ledger") for look in ("listed", "read")}
    assert codes - set(AUDIT_ACTIONS) == set(), "accounts/enums.py says what a code means"


def test_the_list_names_actions_and_people(browser: Client) -> None:
    doctor = UserFactory.create(first_name="Meera", last_name="Nair")
    programme = ProgrammeFactory.create()
    record("person.disabled", actor=doctor, subject=doctor, address="::1", now=now())
    record("something.of_old", subject=programme, now=now())

    page = text_of(browser.get(TRAIL).content.decode())

    assert "Account disabled" in page
    assert f"person: {doctor.get_full_name()}" in page
    assert "something.of_old" in page
    assert f"programme {programme.pk}" in page
    assert "::1" not in page
    assert "accounts.user" not in page


def test_an_event_shows_all_that_was_recorded(browser: Client) -> None:
    doctor = UserFactory.create()
    details = {"by_rule": True, "fields": ["email", "phone"], "old": {"country": "KE"}, "note": "", "html": "<b>"}
    event = record("person.changed", subject=doctor, address="::1", details=details, now=now())

    html = browser.get(f"{TRAIL}{event.pk}/change/").content.decode()
    page = text_of(html)

    for line in ("Person changed", "By rule: yes", "Fields: email, phone", "Old: country KE", "Note: –"):
        assert line in page
    assert "Html: &lt;b&gt;" in html
    assert "::1 (the server itself)" in page
    assert f"{doctor} · {doctor.pk}" in page
    assert "person.changed" in page
    assert str(event) == f"Person changed · {when(event.at)}"
    assert page.count("person.changed") == 1, "the code stands beside its label, and is no heading"


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("accounts.user", "9" * 30),
        ("accounts.user", "x"),
        ("gone.model", "1"),
        ("no label", "1"),
        ("accounts.device", "no-uuid"),
        ("", ""),
    ],
)
def test_objects_that_are_gone_break_neither_list_nor_page(browser: Client, kind: str, number: str) -> None:
    event = AuditEvent.objects.create(at=now(), action="person.viewed", subject_type=kind, subject_id=number)
    assert browser.get(TRAIL).status_code == 200
    assert browser.get(f"{TRAIL}{event.pk}/change/").status_code == 200


def test_only_staff_miss_a_second_step(browser: Client) -> None:
    UserFactory.create(email="doctor@example.org")
    RoleGrantFactory.create(user=UserFactory.create(email="staff@example.org"), role=Role.MODERATOR)

    def row(email: str) -> str:
        (found,) = browser.get("/admin/accounts/user/", {"q": email}).context["cl"].result_list
        return str(browser_admin().second_step(found))

    assert row("doctor@example.org") == "–"
    assert "Missing" in row("staff@example.org")


def browser_admin() -> Any:
    from django.contrib import admin

    return admin.site.get_model_admin(User)


def test_an_invitation_offers_nothing_to_save(browser: Client) -> None:
    person = UserFactory.create()
    invitation, _token = invitations.invite(user=person, created_by=None, now=now())
    html = browser.get(f"/admin/accounts/invitation/{invitation.pk}/change/").content.decode()
    assert 'name="_save"' not in html
    assert 'name="_continue"' not in html
    with timezone.override("Asia/Kolkata"):
        assert when(invitation.created_at) in html


def test_unknown_codes_are_shown_as_they_are() -> None:
    assert words_of("sign_out") == "Signed out"
    assert words_of("door.painted") == "door.painted"
