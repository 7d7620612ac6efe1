"""Activities and disclosures in the office."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from accounts.enums import Role
from accounts.models import AuditEvent, User
from certification.domain.activities import accredit, open_activity
from certification.domain.disclosure_mail import send_queued
from certification.enums import ActivityState, Format
from certification.models import (
    Accreditation,
    Activity,
    Discloser,
    Disclosure,
    DisclosureRequest,
    DisclosureReview,
)
from courses.models import Lesson, Programme
from tests.certification.test_activities import fresh, whole
from tests.factories.accounts import UserFactory
from tests.factories.certification import PAID, ClaimFactory, ContributorFactory, DiscloserFactory, disclose
from tests.factories.courses import LessonFactory, ProgrammeFactory, RoleGrantFactory
from tests.factories.webinars import LiveWebinarFactory
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db
SUBMITTED = {"_form_submitted": "on"}


@pytest.fixture
def lesson() -> Lesson:
    made: Lesson = LessonFactory.create()
    start = now().replace(microsecond=0) + timedelta(hours=1)  # as forms show it
    LiveWebinarFactory.create(
        lesson=made, starts_at=start, presenters=[UserFactory.create(email="ana@hospital.example")]
    )
    return made


@pytest.fixture
def programme(lesson: Lesson) -> Programme:
    return lesson.course.programme


@pytest.fixture
def moderator(programme: Programme) -> User:
    user: User = RoleGrantFactory.create(programme=programme).user
    return user


@pytest.fixture
def client(moderator: User) -> Client:
    return signed_in(moderator)


def address(name: str, row: Any) -> str:
    return reverse(f"admin:certification_{name}", args=(row.pk,))


def reviewing(person: Discloser) -> dict[str, Any]:
    """What the dialog sends that was opened now."""
    newest = Disclosure.objects.filter(person=person).latest("made_at", "pk")
    return {**SUBMITTED, "disclosure": newest.pk}


def told(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def posted(activity: Activity, **changes: Any) -> dict[str, Any]:
    """The change page of an activity with one accreditation, as it stands, but for the changes."""
    row, person = activity.accreditations.get(), activity.contributors.get()
    at = {name: getattr(activity, name) for name in ("starts_at", "ends_at")}
    data: dict[str, Any] = {
        "title": activity.title, "objectives": "", "sources": "", "minutes": activity.minutes, "reviewed_on": "",
        "assessment": "", "evaluation": activity.evaluation_id or "",
        "accreditations-TOTAL_FORMS": 1, "accreditations-INITIAL_FORMS": 1, "accreditations-0-id": row.pk,
        "accreditations-0-activity": activity.pk, "accreditations-0-authority": row.authority,
        "accreditations-0-council": "", "accreditations-0-credits": row.credits,
        "accreditations-0-approval_code": "", "accreditations-0-provider": row.provider,
        "accreditations-0-valid_from": "", "accreditations-0-valid_until": "",
        "accreditations-0-parameters-rounding": "nearest", "accreditations-0-parameters-pass_percent": "70",
        "accreditations-0-parameters-needs_evaluation": "on",
        "accreditations-0-parameters-needs_acknowledgement": "on",
        "accreditations-0-parameters-least_percent": "0",
        "contributors-TOTAL_FORMS": 1, "contributors-INITIAL_FORMS": 1, "contributors-0-id": person.pk,
        "contributors-0-activity": activity.pk, "contributors-0-person": person.person_id,
        "contributors-0-role": person.role,
    }  # fmt: skip
    for name, value in at.items():
        if value:
            data |= {f"{name}_0": f"{value:%Y-%m-%d}", f"{name}_1": f"{value:%H:%M:%S}"}
    return data | changes


class TestAccreditingAWebinar:
    def test_one_step_makes_both_and_leads_to_the_first(self, client: Client, lesson: Lesson) -> None:
        LessonFactory.create(title="Of somebody else")
        page = client.get(reverse("admin:certification_activity_add")).content.decode()
        assert lesson.title in page
        assert "Of somebody else" not in page
        given = {"lesson": lesson.pk, "formats": ["live", "enduring"], "authorities": ["accme", "attendance"]}
        response = client.post(reverse("admin:certification_activity_add"), given)
        live, recording = Activity.objects.order_by("pk")
        assert (live.format, recording.format) == ("live", "enduring")
        assert Accreditation.objects.count() == 4
        assert response.status_code == 302
        page = client.get(address("activity_change", live)).content.decode()
        assert "has not stated anything yet" in page

    @pytest.mark.parametrize("left_out", ["lesson", "formats", "authorities"])
    def test_something_is_missing(self, client: Client, lesson: Lesson, left_out: str) -> None:
        given: dict[str, Any] = {"lesson": lesson.pk, "formats": ["live"], "authorities": ["accme"]}
        del given[left_out]
        assert client.post(reverse("admin:certification_activity_add"), given).status_code == 200
        assert not Activity.objects.exists()

    def test_a_foreign_webinar_is_no_choice(self, client: Client) -> None:
        foreign = LessonFactory.create()
        given = {"lesson": foreign.pk, "formats": ["live"], "authorities": ["accme"]}
        assert client.post(reverse("admin:certification_activity_add"), given).status_code == 200
        assert not Activity.objects.exists()


class TestFromTheWebinarAndBack:
    def test_the_lesson_and_the_webinar_lead_to_the_wizard_with_the_webinar_chosen(
        self, client: Client, lesson: Lesson
    ) -> None:
        wizard = f"{reverse('admin:certification_activity_add')}?lesson={lesson.pk}"
        pages = (
            reverse("admin:courses_lesson_change", args=(lesson.pk,)),
            reverse("admin:webinars_webinar_change", args=(lesson.webinar.pk,)),
        )
        for page in pages:
            text = client.get(page).content.decode()
            assert ("Not accredited." in text, wizard in text) == (True, True)
        assert f'<option value="{lesson.pk}" selected' in client.get(wizard).content.decode()

    def test_then_to_each_activity_with_its_state_and_authorities_and_back(
        self, client: Client, lesson: Lesson
    ) -> None:
        live, recording = accredit(
            lesson=lesson, formats=["live", "enduring"], authorities=["accme", "eaccme"], actor=None, now=now()
        )
        webinar = reverse("admin:webinars_webinar_change", args=(lesson.webinar.pk,))
        for page in (reverse("admin:courses_lesson_change", args=(lesson.pk,)), webinar):
            text = client.get(page).content.decode()
            assert [address("activity_change", one) in text for one in (live, recording)] == [True, True]
            assert "Draft · AMA PRA Category 1 (ACCME) · EACCME (UEMS)" in text
        back = client.get(address("activity_change", live)).content.decode()
        assert reverse("admin:courses_lesson_change", args=(lesson.pk,)) in back
        assert webinar in back

    def test_other_lessons_say_nothing_of_it(self, client: Client, programme: Programme) -> None:
        quiz = LessonFactory.create(course__programme=programme, kind="document")
        page = client.get(reverse("admin:courses_lesson_change", args=(quiz.pk,))).content.decode()
        assert ("Accreditation" in page, "ccredit this webinar" in page) == (False, False)

    def test_the_wizard_tells_webinars_of_one_name_apart(self, client: Client, lesson: Lesson) -> None:
        page = client.get(reverse("admin:certification_activity_add")).content.decode()
        assert f"{lesson.title} · {lesson.course.title} · {lesson.course.programme.title}" in page


class TestThePageOfAnActivity:
    def test_no_tab_is_put_away_where_it_cannot_be_reached(self, client: Client, lesson: Lesson) -> None:
        """The theme's script does so wherever there is a place for it, and brings one back for each turn of a phone."""
        page = client.get(address("activity_change", whole(lesson))).content.decode()
        assert ('id="tabs-items"' in page, "tabs-dropdown" in page) == (True, False)
        tabs = page.partition('id="tabs-items"')[2].partition("</nav>")[0]
        assert re.findall(r"activeTab = '(\w+)'\"", tabs) == ["general", "accreditations", "contributors"]

    def test_settings_come_from_the_rule_pack_in_plain_words(self, client: Client, lesson: Lesson) -> None:
        activity = whole(lesson)
        page = client.get(address("activity_change", activity)).content.decode()
        for words in ("Part of a quarter", "Yours to set: the authority names no number", "To the nearest quarter"):
            assert words in page
        changes = {"accreditations-0-parameters-rounding": "down", "accreditations-0-parameters-pass_percent": "80.5"}
        response = client.post(address("activity_change", activity), posted(activity, **changes))
        assert response.status_code == 302
        row = activity.accreditations.get()
        assert (row.parameters["rounding"], row.parameters["pass_percent"]) == ("down", "80.5")
        assert row.parameters["needs_evaluation"] is True
        assert row.version == "2022"

    @pytest.mark.parametrize(
        ("name", "value", "said"),
        [
            ("pass_percent", "101", "Least result of the test: Give a number from 0 to 100."),
            ("pass_percent", "x", "Give a number"),
            ("rounding", "up", "Part of a quarter: Choose one of the list."),
        ],
    )
    def test_a_setting_that_cannot_be_is_said_beside_it(
        self, client: Client, lesson: Lesson, name: str, value: str, said: str
    ) -> None:
        activity = whole(lesson)
        changes = {f"accreditations-0-parameters-{name}": value}
        response = client.post(address("activity_change", activity), posted(activity, **changes))
        assert response.status_code == 200
        assert said in response.content.decode()
        assert activity.accreditations.get().parameters["pass_percent"] == "70"

    def test_saving_it_as_it_is_changes_nothing(self, client: Client, lesson: Lesson) -> None:
        activity = whole(lesson)
        before = (Activity.objects.values().get(), Accreditation.objects.values().get())
        assert client.post(address("activity_change", activity), posted(activity)).status_code == 302
        assert (Activity.objects.values().get(), Accreditation.objects.values().get()) == before

    def test_it_opens_with_everything_and_refuses_with_all_that_is_missing(
        self, client: Client, lesson: Lesson
    ) -> None:
        activity = whole(lesson)
        Activity.objects.update(minutes=None)
        activity.accreditations.update(provider="")
        response = client.post(address("activity_open_it", activity), SUBMITTED)
        (text,) = told(response)
        assert text.startswith("It cannot open yet: Say how many minutes")
        assert "Name the accredited provider" in text
        assert fresh(activity).state == ActivityState.DRAFT
        Activity.objects.update(minutes=60)
        activity.accreditations.update(provider="Society")
        assert told(client.post(address("activity_open_it", activity), SUBMITTED))[-1] == "It is open."
        assert fresh(activity).state == ActivityState.OPEN
        page = client.get(address("activity_change", activity)).content.decode()
        assert ("open_it/" in page, "close_it/" in page) == (False, True)
        client.post(address("activity_close_it", activity), SUBMITTED)
        assert fresh(activity).state == ActivityState.CLOSED

    def test_looking_at_the_dialog_opens_nothing(self, client: Client, lesson: Lesson) -> None:
        activity = whole(lesson)
        assert client.get(address("activity_open_it", activity)).status_code == 200
        assert fresh(activity).state == ActivityState.DRAFT

    def test_nothing_of_a_page_is_saved_that_leaves_a_gap(self, client: Client, lesson: Lesson) -> None:
        activity = whole(lesson)
        open_activity(activity=activity, actor=None, now=now())
        activity = fresh(activity)
        changes = {"title": "Another title", "accreditations-0-credits": "2"}
        response = client.post(address("activity_change", activity), posted(activity, **changes), follow=True)
        (text,) = told(response)
        assert text.startswith("Nothing was saved: the activity is open")
        assert "60 minutes carry at most 1 credits" in text
        assert (fresh(activity).title, activity.accreditations.get().credits) == (activity.title, Decimal(1))

    def test_with_claims_the_terms_are_only_shown(self, client: Client, lesson: Lesson) -> None:
        activity = whole(lesson)
        open_activity(activity=activity, actor=None, now=now())
        activity = fresh(activity)
        ClaimFactory.create(accreditation=activity.accreditations.get())
        page = client.get(address("activity_change", activity)).content.decode()
        assert "add a correction to the ledger" in page
        assert 'name="minutes"' not in page
        changes = {"accreditations-0-credits": "0.25", "accreditations-0-parameters-rounding": "down", "minutes": "45"}
        client.post(address("activity_change", activity), posted(activity, **changes, title="Corrected"))
        row = activity.accreditations.get()
        assert (row.credits, row.parameters["rounding"], fresh(activity).minutes) == (Decimal(1), "nearest", 60)
        assert fresh(activity).title == "Corrected"

    def test_who_has_not_stated_anything_is_asked_in_one_step(
        self, client: Client, lesson: Lesson, mailoutbox: list[EmailMessage]
    ) -> None:
        activity = whole(lesson)
        missing = ContributorFactory.create(activity=activity).person
        old = ContributorFactory.create(activity=activity).person
        disclose(old, decision="none", days=900)
        disclose(ContributorFactory.create(activity=activity).person)
        assert told(client.post(address("activity_ask_missing", activity), SUBMITTED)) == [
            "2 e-mails are on their way."
        ]
        assert set(DisclosureRequest.objects.values_list("person", flat=True)) == {missing.pk, old.pk}
        send_queued(now=now())
        assert {message.to[0] for message in mailoutbox} == {missing.email, old.email}

    def test_the_webinar_s_people_are_taken_over_in_one_step(self, client: Client, lesson: Lesson) -> None:
        (activity,) = accredit(lesson=lesson, formats=[Format.LIVE], authorities=["accme"], actor=None, now=now())
        activity.contributors.all().delete()
        assert told(client.post(address("activity_take_people", activity), SUBMITTED)) == ["1 person was added."]
        assert activity.contributors.get().person.email == "ana@hospital.example"

    def test_who_is_taken_out_leaves_and_the_trail_says_who_did_it(
        self, client: Client, lesson: Lesson, moderator: User
    ) -> None:
        activity = whole(lesson)
        client.post(address("activity_change", activity), posted(activity, **{"contributors-0-DELETE": "on"}))
        row = activity.contributors.get()
        assert row.left_at is not None
        (event,) = AuditEvent.objects.filter(action="activity.changed", details__left=row.person.name)
        assert (event.actor, event.address) == (moderator, "127.0.0.1")
        page = client.get(address("activity_change", activity)).content.decode()
        assert 'name="contributors-INITIAL_FORMS" value="0"' in page
        assert "· until " in client.get(address("discloser_change", row.person)).content.decode()

    def test_people_of_another_programme_are_no_choice(self, client: Client, lesson: Lesson) -> None:
        activity, foreign = whole(lesson), DiscloserFactory.create(name="Dr Foreign")
        assert "Dr Foreign" not in client.get(address("activity_change", activity)).content.decode()
        response = client.post(
            address("activity_change", activity), posted(activity, **{"contributors-0-person": foreign.pk})
        )
        assert response.status_code == 200
        assert not activity.contributors.filter(person=foreign).exists()


class TestDisclosers:
    @pytest.fixture
    def people(self, programme: Programme) -> dict[str, Discloser]:
        names = ("missing", "waits", "paid", "fine", "old")
        made = {name: DiscloserFactory.create(programme=programme, name=name) for name in names}
        disclose(made["waits"])
        disclose(made["paid"], interests=PAID)
        disclose(made["fine"], decision="none")
        disclose(made["old"], decision="none", days=800)
        DiscloserFactory.create(name="foreign")
        return made

    @pytest.mark.parametrize(
        ("standing", "names"),
        [
            ("", {"missing", "waits", "paid", "fine", "old"}),
            ("missing", {"missing"}),
            ("to_review", {"waits", "paid"}),
            ("fine", {"fine"}),
            ("out_of_date", {"old"}),
            ("excluded", set()),
        ],
    )
    def test_the_list_by_standing(
        self, client: Client, people: dict[str, Discloser], standing: str, names: set[str]
    ) -> None:
        given = {"standing": standing} if standing else {}
        page = client.get(reverse("admin:certification_discloser_changelist"), given)
        assert {one.name for one in page.context["cl"].result_list} == names

    def test_a_review_is_kept_with_who_and_what(
        self, client: Client, people: dict[str, Discloser], moderator: User
    ) -> None:
        person = people["paid"]
        given = {**reviewing(person), "decision": "mitigated", "mitigation": ""}
        assert client.post(address("discloser_review", person), given).status_code == 200
        assert not DisclosureReview.objects.filter(disclosure__person=person).exists()
        response = client.post(address("discloser_review", person), {**given, "mitigation": "Slides were reviewed."})
        assert told(response) == ["The review was kept."]
        row = DisclosureReview.objects.get(disclosure__person=person)
        assert (row.decision, row.mitigation, row.reviewed_by) == ("mitigated", "Slides were reviewed.", moderator)
        page = client.get(address("discloser_change", person)).content.decode()
        assert "Slides were reviewed." in page
        assert "Acme Pharma" in page

    def test_a_review_is_of_the_statement_that_was_read(self, client: Client, people: dict[str, Discloser]) -> None:
        person, at = people["waits"], address("discloser_review", people["waits"])
        read = reviewing(person)
        dialog = client.get(at).content.decode()
        assert f'name="disclosure" value="{read["disclosure"]}"' in dialog
        assert "No financial relationship" in dialog
        disclose(person, interests=PAID, days=0)
        response = client.post(at, {**read, "decision": "none"})
        assert told(response) == ["Meanwhile there is a newer statement. Please read that one."]
        assert not DisclosureReview.objects.filter(disclosure__person=person).exists()
        again = client.get(at).content.decode()
        assert f'name="disclosure" value="{reviewing(person)["disclosure"]}"' in again
        assert "Acme Pharma" in again

    def test_a_dialog_that_comes_back_shows_what_it_showed(self, client: Client, people: dict[str, Discloser]) -> None:
        person, at = people["waits"], address("discloser_review", people["waits"])
        read = reviewing(person)
        disclose(person, interests=PAID, days=0)
        page = client.post(at, {**read, "decision": "mitigated", "mitigation": ""}).content.decode()
        assert f'name="disclosure" value="{read["disclosure"]}"' in page
        assert "No financial relationship" in page
        assert "Acme Pharma" not in page

    @pytest.mark.parametrize("number", ["", "x", "0", "9" * 30, "of somebody else"])
    def test_nothing_is_reviewed_without_a_statement_of_this_person(
        self, client: Client, people: dict[str, Discloser], number: str
    ) -> None:
        foreign = str(reviewing(people["paid"])["disclosure"])
        given = {**SUBMITTED, "decision": "none", "disclosure": foreign if number == "of somebody else" else number}
        before = DisclosureReview.objects.count()
        client.post(address("discloser_review", people["waits"]), given)
        assert DisclosureReview.objects.count() == before

    def test_nobody_reviews_their_own(self, client: Client, programme: Programme, moderator: User) -> None:
        own = DiscloserFactory.create(programme=programme, email=moderator.email)
        disclose(own)
        response = client.post(address("discloser_review", own), {**reviewing(own), "decision": "none"})
        assert told(response) == ["Somebody else has to review your own statement."]
        assert not DisclosureReview.objects.exists()

    def test_statements_of_none_are_found_fine_together_and_only_those(
        self, client: Client, people: dict[str, Discloser]
    ) -> None:
        chosen = {"action": "find_nothing", "_selected_action": [one.pk for one in people.values()]}
        response = client.post(reverse("admin:certification_discloser_changelist"), chosen)
        assert told(response) == ["1 statement was found fine."]
        assert list(
            DisclosureReview.objects.filter(reviewed_by__isnull=False).values_list(
                "disclosure__person__name", flat=True
            )
        ) == ["waits"]

    def test_asked_withdrawn_and_asked_in_bulk(self, client: Client, people: dict[str, Discloser]) -> None:
        person = people["missing"]
        assert told(client.post(address("discloser_ask_again", person), SUBMITTED)) == ["The e-mail is on its way."]
        assert (
            told(client.post(address("discloser_withdraw_link", person), SUBMITTED))[-1] == "The link no longer works."
        )
        assert not DisclosureRequest.objects.filter(revoked_at=None).exists()
        chosen = {"action": "ask_chosen", "_selected_action": [people["old"].pk, person.pk]}
        response = client.post(reverse("admin:certification_discloser_changelist"), chosen)
        assert told(response)[-1] == "2 e-mails are on their way."
        assert DisclosureRequest.objects.filter(revoked_at=None).count() == 2

    def test_somebody_is_added_by_hand_once(self, client: Client, programme: Programme) -> None:
        given = {"programme": programme.pk, "name": "Dr Planner", "email": "Planner@hospital.example"}
        client.post(reverse("admin:certification_discloser_add"), given)
        assert Discloser.objects.get().email == "planner@hospital.example"
        nameless = client.post(reverse("admin:certification_discloser_add"), {**given, "name": "p@hospital.example"})
        assert "an e-mail address is shown to nobody" in nameless.content.decode()
        response = client.post(reverse("admin:certification_discloser_add"), given)
        assert "already somebody with this e-mail address" in response.content.decode()
        assert Discloser.objects.count() == 1

    def test_the_page_says_where_the_link_stands(self, client: Client, people: dict[str, Discloser]) -> None:
        person, at = people["missing"], now()
        page = address("discloser_change", person)
        assert "Nobody has asked yet" in client.get(page).content.decode()
        client.post(address("discloser_ask_again", person), SUBMITTED)
        rows = DisclosureRequest.objects.filter(person=person)
        words: dict[str, dict[str, Any]] = {
            "at most a minute": {}, "refused this address": {"failures": 5}, "not answered yet": {"sent_at": at},
            "First used on": {"used_at": at}, "ask again": {"created_at": at - timedelta(9), "expires_at": at},
            "Withdrawn on": {"revoked_at": at},
        }  # fmt: skip
        for said, values in words.items():
            if values:
                rows.update(**values)
            assert said in client.get(page).content.decode()


class TestWhoMay:
    def test_another_programme_s_moderator_sees_none(self, lesson: Lesson) -> None:
        activity, person = whole(lesson), DiscloserFactory.create(programme=lesson.course.programme)
        other = signed_in(RoleGrantFactory.create(programme=ProgrammeFactory.create()).user)
        for name in ("activity", "discloser"):
            page = other.get(reverse(f"admin:certification_{name}_changelist"))
            assert list(page.context["cl"].result_list) == []
        assert other.post(address("activity_open_it", activity), SUBMITTED).status_code in {302, 403, 404}
        assert other.post(address("discloser_ask_again", person), SUBMITTED).status_code in {302, 403, 404}
        assert fresh(activity).state == ActivityState.DRAFT
        assert not DisclosureRequest.objects.exists()

    @pytest.mark.parametrize("role", [Role.PRESENTER, Role.SPONSOR, Role.AUDITOR])
    def test_others_have_no_office(self, lesson: Lesson, role: Role) -> None:
        user = RoleGrantFactory.create(role=role, programme=lesson.course.programme).user
        shut = 403 if role == Role.AUDITOR else 302
        assert signed_in(user).get(reverse("admin:certification_activity_changelist")).status_code == shut

    @pytest.mark.parametrize("name", ["activity", "discloser"])
    def test_a_list_costs_the_same_for_one_row_and_for_three(
        self,
        client: Client,
        programme: Programme,
        name: str,
        django_assert_num_queries: Callable[..., AbstractContextManager[Any]],
    ) -> None:
        def grow() -> None:
            lesson = LessonFactory.create(course__programme=programme)
            LiveWebinarFactory.create(lesson=lesson, presenters=[UserFactory.create()])
            whole(lesson)

        page = reverse(f"admin:certification_{name}_changelist")
        grow()
        client.get(page)
        with django_assert_num_queries(1000, exact=False) as counted:
            client.get(page)
        first = len(counted.captured_queries)
        grow()
        grow()
        with django_assert_num_queries(first):
            client.get(page)
