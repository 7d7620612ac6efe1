"""The words of messages in the office: who reads them, who changes them, and what is seen while they are written."""

import html
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_redis import get_redis_connection

from accounts.enums import Role
from accounts.models import AuditEvent, User
from reminders.domain.builtin_words import built_in_set
from reminders.domain.templates import copy_set, mark_used
from reminders.enums import Channel, Kind
from reminders.models import Delivery, MessageTemplate, TemplateSet
from tests.factories.courses import EnrolmentFactory, ProgrammeFactory, RoleGrantFactory
from tests.reminders.factories import NOW, TemplateSetFactory, scene
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db
SETS, TEMPLATES = "/admin/reminders/templateset/", "/admin/reminders/messagetemplate/"
LOOK = f"{TEMPLATES}look/"
WORDS = {"subject": "Live", "preheader": "", "body": "Dear {{ doctor.name }},\n\nnow.", "button": "Join"}


@pytest.fixture(autouse=True)
def clean_redis() -> None:
    get_redis_connection("default").flushdb()


@pytest.fixture
def operator() -> User:
    user: User = RoleGrantFactory.create(role=Role.OPERATOR, programme=None).user
    return user


@pytest.fixture
def browser(operator: User) -> Client:
    return signed_in(operator)


@pytest.fixture
def moderators() -> Client:
    return signed_in(RoleGrantFactory.create(programme=ProgrammeFactory.create()).user)


@pytest.fixture
def own() -> TemplateSet:
    return copy_set(template_set=built_in_set(), title="Society", now=NOW)


def row_in(template_set: TemplateSet, kind: Kind = Kind.LIVE, channel: Channel = Channel.EMAIL) -> MessageTemplate:
    found: MessageTemplate = template_set.templates.get(kind=kind, channel=channel, language="en", is_current=True)
    return found


def place(row: MessageTemplate, **values: Any) -> dict[str, Any]:
    hidden = {"set": row.template_set_id, "kind": row.kind, "channel": row.channel, "language": row.language}
    return {**hidden, **WORDS, "doctor": "", **values}


def change(browser: Client, row: MessageTemplate, **values: Any) -> Any:
    return browser.post(f"{TEMPLATES}{row.pk}/change/", place(row, **values))


def told(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


class TestSets:
    def test_the_built_in_set_is_there_before_anybody_asked_for_it(self, browser: Client) -> None:
        page = browser.get(SETS)
        assert "Comes with the product" in page.content.decode()
        assert TemplateSet.objects.get().is_builtin

    def test_the_list_asks_as_often_for_three_sets_as_for_one(self, browser: Client) -> None:
        def queries() -> int:
            with CaptureQueriesContext(connection) as captured:
                assert browser.get(SETS).status_code == 200
            return len(captured)

        browser.get(SETS)
        one = queries()
        for title in ("A", "B"):
            copy_set(template_set=built_in_set(), title=title, now=NOW)
        assert queries() == one

    def test_a_set_shows_every_message_of_every_channel(self, browser: Client, own: TemplateSet) -> None:
        page = browser.get(f"{SETS}{own.pk}/change/").content.decode()
        for row in own.templates.all():
            assert f"{TEMPLATES}{row.pk}/change/" in page

    def test_a_copy_is_made_and_opened(self, browser: Client) -> None:
        response = browser.post(f"{SETS}{built_in_set().pk}/change/", {"title": "Society"})
        made = TemplateSet.objects.get(title="Society")
        assert (response.status_code, response["Location"]) == (302, f"{SETS}{made.pk}/change/")
        assert made.templates.count() == built_in_set().templates.count()

    def test_a_title_that_is_taken_is_said_beside_the_field(self, browser: Client, own: TemplateSet) -> None:
        response = browser.post(f"{SETS}{own.pk}/change/", {"title": "Society"})
        assert response.status_code == 200
        assert list(response.context["form"].errors) == ["title"]

    def test_moderators_read_and_copy_nothing(self, moderators: Client, own: TemplateSet) -> None:
        page = moderators.get(f"{SETS}{own.pk}/change/")
        assert "Make a copy" not in page.content.decode()
        assert moderators.post(f"{SETS}{own.pk}/change/", {"title": "Mine"}).status_code == 403
        assert not TemplateSet.objects.filter(title="Mine").exists()


class TestEditor:
    def test_words_are_saved(self, browser: Client, own: TemplateSet) -> None:
        row = row_in(own)
        response = change(browser, row, _save="1")
        assert (response.status_code, response["Location"]) == (302, f"{TEMPLATES}{row.pk}/change/")
        row.refresh_from_db()
        assert (row.subject, row.body) == ("Live", "Dear {{ doctor.name }},\n\nnow.")

    def test_line_ends_of_a_browser_are_those_of_the_product(self, browser: Client, own: TemplateSet) -> None:
        row = row_in(own)
        change(browser, row, _save="1", body="a\r\n\r\nb")
        row.refresh_from_db()
        assert row.body == "a\n\nb"

    def test_what_was_sent_stays_and_the_next_version_opens(self, browser: Client, own: TemplateSet) -> None:
        row = row_in(own)
        mark_used([row.pk], now=NOW)
        assert "Sent for the first time" in browser.get(f"{TEMPLATES}{row.pk}/change/").content.decode()
        response = change(browser, row, _save="1")
        new = row_in(own)
        assert (new.version, response["Location"]) == (2, f"{TEMPLATES}{new.pk}/change/")

    def test_what_is_wrong_is_said_beside_its_field(self, browser: Client, own: TemplateSet) -> None:
        row = row_in(own)
        response = change(browser, row, _save="1", subject="{{ doctor.nam }}", body="")
        assert response.status_code == 200
        assert set(response.context["form"].errors) == {"subject", "body"}
        row.refresh_from_db()
        assert row.subject == "We are live: {{ webinar.title }}"

    def test_a_language_begins_with_the_words_of_english(self, browser: Client, own: TemplateSet) -> None:
        query = f"?set={own.pk}&kind=live&channel=email&language=fr"
        page = browser.get(f"{TEMPLATES}add/{query}")
        assert page.context["form"].initial["subject"] == "We are live: {{ webinar.title }}"
        response = browser.post(
            f"{TEMPLATES}add/{query}", {**WORDS, "subject": "En direct", "doctor": "", "_save": "1"}
        )
        made = own.templates.get(language="fr")
        assert (response.status_code, made.subject, made.kind) == (302, "En direct", "live")

    @pytest.mark.parametrize(
        "query", ["", "?set=x", "?set=1&kind=test&channel=email&language=en", "?kind=live&channel=email&language=en"]
    )
    def test_a_place_that_is_none_is_not_found(self, browser: Client, query: str) -> None:
        assert browser.get(f"{TEMPLATES}add/{query}").status_code == 404

    def test_nobody_saves_built_in_words(self, browser: Client) -> None:
        row = row_in(built_in_set())
        assert change(browser, row, _save="1").status_code == 403
        row.refresh_from_db()
        assert row.subject == "We are live: {{ webinar.title }}"

    def test_moderators_look_and_save_nothing(self, moderators: Client, own: TemplateSet) -> None:
        row = row_in(own)
        page = moderators.get(f"{TEMPLATES}{row.pk}/change/").content.decode()
        assert 'name="_save"' not in page
        assert change(moderators, row, _save="1").status_code == 403
        row.refresh_from_db()
        assert row.subject == "We are live: {{ webinar.title }}"

    def test_places_of_whatsapp_are_typed_line_by_line(self, browser: Client, own: TemplateSet) -> None:
        row = row_in(own, channel=Channel.WHATSAPP)
        places = "{{ doctor.name }}\r\n\r\n webinar.title \r\n"
        change(browser, row, _save="1", approved_name="live/en_GB", approved_places=places)
        row.refresh_from_db()
        assert (row.approved_name, row.approved_places) == ("live/en_GB", ["doctor.name", "webinar.title"])


class TestLook:
    def test_every_channel_is_shown_with_what_stands_in_the_form(self, browser: Client, own: TemplateSet) -> None:
        page = browser.post(LOOK, place(row_in(own), subject="On air: {{ webinar.title }}"))
        shown = page.context["shown"]
        assert [(one.channel, one.is_edited) for one in shown] == [
            (channel, channel == Channel.EMAIL) for channel in Channel
        ]
        assert all(one.parts for one in shown)
        assert shown[0].parts.subject == "On air: Ovarian reserve in daily practice"
        assert row_in(own).subject == "We are live: {{ webinar.title }}"

    def test_the_email_is_in_a_frame_that_may_do_nothing(self, browser: Client, own: TemplateSet) -> None:
        page = browser.post(LOOK, place(row_in(own), body="AMH < 1 & FSH > 9")).content.decode()
        assert '<iframe class="mt-page" sandbox=""' in page
        assert "AMH &amp;lt; 1 &amp;amp; FSH &amp;gt; 9" in page
        refused = browser.post(LOOK, place(row_in(own), body="<script>alert(1)</script>")).content.decode()
        assert "<script" not in refused
        assert "please leave out “&lt;script&gt;”" in refused

    def test_an_sms_tells_its_parts_and_its_price(self, browser: Client, own: TemplateSet) -> None:
        row = row_in(own, channel=Channel.SMS)
        page = html.unescape(browser.post(LOOK, place(row, body="x" * 200)).content.decode())
        assert "2 parts, GSM-7" in page
        assert "To numbers that begin with +919 about 18 US cents, a thousand about $180." in page
        page = browser.post(LOOK, place(row, body="ж" * 60)).content.decode()
        assert "UCS-2" in page

    def test_as_a_doctor_it_says_what_is_true_of_them(self, browser: Client, own: TemplateSet) -> None:
        made = scene()
        doctor = made.doctors[0]
        page = browser.post(LOOK, place(row_in(own), doctor=doctor.email.upper(), subject="{{ webinar.title }}"))
        assert page.context["shown"][0].parts.subject == made.webinar.lesson.title
        assert f"Dear {doctor.get_full_name()}," in page.context["shown"][0].parts.text

    def test_sec_32_that_a_doctors_data_was_looked_at_is_on_record_once(
        self, browser: Client, own: TemplateSet
    ) -> None:
        made = scene(doctors=2)
        row = row_in(own)
        for email in ("", *(one.email for one in made.doctors), made.doctors[0].email, "nobody@example.org"):
            browser.post(LOOK, place(row, doctor=email))
        events = AuditEvent.objects.filter(action="message_template.looked").order_by("pk")
        assert [(one.subject_type, one.subject_id, one.details) for one in events] == [
            ("accounts.user", str(one.pk), {"kind": row.kind, "programme": made.programme.pk}) for one in made.doctors
        ]

    def test_a_doctor_of_another_programme_does_not_exist(self, own: TemplateSet) -> None:
        mine, other = scene(), scene()
        moderator = signed_in(RoleGrantFactory.create(programme=mine.programme).user)
        page = moderator.post(LOOK, place(row_in(own), doctor=other.doctors[0].email))
        assert page.context["shown"] == []
        unknown = moderator.post(LOOK, place(row_in(own), doctor="nobody@example.org"))
        assert page.context["problems"] == unknown.context["problems"] != []
        own_doctor = moderator.post(LOOK, place(row_in(own), doctor=mine.doctors[0].email))
        assert own_doctor.context["problems"] == []

    def test_what_cannot_be_saved_is_not_shown_but_said(self, browser: Client, own: TemplateSet) -> None:
        page = browser.post(LOOK, place(row_in(own), body="{{ secret.key }}"))
        assert page.context["shown"] == []
        assert "there is no “secret.key” in this message" in page.content.decode()

    def test_it_is_asked_for_by_a_form_and_not_without_end(self, browser: Client, own: TemplateSet) -> None:
        assert browser.get(LOOK).status_code == 405
        answers = [browser.post(LOOK, place(row_in(own))).status_code for _ in range(61)]
        assert answers == [200] * 60 + [429]

    def test_without_a_script_a_button_does_the_same(self, browser: Client, own: TemplateSet) -> None:
        page = change(browser, row_in(own), _look="1", subject="On air")
        assert page.context["shown"][0].parts.subject == "On air"
        assert row_in(own).subject == "We are live: {{ webinar.title }}"


class TestTrying:
    def test_it_is_saved_and_sent_to_its_author(self, browser: Client, operator: User, own: TemplateSet) -> None:
        ProgrammeFactory.create()
        response = change(browser, row_in(own), _test="1")
        assert told(response)[-1].startswith("On its way to you.")
        one = Delivery.objects.get()
        assert (one.kind, one.user, one.template) == (Kind.TEST, operator, row_in(own))
        assert row_in(own).subject == "Live"

    def test_moderators_try_words_as_they_are(self, own: TemplateSet) -> None:
        programme = ProgrammeFactory.create()
        moderator = RoleGrantFactory.create(programme=programme).user
        change(signed_in(moderator), row_in(own), _test="1")
        one = Delivery.objects.get()
        assert (one.user, one.programme) == (moderator, programme)
        assert row_in(own).subject == "We are live: {{ webinar.title }}"

    def test_as_a_doctor_it_belongs_to_that_doctors_programme(self, browser: Client, own: TemplateSet) -> None:
        enrolment = EnrolmentFactory.create()
        ProgrammeFactory.create()
        change(browser, row_in(own), _test="1", doctor=enrolment.user.email)
        one = Delivery.objects.get()
        assert one.programme == enrolment.programme
        assert one.subject == f"template/{row_in(own).pk}/{enrolment.user_id}"

    def test_a_wrong_address_sends_nothing(self, browser: Client, own: TemplateSet) -> None:
        ProgrammeFactory.create()
        page = change(browser, row_in(own), _test="1", doctor="nobody@example.org")
        assert page.status_code == 200
        assert not Delivery.objects.exists()

    def test_there_is_an_end_to_it(self, browser: Client, own: TemplateSet) -> None:
        ProgrammeFactory.create()
        answers = [change(browser, row_in(own), _test="1") for _ in range(21)]
        assert told(answers[-1])[-1].startswith("These were many tests")
        assert Delivery.objects.count() == 20


def test_the_list_finds_words(browser: Client, own: TemplateSet) -> None:
    page = browser.get(f"{TEMPLATES}?q=We+are+live&template_set__id__exact={own.pk}").content.decode()
    assert f"{TEMPLATES}{row_in(own).pk}/change/" in page
    assert f"{TEMPLATES}{row_in(own, channel=Channel.SMS).pk}/change/" in page
    assert f"{TEMPLATES}{row_in(own, kind=Kind.MOVED).pk}/change/" not in page


def test_a_language_without_words_offers_to_write_them_in_ones_own_set(
    browser: Client, own: TemplateSet, settings: Any
) -> None:
    settings.LANGUAGES = [("en", "English"), ("fr", "French")]
    query = f"{TEMPLATES}add/?set={own.pk}&amp;kind=live&amp;channel=email&amp;language=fr"
    assert query in browser.get(f"{SETS}{own.pk}/change/?language=fr").content.decode()
    assert "/add/?set=" not in browser.get(f"{SETS}{built_in_set().pk}/change/?language=fr").content.decode()
    assert "/add/?set=" not in browser.get(f"{SETS}{own.pk}/change/?language=xx").content.decode()


def test_auditors_have_nothing_to_do_with_words(own: TemplateSet) -> None:
    auditor = signed_in(RoleGrantFactory.create(role=Role.AUDITOR, programme=None).user)
    row = row_in(own)
    pages = [SETS, f"{SETS}{own.pk}/change/", f"{SETS}add/", f"{TEMPLATES}{row.pk}/change/", f"{TEMPLATES}add/"]
    assert [auditor.get(page).status_code for page in pages] == [403] * len(pages)
    assert auditor.post(LOOK, place(row)).status_code == 403


def test_what_is_not_there_is_not_found(browser: Client) -> None:
    """The admin leads back to its list."""
    for page in (f"{SETS}99999/change/", f"{TEMPLATES}99999/change/"):
        assert browser.get(page).status_code == 404
    assert browser.post(LOOK, {"set": "99999", "kind": "live", "channel": "email", "language": "en"}).status_code == 404


def test_without_a_programme_nothing_can_be_tried(browser: Client, own: TemplateSet) -> None:
    response = change(browser, row_in(own), _test="1")
    assert told(response)[-1] == "A test belongs to a programme, and there is none yet."


def test_who_has_no_number_tries_no_sms(browser: Client, own: TemplateSet) -> None:
    ProgrammeFactory.create()
    response = change(browser, row_in(own, channel=Channel.SMS), _test="1")
    assert "no phone number" in told(response)[-1]
    assert not Delivery.objects.exists()


def test_places_of_whatsapp_stand_line_by_line(browser: Client, own: TemplateSet) -> None:
    page = browser.get(f"{TEMPLATES}{row_in(own, Kind.CERTIFICATE_READY, Channel.WHATSAPP).pk}/change/")
    assert "certificate.title\ncertificate.number</textarea>" in page.content.decode()
    assert page.context["shown"][0].places == [
        (1, "certificate.title", "Fertility Medicine 2026"),
        (2, "certificate.number", "FM26-000123"),
    ]


def test_words_of_another_set_are_not_mixed_in(browser: Client, own: TemplateSet) -> None:
    empty = TemplateSetFactory.create()
    page = browser.get(f"{TEMPLATES}add/?set={empty.pk}&kind=live&channel=email&language=en")
    assert page.context["form"].initial == {}
    assert [one.parts for one in page.context["shown"] if not one.is_edited] == [None] * 4
