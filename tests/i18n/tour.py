"""A tour through every page and mail a doctor can get, in as many of their states as there are words for."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core import mail
from django.db.models import F, Value
from django.db.models.functions import Concat
from django.template.loader import render_to_string
from django.test import Client
from django.test.signals import template_rendered
from django.utils import translation
from django.utils.timezone import now

from accounts import tasks
from accounts.domain import invitations
from accounts.models import User
from courses.models import Course, Lesson, Programme
from tests.i18n.catalogue import CODE
from tests.i18n.reader import untranslated, untranslated_text
from tests.signing_in import FIREFOX, signed_in

GREEK = "Γονιμότητα"
DAY = timedelta(days=1)


@dataclass
class Tour:
    """`found` are the words that did not come through gettext, by page."""

    found: dict[str, list[str]] = field(default_factory=dict)
    templates: set[str] = field(default_factory=set)

    @contextmanager
    def watching_templates(self) -> Iterator[None]:
        def note(template: Any, **_: Any) -> None:
            self.templates.add(str(template.name))

        template_rendered.connect(note)
        try:
            yield
        finally:
            template_rendered.disconnect(note)

    def note(self, label: str, problems: list[str]) -> None:
        if problems:
            self.found[label] = problems

    def read(self, browser: Client, path: str, label: str = "", status: int = 200, **form: Any) -> Any:
        """Posts when there is a form; follows to the page that a person ends on."""
        response = browser.post(path, form.get("data", form), follow=True) if form else browser.get(path, follow=True)
        assert response.status_code == status, (label or path, response.status_code)
        html = response.content.decode()
        assert f'<html lang="{CODE}"' in html, label or path
        self.note(label or path, untranslated(html))
        return response

    def read_part(self, browser: Client, path: str, label: str) -> None:
        """Of a page, as its script fetches it."""
        response = browser.get(path, headers={"x-fragment": "1"})
        assert (response.status_code, response["Content-Language"]) == (200, CODE), label
        html = response.content.decode()
        assert "<html" not in html, label
        self.note(label, untranslated(html))

    def read_template(self, name: str, **context: Any) -> None:
        with translation.override(CODE):
            self.note(name, untranslated(render_to_string(name, context)))

    def read_mails(self, send: Callable[[], object] = tasks.sweep) -> list[Any]:
        before = len(mail.outbox)
        send()
        sent: list[Any] = mail.outbox[before:]
        for message in sent:
            self.note(f"subject: {message.subject}", untranslated_text(message.subject))
            self.note(f"text of: {message.subject}", untranslated_text(str(message.body)))
            self.note(f"html of: {message.subject}", untranslated(str(message.alternatives[0][0])))
        return sent


def write_greek() -> None:
    """Whatever data there is: people and titles in letters that no message of ours has."""
    User.objects.update(
        title="Δρ", first_name="Ελένη", last_name="Νικολάου", specialty="Μαιευτική", medical_council="Ιατρικός",
        registration_number="4711", language=CODE, timezone="UTC",
    )  # fmt: skip
    Programme.objects.update(title=GREEK, society="Εταιρεία", summary="Δέκα μαθήματα")
    Course.objects.update(title=Concat(Value(GREEK + " "), F("position")), summary="Δύο διαλέξεις")
    Lesson.objects.update(title=GREEK, summary="Περίληψη")


def visitor() -> Client:
    browser = Client(HTTP_USER_AGENT=FIREFOX)
    browser.cookies[settings.LANGUAGE_COOKIE_NAME] = CODE
    return browser


def doctors_browser(user: User, **options: Any) -> Client:
    """Reads the user anew: `write_greek` writes behind the objects' backs."""
    with translation.override(CODE):
        return signed_in(User.objects.get(pk=user.pk), **options)


def arrive(user: User) -> Client:
    """Through the front door, a moment ago: what asks "is it really you?" does not ask this browser."""
    browser = visitor()
    _, token = invitations.invite(user=user, created_by=None, now=now())
    response = browser.post(f"/invitation/{token}/")
    assert response.status_code == 302
    return browser
