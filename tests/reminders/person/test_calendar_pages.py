"""A webinar in the doctor's calendar: the page with the choices, the file, the feed and its address."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import vobject
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from reminders.domain import feeds
from reminders.models import CalendarFeed
from tests.factories.accounts import UserFactory
from tests.factories.courses import EnrolmentFactory
from tests.factories.webinars import LiveWebinarFactory, WebinarFactory
from tests.reminders.factories import Scene, scene
from tests.signing_in import signed_in
from webinars.models import Registration, Webinar

pytestmark = pytest.mark.django_db
ADDRESS = "http://127.0.0.1:8000"


@pytest.fixture
def mine() -> Scene:
    return scene(starts_at=now() + timedelta(days=2))


@pytest.fixture
def browser(mine: Scene) -> Client:
    return signed_in(mine.doctors[0])


def events(content: bytes) -> dict[str, Any]:
    calendar = vobject.readOne(content.decode())
    calendar.validate(raiseException=True)
    return {one.summary.value: one for one in getattr(calendar, "vevent_list", [])}


class TestTheFile:
    def test_it_has_the_time_the_title_and_the_address(self, browser: Client, mine: Scene) -> None:
        starts = datetime.fromisoformat("2027-03-04T18:30:00+00:00")
        Webinar.objects.filter(pk=mine.webinar.pk).update(starts_at=starts, planned_minutes=90)
        type(mine.webinar.lesson).objects.update(title="IVF, surgery;\nBEGIN:VEVENT " + "ä" * 60)
        answer = browser.get(f"/webinars/{mine.webinar.pk}/calendar.ics")
        assert answer["Content-Type"] == "text/calendar; charset=utf-8"
        ((title, event),) = events(answer.content).items()
        assert title == "IVF, surgery; BEGIN:VEVENT " + "ä" * 60
        assert (event.dtstart.value, event.dtend.value) == (starts, starts + timedelta(minutes=90))
        assert event.url.value == f"{ADDRESS}/webinars/{mine.webinar.pk}/"
        assert event.uid.value == f"webinar-{mine.webinar.pk}@127.0.0.1"
        assert event.sequence.value == "0"

    def test_after_a_move_it_replaces_the_entry_of_before(self, browser: Client, mine: Scene) -> None:
        from reminders.domain.revisions import notice_changes

        notice_changes(now=now())
        Webinar.objects.filter(pk=mine.webinar.pk).update(starts_at=now() + timedelta(days=5))
        (event,) = events(browser.get(f"/webinars/{mine.webinar.pk}/calendar.ics").content).values()
        assert event.sequence.value == "1"

    def test_a_lecture_without_a_date_has_none(self, browser: Client, mine: Scene) -> None:
        lecture = WebinarFactory.create(lesson__course=mine.webinar.lesson.course)
        assert browser.get(f"/webinars/{lecture.pk}/calendar.ics").status_code == 404
        assert browser.get(f"/webinars/{lecture.pk}/calendar/").status_code == 404

    def test_a_foreign_one_is_as_absent(self, browser: Client) -> None:
        foreign = LiveWebinarFactory.create()
        assert browser.get(f"/webinars/{foreign.pk}/calendar.ics").status_code == 404
        assert browser.get(f"/webinars/{foreign.pk}/calendar/").status_code == 404


class TestThePage:
    def test_it_offers_the_well_known_calendars_the_file_and_the_feed(self, browser: Client, mine: Scene) -> None:
        page = browser.get(f"/webinars/{mine.webinar.pk}/calendar/").content.decode()
        wanted = (
            "https://calendar.google.com/calendar/render?", "https://outlook.live.com/calendar/",
            "https://outlook.office.com/calendar/", f"/webinars/{mine.webinar.pk}/calendar.ics", "/account/messages/",
        )  # fmt: skip
        assert [one for one in wanted if f'href="{one}' not in page] == []
        assert page.count('rel="noopener noreferrer external"') == 3

    def test_of_a_cancelled_webinar_only_the_file_that_takes_it_out(self, browser: Client, mine: Scene) -> None:
        Webinar.objects.filter(pk=mine.webinar.pk).update(cancelled_at=now())
        page = browser.get(f"/webinars/{mine.webinar.pk}/calendar/").content.decode()
        assert "calendar.google.com" not in page
        (event,) = events(browser.get(f"/webinars/{mine.webinar.pk}/calendar.ics").content).values()
        assert event.status.value == "CANCELLED"

    def test_the_webinars_page_leads_there(self, browser: Client, mine: Scene) -> None:
        page = browser.get(f"/webinars/{mine.webinar.pk}/").content.decode()
        assert f'href="/webinars/{mine.webinar.pk}/calendar/"' in page


class TestTheFeed:
    def test_sec_19_it_has_exactly_what_this_person_may_come_to(self, mine: Scene) -> None:
        doctor, course = mine.doctors[0], mine.webinar.lesson.course
        LiveWebinarFactory.create(lesson__title="Somebody else's", starts_at=now() + timedelta(days=1))
        wanted = LiveWebinarFactory.create(
            lesson__course=course,
            lesson__title="Registered",
            starts_at=now() + timedelta(days=3),
            needs_registration=True,
        )
        Registration.objects.create(webinar=wanted, user=doctor, registered_at=now())
        LiveWebinarFactory.create(
            lesson__course=course,
            lesson__title="No place",
            starts_at=now() + timedelta(days=3),
            needs_registration=True,
        )
        LiveWebinarFactory.create(
            lesson__course=course, lesson__title="Long ago", starts_at=now() - timedelta(days=200)
        )
        LiveWebinarFactory.create(
            lesson__course=course, lesson__title="Cancelled", starts_at=now() + timedelta(days=4), cancelled_at=now()
        )
        WebinarFactory.create(lesson__course=course, lesson__title="A lecture")
        answer = Client().get(feeds.make_feed(user=doctor, now=now()))
        assert answer["Content-Type"] == "text/calendar; charset=utf-8"
        found = {title: event.status.value for title, event in events(answer.content).items()}
        assert found == {
            mine.webinar.lesson.title: "CONFIRMED",
            "Registered": "CONFIRMED",
            "Cancelled": "CANCELLED",
        }

    def test_sec_39_it_names_nobody(self, mine: Scene) -> None:
        doctor = mine.doctors[0]
        text = Client().get(feeds.make_feed(user=doctor, now=now())).content.decode()
        assert [one for one in (doctor.email, doctor.last_name, doctor.first_name) if one in text] == []

    def test_an_unknown_address_an_old_one_and_a_stopped_one_are_the_same(self, mine: Scene) -> None:
        doctor = mine.doctors[0]
        first = feeds.make_feed(user=doctor, now=now())
        second = feeds.make_feed(user=doctor, now=now())
        assert [Client().get(path).status_code for path in (first, second, "/calendar/nobodys.ics")] == [404, 200, 404]
        assert feeds.stop_feed(user=doctor) is True
        assert feeds.stop_feed(user=doctor) is False
        assert Client().get(second).status_code == 404

    def test_sec_11_a_disabled_account_has_none(self, mine: Scene) -> None:
        doctor = mine.doctors[0]
        path = feeds.make_feed(user=doctor, now=now())
        User.objects.filter(pk=doctor.pk).update(is_active=False)
        assert Client().get(path).status_code == 404

    def test_it_signs_nobody_in(self, mine: Scene) -> None:
        client = Client()
        answer = client.get(feeds.make_feed(user=mine.doctors[0], now=now()))
        assert not answer.cookies
        assert client.get("/account/").status_code == 302

    def test_sec_02_only_the_hash_of_its_address_is_kept(self, mine: Scene) -> None:
        path = feeds.make_feed(user=mine.doctors[0], now=now())
        token = path.rsplit("/", 1)[1].removesuffix(".ics")
        assert len(token) >= 43
        assert len(bytes(CalendarFeed.objects.get().token_hash)) == 32

    def test_that_a_calendar_reads_it_is_noted_once_an_hour(self, mine: Scene) -> None:
        path = feeds.make_feed(user=mine.doctors[0], now=now())
        token = path.rsplit("/", 1)[1].removesuffix(".ics")
        at = now()
        for minutes, noted in ((0, 0), (30, 0), (61, 61)):
            feeds.open_feed(token=token, now=at + timedelta(minutes=minutes))
            assert CalendarFeed.objects.get().read_at == at + timedelta(minutes=noted)

    def test_a_calendar_gone_wild_is_asked_to_wait(self, mine: Scene) -> None:
        path = feeds.make_feed(user=mine.doctors[0], now=now())
        answers = [Client().get(path).status_code for _ in range(61)]
        assert answers == [200] * 60 + [429]

    @pytest.mark.parametrize("rows", [1, 3])
    def test_it_costs_the_same_for_many(self, mine: Scene, rows: int, django_assert_num_queries: Any) -> None:
        doctor = mine.doctors[0]
        for _ in range(rows):
            LiveWebinarFactory.create(lesson__course=mine.webinar.lesson.course, starts_at=now() + timedelta(days=1))
        path = feeds.make_feed(user=doctor, now=now())
        with django_assert_num_queries(5):  # the address with its person, read_at, webinars, registrations, revisions
            assert len(events(Client().get(path).content)) == rows + 1

    def test_of_several_programmes_all(self, mine: Scene) -> None:
        doctor = mine.doctors[0]
        other = LiveWebinarFactory.create(starts_at=now() + timedelta(days=1), lesson__title="Elsewhere")
        EnrolmentFactory.create(user=doctor, programme=other.lesson.course.programme)
        assert set(events(Client().get(feeds.make_feed(user=doctor, now=now())).content)) == {
            mine.webinar.lesson.title,
            "Elsewhere",
        }


class TestItsAddress:
    def test_it_is_made_shown_once_renewed_and_stopped(self, browser: Client) -> None:
        page = browser.post("/account/messages/calendar/", {"do": "make"}).content.decode()
        path = page.partition(f"{ADDRESS}/calendar/")[2].partition("<")[0]
        assert f'href="webcal://127.0.0.1:8000/calendar/{path}"' in page
        assert Client().get(f"/calendar/{path}").status_code == 200
        assert path not in browser.get("/account/messages/").content.decode()
        assert path not in browser.post("/account/messages/calendar/", {"do": "make"}).content.decode()
        assert Client().get(f"/calendar/{path}").status_code == 404
        browser.post("/account/messages/calendar/", {"do": "stop"})
        assert CalendarFeed.objects.count() == 0

    def test_it_is_ones_own(self, browser: Client) -> None:
        other = UserFactory.create()
        path = feeds.make_feed(user=other, now=now())
        browser.post("/account/messages/calendar/", {"do": "make"})
        browser.post("/account/messages/calendar/", {"do": "stop"})
        assert Client().get(path).status_code == 200
