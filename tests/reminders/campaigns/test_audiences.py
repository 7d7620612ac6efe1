"""Whom filters mean, exactly; and what is no filter."""

from datetime import timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from courses.enums import EnrolmentStatus
from courses.models import CourseCompletion, LessonCompletion, Programme
from reminders.domain.audiences import KEYS, AudienceError, audience_of, clean, examples_of, number_of
from reminders.enums import DeliveryState, Kind
from tests.factories.accounts import UserFactory
from tests.factories.assessments import make_evaluation
from tests.factories.certification import CertificateTemplateFactory
from tests.factories.courses import CohortFactory, EnrolmentFactory, ProgrammeFactory
from tests.factories.webinars import WatchRecordFactory
from tests.reminders.campaigns.playing import play
from tests.reminders.factories import NOW, DeliveryFactory, Scene, scene
from webinars.enums import Phase
from webinars.models import Registration

pytestmark = pytest.mark.django_db


@pytest.fixture
def there() -> Scene:
    """Three doctors; and somebody else's, who is in no answer."""
    found = scene(doctors=3)
    scene(doctors=2)
    return found


def told(audience: dict[str, Any], programme: Programme) -> list[User]:
    return [row.user for row in audience_of(audience, programme=programme, now=NOW).order_by("user_id")]


class TestPeople:
    def test_without_filters_everybody_with_an_open_place(self, there: Scene) -> None:
        for status in (EnrolmentStatus.INVITED, EnrolmentStatus.SUSPENDED, EnrolmentStatus.WITHDRAWN):
            EnrolmentFactory.create(programme=there.programme, status=status)
        EnrolmentFactory.create(programme=there.programme, user__is_active=False)

        assert told({}, there.programme) == there.doctors

    def test_those_who_were_only_invited(self, there: Scene) -> None:
        invited = EnrolmentFactory.create(programme=there.programme, status=EnrolmentStatus.INVITED)

        assert told({"places": ["invited"]}, there.programme) == [invited.user]

    def test_country_specialty_and_language(self, there: Scene) -> None:
        one, two, three = there.doctors
        User.objects.filter(pk=one.pk).update(country="IN", specialty="Gynaecology")
        User.objects.filter(pk=two.pk).update(country="IN", specialty="gynaecology")
        User.objects.filter(pk=three.pk).update(country="KE", specialty="Gynaecology", language="fr")
        both = {"countries": ["IN"], "specialties": ["GYNAECOLOGY"]}

        assert told(both, there.programme) == [one, two]
        assert told({"languages": ["en"]}, there.programme) == [one, two]
        assert [one.country for one in examples_of({"countries": ["KE"]}, programme=there.programme, now=NOW)] == [
            "Kenya"
        ]

    def test_cohort(self, there: Scene) -> None:
        cohort = CohortFactory.create(programme=there.programme)
        there.enrolments[1].cohort = cohort
        there.enrolments[1].save()

        assert told({"cohorts": [cohort.pk]}, there.programme) == [there.doctors[1]]

    def test_last_sign_in(self, there: Scene) -> None:
        one, two, three = there.doctors
        User.objects.filter(pk=one.pk).update(last_login=NOW - timedelta(days=2))
        User.objects.filter(pk=two.pk).update(last_login=NOW - timedelta(days=20))
        User.objects.filter(pk=three.pk).update(last_login=None)

        assert told({"signed_in_within_days": 7}, there.programme) == [one]
        assert told({"not_signed_in_for_days": 7}, there.programme) == [two, three]

    def test_messages_never_received_and_never_opened(self, there: Scene) -> None:
        one, two, three = there.doctors
        sent = {"programme": there.programme, "state": DeliveryState.SENT}
        DeliveryFactory.create(user=one, read_at=NOW, **sent)
        DeliveryFactory.create(user=two, **sent)
        DeliveryFactory.create(user=three, kind=Kind.TEST, **sent)
        DeliveryFactory.create(user=three, programme=there.programme)
        DeliveryFactory.create(user=three, state=DeliveryState.SENT)  # of another programme

        assert told({"messages": "never_received"}, there.programme) == [three]
        assert told({"messages": "never_opened"}, there.programme) == [two]


class TestLearning:
    def test_registered_or_not(self, there: Scene) -> None:
        one, two, three = there.doctors
        Registration.objects.create(webinar=there.webinar, user=one, registered_at=NOW)
        Registration.objects.create(webinar=there.webinar, user=two, registered_at=NOW, cancelled_at=NOW)
        Registration.objects.create(webinar=scene().webinar, user=three, registered_at=NOW)  # for another webinar

        assert told({"webinar": there.webinar.pk, "registered": "yes"}, there.programme) == [one]
        assert told({"webinar": there.webinar.pk, "registered": "no"}, there.programme) == [two, three]

    def test_came_and_opened_the_recording(self, there: Scene) -> None:
        one, two, three = there.doctors
        play(there.webinar, one, phase=Phase.LIVE)
        there.webinar.visits.create(user=two, joined_at=NOW, seen_at=NOW)
        play(there.webinar, three)
        about = {"webinar": there.webinar.pk}

        assert told({**about, "attended": "yes"}, there.programme) == [one, two]
        assert told({**about, "attended": "no"}, there.programme) == [three]
        assert told({**about, "recording_opened": "yes"}, there.programme) == [three]
        assert told({**about, "recording_opened": "no"}, there.programme) == [one, two]

    def test_watched_a_share(self, there: Scene) -> None:
        one, two, three = there.doctors
        WatchRecordFactory.create(user=one, webinar=there.webinar, seen_seconds=1620, required_seconds=3240)
        WatchRecordFactory.create(user=two, webinar=there.webinar, seen_seconds=1619, required_seconds=3240)
        LessonCompletion.objects.create(user=three, lesson=there.webinar.lesson, completed_at=NOW)
        about = {"webinar": there.webinar.pk}

        assert told({**about, "watched_at_least": 50}, there.programme) == [one, three]
        assert told({**about, "watched_less_than": 50}, there.programme) == [two]

    def test_courses(self, there: Scene) -> None:
        one, two, three = there.doctors
        course = there.webinar.lesson.course
        CourseCompletion.objects.create(user=one, course=course, completed_at=NOW)
        WatchRecordFactory.create(user=two, webinar=there.webinar)

        assert told({"courses_completed": [course.pk]}, there.programme) == [one]
        assert told({"courses_not_completed": [course.pk]}, there.programme) == [two, three]
        assert told({"courses_started": [course.pk]}, there.programme) == [two]

    def test_feedback_that_is_missing(self, there: Scene) -> None:
        evaluation = make_evaluation(lesson__course=there.webinar.lesson.course)
        evaluation.receipts.create(user=there.doctors[0], answered_on=NOW.date())

        assert told({"evaluations_missing": [evaluation.pk]}, there.programme) == there.doctors[1:]

    def test_certificate(self, there: Scene) -> None:
        from certification.domain.issuing import issue

        CertificateTemplateFactory.create(programme=there.programme)
        enrolment = there.enrolments[2]
        enrolment.status, enrolment.completed_at = EnrolmentStatus.COMPLETED, NOW
        enrolment.save()
        issue(of=enrolment, now=NOW)

        assert told({"certificate": "yes"}, there.programme) == [there.doctors[2]]
        assert told({"certificate": "no"}, there.programme) == there.doctors[:2]

    def test_of_several_filters_all_hold(self, there: Scene) -> None:
        """Registered, not watched, India, gynaecology."""
        User.objects.filter(pk__in=[one.pk for one in there.doctors[:2]]).update(country="IN", specialty="Gynaecology")
        for doctor in there.doctors[1:]:
            Registration.objects.create(webinar=there.webinar, user=doctor, registered_at=NOW)
        wanted = {
            "webinar": there.webinar.pk, "registered": "yes", "watched_less_than": 10, "countries": ["IN"],
            "specialties": ["gynaecology"],
        }  # fmt: skip

        assert told(wanted, there.programme) == [there.doctors[1]]
        assert number_of(wanted, programme=there.programme, now=NOW) == 1


class TestRefused:
    @pytest.mark.parametrize(
        ("audience", "key"),
        [
            ({"user__password__startswith": "a"}, "user__password__startswith"),
            ({"countries": "IN"}, "countries"),
            ({"countries": ["XX"]}, "countries"),
            ({"places": ["withdrawn"]}, "places"),
            ({"signed_in_within_days": "7"}, "signed_in_within_days"),
            ({"signed_in_within_days": True}, "signed_in_within_days"),
            ({"signed_in_within_days": 0}, "signed_in_within_days"),
            ({"watched_at_least": 50}, "watched_at_least"),
            ({"registered": "yes"}, "registered"),
            ({"courses_completed": [10**30]}, "courses_completed"),
            ({"courses_completed": ["1 OR 1=1"]}, "courses_completed"),
            ({"messages": {"$ne": 1}}, "messages"),
            ([], ""),
        ],
    )
    def test_with_words(self, audience: Any, key: str, there: Scene) -> None:
        with pytest.raises(AudienceError) as refused:
            audience_of(audience, programme=there.programme, now=NOW) if audience else clean(
                audience, programme=there.programme
            )

        assert list(refused.value.problems) == [key]
        assert all(refused.value.problems.values())

    @pytest.mark.parametrize("key", ["webinar", "courses_completed", "cohorts", "evaluations_missing"])
    def test_things_of_another_programme_are_refused_as_if_they_were_not_there(self, key: str, there: Scene) -> None:
        other = scene()
        course = other.webinar.lesson.course
        foreign = {
            "webinar": other.webinar.pk,
            "courses_completed": [course.pk],
            "cohorts": [CohortFactory.create(programme=other.programme).pk],
            "evaluations_missing": [make_evaluation(lesson__course=course).pk],
        }[key]
        absent = 10**9 if key == "webinar" else [10**9]
        answers = []
        for value in (foreign, absent):
            with pytest.raises(AudienceError) as refused:
                clean({key: value}, programme=there.programme)
            answers.append(refused.value.problems)

        assert answers[0] == answers[1]

    def test_what_says_nothing_is_left_out(self, there: Scene) -> None:
        assert clean(dict.fromkeys(KEYS, ""), programme=there.programme) == {}


class TestQueries:
    @pytest.mark.parametrize("doctors", [1, 3])
    def test_one_for_the_number_and_one_for_the_names(
        self, doctors: int, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        there = scene(doctors=doctors)
        wanted = {"signed_in_within_days": 3_000, "messages": "never_received", "certificate": "no"}

        with django_assert_num_queries(1):
            assert number_of(wanted, programme=there.programme, now=NOW) == doctors
        with django_assert_num_queries(1):
            assert len(examples_of(wanted, programme=there.programme, now=NOW)) == doctors


def test_a_name_is_only_a_name() -> None:
    """Nothing of what a person wrote about themselves becomes part of a question to the database."""
    programme = ProgrammeFactory.create()
    odd = UserFactory.create(specialty="%' OR 1=1 --", country="IN")
    EnrolmentFactory.create(programme=programme, user=odd)
    EnrolmentFactory.create(programme=programme)

    assert told({"specialties": ["%' OR 1=1 --"]}, programme) == [odd]
    assert told({"specialties": ["%"]}, programme) == []
