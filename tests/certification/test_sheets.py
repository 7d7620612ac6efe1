"""What doctors read before they start: what it says, when there is a new one, and that it was read."""

import hashlib
import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core import signing
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils.html import strip_tags
from django.utils.timezone import now
from pytest_django import DjangoAssertNumQueries

from accounts.enums import Role
from accounts.models import User
from certification.domain.before import disclosures_before
from certification.domain.chain import canonical
from certification.domain.reviews import review
from certification.domain.sheets import acknowledge, refresh_sheet
from certification.enums import ActivityState, Format
from certification.models import Acknowledgement, Activity, DisclosureSheet
from certification.views.disclosures import SHOWN_SALT
from courses.models import Lesson
from tests.factories.accounts import UserFactory
from tests.factories.certification import (
    PAID,
    AccreditationFactory,
    ActivityFactory,
    ContributorFactory,
    DiscloserFactory,
    disclose,
)
from tests.factories.courses import EnrolmentFactory, LessonFactory, RoleGrantFactory
from tests.factories.webinars import LiveWebinarFactory, WebinarFactory, add_presenter
from tests.signing_in import signed_in
from webinars.models import Webinar

pytestmark = pytest.mark.django_db


@pytest.fixture
def lecture() -> Webinar:
    webinar: Webinar = WebinarFactory.create()
    return webinar


@pytest.fixture
def doctor(lecture: Webinar) -> User:
    user: User = EnrolmentFactory.create(programme=lecture.lesson.course.programme).user
    return user


def accredited(lesson: Lesson, form: str = Format.ENDURING, **given: Any) -> Activity:
    """Open, with a presenter whose relationship was mitigated, and its sheet."""
    activity: Activity = ActivityFactory.create(lesson=lesson, format=form, **given)
    person = DiscloserFactory.create(programme=lesson.course.programme, name="Dr Ana Ribeiro")
    disclose(person, interests=PAID, decision="mitigated", mitigation="Two others read the slides.")
    ContributorFactory.create(activity=activity, person=person)
    refresh_sheet(activity=activity, now=now())
    return activity


def page_of(webinar: Webinar) -> str:
    return f"/webinars/{webinar.pk}/"


def sheet_of(activity: Activity) -> str:
    return f"/activities/{activity.pk}/disclosures/"


def shown_in(response: Any) -> str:
    return str(response.context["seal"])


class TestWhatItSays:
    def test_names_roles_relevant_relationships_and_what_was_done(self, lecture: Webinar) -> None:
        activity = accredited(lecture.lesson)
        ana = activity.contributors.get().person
        ContributorFactory.create(activity=activity, person=ana, role="planner")
        irrelevant = DiscloserFactory.create(programme=ana.programme, name="Dr Ben")
        disclose(irrelevant, interests=[{**PAID[0], "company": "Not about this"}], decision="none")
        disclose(irrelevant, interests=[{**PAID[0], "company": "Not reviewed yet"}], days=0)
        ContributorFactory.create(activity=activity, person=irrelevant, role="moderator")
        sheet = refresh_sheet(activity=activity, now=now())
        assert sheet
        assert {name: one for name, one in sheet.content.items() if name != "about"} == {
            "edition": 2,
            "people": [
                {
                    "name": "Dr Ana Ribeiro",
                    "roles": ["planner", "presenter"],
                    "interests": PAID,
                    "mitigation": "Two others read the slides.",
                },
                {"name": "Dr Ben", "roles": ["moderator"], "interests": [], "mitigation": ""},
            ],
        }
        assert bytes(sheet.digest) == hashlib.sha256(canonical(sheet.content)).digest()

    def test_what_is_taught_and_what_it_counts_for(self, lecture: Webinar) -> None:
        """All that the ACCME wants told before the start of a recording."""
        begins = datetime(2026, 11, 1, 12, tzinfo=UTC)
        values: dict[str, Any] = {
            "starts_at": begins,
            "ends_at": begins + timedelta(days=365),
            "reviewed_on": begins.date(),
        }
        activity = accredited(
            lecture.lesson, objectives=" Say what AMH predicts.\n", sources="ESHRE 2019", title="AMH", **values
        )
        AccreditationFactory.create(
            activity=activity, provider="The Society", parameters={"pass_percent": "65"}, approval_code="A-1"
        )
        attendance = {"least_percent": "75"}
        AccreditationFactory.create(
            activity=activity, authority="attendance", credits=0, parameters=attendance, approval_code=""
        )
        sheet = refresh_sheet(activity=activity, now=now())
        assert sheet
        accme, plain = sheet.content["about"].pop("credits")
        assert sheet.content["about"] == {
            "title": "AMH",
            "format": "enduring",
            "minutes": 60,
            "objectives": "Say what AMH predicts.",
            "sources": "ESHRE 2019",
            "starts_on": "2026-11-01",
            "reviewed_on": "2026-11-01",
            "ends_on": "2027-11-01",
        }
        statement = accme.pop("statement")
        assert accme == {
            "authority": "accme",
            "council": "",
            "provider": "The Society",
            "credits": "1",
            "unit": "AMA PRA Category 1 Credit™",
            "approval_code": "A-1",
            "pass_percent": "65",
            "least_percent": "",
            "ends_on": "",
        }
        assert statement.startswith("The Society is accredited by the Accreditation Council")
        assert "designates this enduring material for a maximum of 1 AMA PRA Category 1 Credit™." in statement
        assert (plain["pass_percent"], plain["least_percent"], plain["statement"]) == ("", "75", "")

    @pytest.mark.parametrize(
        ("name", "value"),
        [("sources", "Another source"), ("objectives", "More"), ("reviewed_on", date(2026, 1, 5)), ("minutes", 30)],
    )
    def test_what_is_told_otherwise_is_read_anew(self, lecture: Webinar, doctor: User, name: str, value: Any) -> None:
        activity = accredited(lecture.lesson)
        first = refresh_sheet(activity=activity, now=now())
        assert first
        acknowledge(user=doctor, sheet=first, shown_at=now(), now=now())
        Activity.objects.filter(pk=activity.pk).update(**{name: value})
        second = refresh_sheet(activity=activity, now=now())
        assert second
        assert (second.content["edition"], second.content["people"]) == (2, first.content["people"])
        assert bytes(second.digest) != bytes(first.digest)
        assert disclosures_before(lesson=lecture.lesson, user=doctor, is_live=False) == sheet_of(activity)

    def test_terms_of_a_live_activity_and_settings_that_cannot_be_used(self, lecture: Webinar) -> None:
        begins = datetime(2026, 11, 1, 12, tzinfo=UTC)
        activity = accredited(lecture.lesson, Format.LIVE, starts_at=begins, title="AMH")
        AccreditationFactory.create(activity=activity, authority="eaccme", credits=1)
        AccreditationFactory.create(activity=activity, parameters={"nonsense": 1})
        sheet = refresh_sheet(activity=activity, now=now())
        assert sheet
        (eaccme,) = sheet.content["about"]["credits"]
        assert (eaccme["authority"], eaccme["pass_percent"]) == ("eaccme", "")
        assert eaccme["statement"].startswith("The AMH, 1 November 2026 has been accredited")

    def test_a_new_row_only_when_the_wording_changed_also_when_an_old_one_comes_back(self, lecture: Webinar) -> None:
        activity = accredited(lecture.lesson)
        first = refresh_sheet(activity=activity, now=now())
        assert refresh_sheet(activity=activity, now=now()) == first
        disclose(
            activity.contributors.get().person,
            interests=PAID,
            decision="mitigated",
            mitigation="Two others read the slides.",
            days=0,
        )
        assert refresh_sheet(activity=activity, now=now()) == first
        guest = ContributorFactory.create(activity=activity)
        second = refresh_sheet(activity=activity, now=now())
        guest.delete()
        third = refresh_sheet(activity=activity, now=now())
        assert first
        assert second
        assert third
        assert len({first.pk, second.pk, third.pk}) == 3
        assert third.content["people"] == first.content["people"]

    def test_without_people_there_is_none(self, lecture: Webinar) -> None:
        assert refresh_sheet(activity=ActivityFactory.create(lesson=lecture.lesson), now=now()) is None

    def test_a_review_changes_what_is_read_before_open_activities_alone(self, lecture: Webinar) -> None:
        activity = accredited(lecture.lesson)
        person = activity.contributors.get().person
        draft = ActivityFactory.create(lesson=lecture.lesson, format=Format.LIVE, state=ActivityState.DRAFT)
        ContributorFactory.create(activity=draft, person=person)
        stated = disclose(person, interests=PAID, days=0)
        review(
            disclosure=stated,
            decision="mitigated",
            mitigation="Somebody else speaks.",
            actor=UserFactory.create(),
            now=now(),
        )
        assert list(
            DisclosureSheet.objects.order_by("pk").values_list("activity", "content__people__0__mitigation")
        ) == [
            (activity.pk, "Two others read the slides."),
            (activity.pk, "Somebody else speaks."),
        ]

    @pytest.mark.parametrize("what", ["UPDATE certification_disclosuresheet SET content = '{}'",
                                      "DELETE FROM certification_disclosuresheet",
                                      "UPDATE certification_acknowledgement SET acknowledged_at = now()",
                                      "DELETE FROM certification_acknowledgement"])  # fmt: skip
    def test_the_database_changes_nothing_of_it(self, lecture: Webinar, doctor: User, what: str) -> None:
        sheet = refresh_sheet(activity=accredited(lecture.lesson), now=now())
        assert sheet
        acknowledge(user=doctor, sheet=sheet, shown_at=now(), now=now())
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(what)


class TestReadingIt:
    def test_the_recording_leads_there_first_and_the_button_back(self, lecture: Webinar, doctor: User) -> None:
        activity, browser = accredited(lecture.lesson), signed_in(doctor)
        response = browser.get(page_of(lecture))
        assert (response.status_code, response["Location"]) == (302, sheet_of(activity))
        page = browser.get(sheet_of(activity))
        text = page.content.decode()
        assert all(word in text for word in ("Dr Ana Ribeiro", "Acme Pharma", "Paid to speak", "Two others read"))
        assert not Acknowledgement.objects.exists()
        response = browser.post(sheet_of(activity), {"shown": shown_in(page)})
        assert (response.status_code, response["Location"]) == (302, page_of(lecture))
        row = Acknowledgement.objects.get()
        assert (row.user, row.sheet.activity) == (doctor, activity)
        assert row.shown_at < row.acknowledged_at
        assert browser.get(page_of(lecture)).status_code == 200

    def test_it_says_what_is_to_be_told_before_the_start(self, lecture: Webinar, doctor: User) -> None:
        begins = datetime(2026, 11, 1, 12, tzinfo=UTC)
        values: dict[str, Any] = {
            "starts_at": begins,
            "ends_at": begins + timedelta(days=365),
            "reviewed_on": date(2026, 10, 5),
        }
        activity = accredited(lecture.lesson, objectives="Say what AMH predicts.", sources="ESHRE 2019", **values)
        AccreditationFactory.create(activity=activity, provider="The Society", parameters={"pass_percent": "65"})
        refresh_sheet(activity=activity, now=now())
        page = signed_in(doctor).get(sheet_of(activity)).content.decode()
        text = " ".join(strip_tags(page.replace("<", " <")).split())
        for told in (
            "Say what AMH predicts.",
            "ESHRE 2019",
            "Released 1 Nov 2026",
            "Last reviewed 5 Oct 2026",
            "Credit ends 1 Nov 2027",
            "1 AMA PRA Category 1 Credit™",
            "After a test: at least 65 % are needed.",
            "The Society is accredited by the Accreditation Council",
            "Dr Ana Ribeiro",
        ):
            assert told in text

    def test_a_sheet_of_before_still_shows_its_people(self, lecture: Webinar, doctor: User) -> None:
        activity = accredited(lecture.lesson)
        people = DisclosureSheet.objects.get().content["people"]
        DisclosureSheet.objects.create(
            activity=activity, digest=b"o" * 32, content={"edition": 2, "people": people}, made_at=now()
        )
        text = signed_in(doctor).get(sheet_of(activity)).content.decode()
        assert "Dr Ana Ribeiro" in text
        assert "What it counts for" not in text

    def test_pressing_again_keeps_the_first(self, lecture: Webinar, doctor: User) -> None:
        activity, browser = accredited(lecture.lesson), signed_in(doctor)
        shown = shown_in(browser.get(sheet_of(activity)))
        browser.post(sheet_of(activity), {"shown": shown})
        first = Acknowledgement.objects.get()
        assert browser.post(sheet_of(activity), {"shown": shown}).status_code == 302
        assert Acknowledgement.objects.get() == first
        assert Acknowledgement.objects.get().acknowledged_at == first.acknowledged_at

    def test_a_new_wording_is_read_again(self, lecture: Webinar, doctor: User) -> None:
        activity, browser = accredited(lecture.lesson), signed_in(doctor)
        page = browser.get(sheet_of(activity))
        ContributorFactory.create(activity=activity)
        refresh_sheet(activity=activity, now=now())
        again = browser.post(sheet_of(activity), {"shown": shown_in(page)})
        assert again.status_code == 200
        assert "has changed" in again.content.decode()
        assert not Acknowledgement.objects.exists()
        browser.post(sheet_of(activity), {"shown": shown_in(again)})
        assert Acknowledgement.objects.get().sheet.content["edition"] == 2

    def test_when_it_was_shown_cannot_be_made_up(self, lecture: Webinar, doctor: User) -> None:
        activity, browser = accredited(lecture.lesson), signed_in(doctor)
        sheet = DisclosureSheet.objects.get()
        other = signing.dumps([sheet.pk, UserFactory.create().pk, 0.0], salt=SHOWN_SALT)
        unsigned = f"[{sheet.pk},{doctor.pk},0.0]"
        for made_up in (
            "",
            "x",
            unsigned,
            other,
            signing.dumps([sheet.pk, doctor.pk, 0.0]),
            signing.dumps("x", salt=SHOWN_SALT),
        ):
            assert browser.post(sheet_of(activity), {"shown": made_up}).status_code == 200
        assert not Acknowledgement.objects.exists()

    def test_who_is_not_of_the_programme_sees_nothing(self, lecture: Webinar) -> None:
        activity = accredited(lecture.lesson)
        stranger = EnrolmentFactory.create().user
        assert signed_in(stranger).get(sheet_of(activity)).status_code == 404
        assert "/sign-in/" in Client().get(sheet_of(activity))["Location"]

    def test_a_draft_is_nobody_s_to_read(self, lecture: Webinar, doctor: User) -> None:
        activity = accredited(lecture.lesson, state=ActivityState.DRAFT)
        assert signed_in(doctor).get(sheet_of(activity)).status_code == 404
        assert signed_in(doctor).get(page_of(lecture)).status_code == 200

    @pytest.mark.django_db(transaction=True)
    def test_two_windows_at_once_write_one_row(self, lecture: Webinar, doctor: User) -> None:
        sheet = refresh_sheet(activity=accredited(lecture.lesson), now=now())
        assert sheet
        found = []

        def work() -> None:
            try:
                found.append(acknowledge(user=doctor, sheet=sheet, shown_at=now() + timedelta(hours=1), now=now()).pk)
            finally:
                connection.close()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 4
        assert set(found) == {Acknowledgement.objects.get().pk}


class TestWhoIsLedThere:
    def led(self, user: User, webinar: Webinar) -> bool:
        response = signed_in(user).get(page_of(webinar))
        assert response.status_code in {200, 302}
        return response.status_code == 302

    def test_the_live_page_from_when_its_doors_open(self, doctor: User, lecture: Webinar) -> None:
        lesson = LessonFactory.create(course=lecture.lesson.course)
        live = LiveWebinarFactory.create(lesson=lesson)
        accredited(lesson, Format.LIVE)
        assert self.led(doctor, live)
        Webinar.objects.filter(pk=live.pk).update(starts_at=now() + timedelta(days=1))
        assert not self.led(doctor, live)  # there is nothing to start yet

    def test_each_format_for_itself(self, doctor: User, lecture: Webinar) -> None:
        accredited(lecture.lesson, Format.LIVE)
        assert not self.led(doctor, lecture)

    def test_not_staff_nor_presenters(self, lecture: Webinar) -> None:
        programme = lecture.lesson.course.programme
        accredited(lecture.lesson)
        staff = RoleGrantFactory.create(programme=programme, role=Role.MODERATOR).user
        speaker, enrolled = UserFactory.create(), EnrolmentFactory.create(programme=programme).user
        assert self.led(enrolled, lecture)
        for one in (speaker, enrolled):
            add_presenter(lecture, one)
        assert [self.led(one, lecture) for one in (staff, speaker, enrolled)] == [False, False, False]

    def test_who_presents_no_more_is_a_doctor_like_others(self, doctor: User, lecture: Webinar) -> None:
        accredited(lecture.lesson)
        add_presenter(lecture, doctor)
        assert not self.led(doctor, lecture)
        doctor.role_grants.all().delete()
        assert self.led(doctor, lecture)

    def test_not_where_it_is_closed_or_nobody_contributes(self, doctor: User, lecture: Webinar) -> None:
        activity = accredited(lecture.lesson, closed_at=now(), state=ActivityState.CLOSED)
        assert not self.led(doctor, lecture)
        Activity.objects.update(state=ActivityState.OPEN)
        assert self.led(doctor, lecture)
        activity.contributors.all().delete()
        assert not self.led(doctor, lecture)

    @pytest.mark.parametrize("has_read", [True, False])
    @pytest.mark.parametrize("others", [0, 3])
    def test_it_costs_one_query(
        self,
        doctor: User,
        lecture: Webinar,
        others: int,
        has_read: bool,
        django_assert_num_queries: DjangoAssertNumQueries,
    ) -> None:
        sheet = refresh_sheet(activity=accredited(lecture.lesson), now=now())
        assert sheet
        for _ in range(others):
            accredited(LessonFactory.create(course=lecture.lesson.course))
            acknowledge(user=UserFactory.create(), sheet=sheet, shown_at=now(), now=now())
        if has_read:
            acknowledge(user=doctor, sheet=sheet, shown_at=now(), now=now())
        with django_assert_num_queries(1):
            found = disclosures_before(lesson=lecture.lesson, user=doctor, is_live=False)
        assert found == (None if has_read else sheet_of(sheet.activity))

    def test_other_lessons_cost_none(self, doctor: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        lesson = LessonFactory.create(kind="quiz")
        with django_assert_num_queries(0):
            assert disclosures_before(lesson=lesson, user=doctor, is_live=False) is None
