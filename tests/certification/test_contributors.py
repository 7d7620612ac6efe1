"""Who is in control of what is taught: asked in time, named, and still to be seen after they left."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils.timezone import now

from accounts.models import AuditEvent, User
from certification.domain.activities import (
    NotReadyError,
    changing,
    delete_contributor,
    open_activity,
    save_contributor,
)
from certification.domain.activity_checklist import people_to_ask
from certification.domain.disclosers import DiscloserError, lock_people, save_person
from certification.domain.reviews import StillTeachesError, review
from certification.enums import ActivityState
from certification.models import Activity, Contributor, DisclosureSheet
from core.processes import wait_until
from courses.models import Lesson, Programme
from tests.certification.test_activities import NOBODY, fresh, missing, whole
from tests.factories.accounts import UserFactory
from tests.factories.certification import ContributorFactory, DiscloserFactory, disclose
from tests.factories.courses import LessonFactory
from tests.factories.webinars import LiveWebinarFactory
from tests.meanwhile import somebody_waits

pytestmark = pytest.mark.django_db


@pytest.fixture
def lesson() -> Lesson:
    """A live webinar with a presenter."""
    made: Lesson = LessonFactory.create()
    LiveWebinarFactory.create(lesson=made, presenters=[UserFactory.create(email="ana@hospital.example")])
    return made


@pytest.fixture
def live(lesson: Lesson) -> Activity:
    return whole(lesson)


@pytest.fixture
def opened(live: Activity) -> Activity:
    open_activity(activity=live, now=now(), **NOBODY)
    return fresh(live)


class TestAskedInTime:
    @pytest.mark.parametrize(
        ("days", "said"),
        [(300, None), (370, "is older than 12 months when it begins. Ask for a new one on")],
    )
    def test_a_statement_must_still_hold_when_it_begins(self, live: Activity, days: int, said: str | None) -> None:
        """One of today does not hold for an event that is further away than a statement may be used."""
        person = live.contributors.get().person
        disclose(person, decision="none", days=0)
        start = now() + timedelta(days=days)
        Activity.objects.update(starts_at=start, ends_at=start + timedelta(hours=1))
        found = missing(live).get("people", ())
        assert [str(said) in text for text in found] == ([True] if said else [])
        assert people_to_ask(activity=fresh(live), now=now()) == []

    def test_who_stated_too_long_before_it_begins_is_asked_again(self, live: Activity) -> None:
        """A statement knows nothing of the months after it."""
        person = DiscloserFactory.create(programme=live.lesson.course.programme, name="Dr Ben")
        disclose(person, decision="none", days=120)
        ContributorFactory.create(activity=live, person=person)
        start = now() + timedelta(days=300)
        Activity.objects.update(starts_at=start, ends_at=start + timedelta(hours=1))
        assert missing(live) == {
            "people": ("The statement of Dr Ben is older than 12 months when it begins. Ask for a new one.",)
        }
        assert people_to_ask(activity=fresh(live), now=now()) == [person]
        with pytest.raises(NotReadyError):
            open_activity(activity=live, now=now(), **NOBODY)

    def test_a_programme_may_ask_more_often(self, live: Activity) -> None:
        person = DiscloserFactory.create(programme=live.lesson.course.programme, name="Dr Ben")
        disclose(person, decision="none", days=100)
        ContributorFactory.create(activity=live, person=person)
        assert missing(live) == {}
        Programme.objects.update(statement_months=3)
        ((text,),) = missing(live).values()
        assert text.startswith("The statement of Dr Ben is older than 3 months")


@pytest.mark.django_db(transaction=True)
def test_nobody_is_excluded_while_their_activity_opens(live: Activity) -> None:
    """Whichever comes first: the other waits for it, and is refused by what it left."""
    stated = live.contributors.get().person.disclosures.get()
    actor, done = UserFactory.create(), []

    def run(work: Callable[[], object]) -> None:
        try:
            work()
            done.append(True)
        except (NotReadyError, StillTeachesError):
            done.append(False)
        finally:
            connection.close()

    def exclude() -> None:
        review(disclosure=stated, decision="excluded", mitigation="", actor=actor, now=now())

    threads = [
        threading.Thread(target=run, args=(exclude,)),
        threading.Thread(target=run, args=(lambda: open_activity(activity=live, now=now(), **NOBODY),)),
    ]
    with transaction.atomic():
        lock_people(live.lesson.course.programme_id)  # both begin while a third one is at it
        for thread in threads:
            thread.start()
        assert wait_until(somebody_waits, seconds=60)
    for thread in threads:
        thread.join()
    assert sorted(done) == [False, True]


class TestWhoContributes:
    def test_who_leaves_is_no_more_read_and_stays_to_be_seen(self, opened: Activity) -> None:
        editor, at = UserFactory.create(), now()
        ben = DiscloserFactory.create(programme=opened.lesson.course.programme, name="Dr Ben")
        disclose(ben, decision="none")
        given: dict[str, Any] = {"actor": editor, "now": at}
        with changing(activity_id=opened.pk, now=at):
            save_contributor(contributor=Contributor(activity=opened, person=ben, role="reviewer"), **given)
        with changing(activity_id=opened.pk, now=at):
            delete_contributor(contributor=ben.contributions.get(), **given)
        newest = DisclosureSheet.objects.latest("pk")
        assert "Dr Ben" not in {one["name"] for one in newest.content["people"]}
        assert Contributor.objects.get(person=ben).left_at == at
        review(disclosure=ben.disclosures.get(), decision="excluded", mitigation="", **given)  # teaches nothing now
        events = AuditEvent.objects.filter(action="activity.changed", details__discloser=ben.pk).order_by("pk")
        assert [(one.actor, one.details.get("joined"), one.details.get("left")) for one in events] == [
            (editor, "Dr Ben", None), (editor, None, "Dr Ben")
        ]  # fmt: skip

    def test_who_left_may_come_back_and_nobody_is_there_twice(self, opened: Activity) -> None:
        ana = opened.contributors.get()
        ben = DiscloserFactory.create(programme=opened.lesson.course.programme)
        delete_contributor(contributor=ana, now=now())
        again = Contributor(activity=opened, person=ana.person, role=ana.role)
        save_contributor(contributor=again, now=now())
        save_contributor(contributor=Contributor(activity=opened, person=ana.person, role=ana.role), now=now())
        assert [one.left_at is None for one in opened.contributors.order_by("pk")] == [False, True]
        with pytest.raises(IntegrityError), transaction.atomic():
            Contributor.objects.create(activity=opened, person=ana.person, role=ana.role)
        ContributorFactory.create(activity=opened, person=ben, role=ana.role)
        turned = opened.contributors.get(person=ben)
        turned.person = ana.person
        save_contributor(contributor=turned, now=now())  # into somebody who is there
        assert list(opened.contributors.present().values_list("person", flat=True)) == [ana.person_id]

    def test_a_row_that_names_somebody_else_now_is_two(self, opened: Activity) -> None:
        ana, ben = opened.contributors.get(), DiscloserFactory.create(programme=opened.lesson.course.programme)
        before = ana.person_id
        ana.person = ben
        save_contributor(contributor=ana, now=(at := now()))
        rows = opened.contributors.order_by("pk").values_list("person", "left_at")
        assert list(rows) == [(before, at), (ben.pk, None)]

    def test_an_address_is_no_name(self, lesson: Lesson) -> None:
        """Of a presenter whose account has none, until somebody writes it."""
        who = list(lesson.webinar.presenters.values_list("pk", flat=True))
        User.objects.filter(pk__in=who).update(title="", first_name="", last_name="")
        activity = whole(lesson)
        assert missing(activity) == {"people": ("Write the name of ana@hospital.example, as doctors are to read it.",)}
        with pytest.raises(NotReadyError):
            open_activity(activity=activity, now=now(), **NOBODY)
        person = activity.contributors.get().person
        with pytest.raises(DiscloserError):
            save_person(person=person, now=now(), **NOBODY)
        person.name = "Dr Ana Ribeiro"
        save_person(person=person, now=now(), **NOBODY)
        assert open_activity(activity=activity, now=now(), **NOBODY).state == ActivityState.OPEN
