"""The feedback page and its API: the promise is said, nothing filled in is lost, no text becomes markup."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from assessments.models import Evaluation, EvaluationAnswer, EvaluationForm, EvaluationReceipt
from core.clock import now
from courses.enums import LessonKind
from courses.models import LessonCompletion
from tests.assessments.feedback import as_posted, filled_in, hand_in, questions_of
from tests.factories.assessments import EVERY_KIND, candidate_of, make_evaluation, make_quiz
from tests.factories.courses import LessonFactory, RoleGrantFactory
from tests.factories.webinars import LiveWebinarFactory, WebinarFactory
from tests.signing_in import signed_in
from webinars.domain.course_page import follow_up_of, read_course_page
from webinars.rules import get_webinar_for

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script><b onclick=x>&"


@pytest.fixture
def evaluation() -> Evaluation:
    return make_evaluation()


@pytest.fixture
def doctor(evaluation: Evaluation) -> User:
    return candidate_of(evaluation)


@pytest.fixture
def browser(doctor: User) -> Client:
    return signed_in(doctor)


def path(evaluation: Evaluation) -> str:
    return f"/evaluations/{evaluation.pk}/"


def api(evaluation: Evaluation) -> str:
    return f"/api/v1/evaluations/{evaluation.pk}/"


def send(browser: Client, evaluation: Evaluation, **body: Any) -> Any:
    return browser.post(api(evaluation), body, content_type="application/json")


class TestPage:
    @pytest.mark.parametrize(("is_anonymous", "said"), [(True, "Anonymous."), (False, "With your name.")])
    def test_it_says_whether_names_are_kept(
        self, browser: Client, evaluation: Evaluation, is_anonymous: bool, said: str
    ) -> None:
        Evaluation.objects.update(is_anonymous=is_anonymous)
        page = browser.get(path(evaluation)).content.decode()

        assert [word for word in ("Anonymous.", "With your name.") if word in page] == [said]

    def test_handing_in_thanks_and_a_reload_thanks_again(self, browser: Client, evaluation: Evaluation) -> None:
        response = browser.post(path(evaluation), as_posted(evaluation), follow=True)

        assert response.redirect_chain == [(path(evaluation), 302)]
        assert "Thank you for your feedback" in response.content.decode()
        assert "Thank you for your feedback" in browser.get(path(evaluation)).content.decode()
        assert LessonCompletion.objects.get().lesson == evaluation.lesson

    def test_what_was_filled_in_is_kept_when_something_is_missing(
        self, browser: Client, evaluation: Evaluation
    ) -> None:
        sent = as_posted(evaluation, 4, 5, 9, 1, [0, 2], HOSTILE)
        questions = questions_of(evaluation)
        del sent[f"q{questions[0].pk}"]
        page = browser.post(path(evaluation), sent).content.decode()

        for number, value in ((1, 5), (2, 9), (3, 1), (4, 0), (4, 2)):
            assert f'name="q{questions[number].pk}" value="{value}" checked' in page
        assert page.count(" checked") == 5
        assert page.count("Please answer this question.") == 1
        assert "&lt;script&gt;alert(1)&lt;/script&gt;&lt;b onclick=x&gt;&amp;</textarea>" in page
        assert not EvaluationReceipt.objects.exists()

    def test_sec_20_fields_that_were_not_asked_for_are_not_taken(
        self, browser: Client, doctor: User, evaluation: Evaluation
    ) -> None:
        extra = {"user": doctor.pk, "evaluation": 1, "answered_on": "2020-01-01", "is_anonymous": "0", "q0": "5"}
        browser.post(path(evaluation), as_posted(evaluation) | extra)

        receipt = EvaluationReceipt.objects.get()
        assert (receipt.user, receipt.evaluation) == (doctor, evaluation)
        assert receipt.answered_on == now().date()
        assert evaluation.responses.get().user is None

    def test_the_terms_that_were_shown_are_those_that_hold(self, browser: Client, evaluation: Evaluation) -> None:
        sent = as_posted(evaluation) | {"terms": f"{evaluation.form_id}-named"}
        page = browser.post(path(evaluation), sent).content.decode()

        assert "has changed meanwhile" in page
        assert page.count(" checked") == 6
        assert not EvaluationReceipt.objects.exists()

    def test_staff_look_at_it_and_hand_nothing_in(self, evaluation: Evaluation) -> None:
        moderator = signed_in(RoleGrantFactory.create(programme=evaluation.lesson.course.programme).user)
        page = moderator.get(path(evaluation)).content.decode()
        moderator.post(path(evaluation), as_posted(evaluation))

        assert "preview" in page
        assert "Hand in my feedback" not in page
        assert not EvaluationReceipt.objects.exists()

    def test_sec_22_what_authors_wrote_is_shown_as_text(self) -> None:
        questions = [{**one, "text": HOSTILE, "help": HOSTILE} for one in EVERY_KIND]
        evaluation = make_evaluation(questions=questions)
        EvaluationForm.objects.update(introduction=HOSTILE)
        page = signed_in(candidate_of(evaluation)).get(path(evaluation)).content.decode()

        assert "<script>alert" not in page
        assert "onclick=x>" not in page.replace("onclick=x&gt;", "")
        assert page.count("&lt;script&gt;alert(1)") == 2 * len(EVERY_KIND) + 1

    @pytest.mark.parametrize("number", [1, 4])
    def test_it_costs_the_same_for_any_number_of_questions(
        self, number: int, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        evaluation = make_evaluation(questions=EVERY_KIND[:number])
        browser = signed_in(candidate_of(evaluation))
        browser.get(path(evaluation))
        with django_assert_num_queries(7):
            browser.get(path(evaluation))


class TestApi:
    def test_it_shows_the_questions_and_takes_the_answers(self, browser: Client, evaluation: Evaluation) -> None:
        shown = browser.get(api(evaluation)).json()
        assert [one["kind"] for one in shown["questions"]] == [one["kind"] for one in EVERY_KIND]
        assert [len(one["options"]) for one in shown["questions"]] == [5, 5, 11, 2, 3, 0]
        assert (shown["is_anonymous"], shown["is_answered"], shown["state"]) == (True, False, "open")

        answer = send(browser, evaluation, answers=filled_in(evaluation))
        assert (answer.status_code, answer.json()["is_answered"]) == (201, True)
        assert EvaluationAnswer.objects.count() == 6

    def test_what_was_answered_is_never_read_back(self, browser: Client, evaluation: Evaluation) -> None:
        send(browser, evaluation, answers=filled_in(evaluation, 1, 2, 3, 0, [1], "SECRET-WORDS"))
        assert EvaluationAnswer.objects.filter(text="SECRET-WORDS").exists()

        for address in (path(evaluation), api(evaluation)):
            assert "SECRET-WORDS" not in browser.get(address).content.decode()

    def test_a_second_time_is_a_conflict(self, browser: Client, evaluation: Evaluation) -> None:
        send(browser, evaluation, answers=filled_in(evaluation))

        assert send(browser, evaluation, answers=filled_in(evaluation)).status_code == 409
        assert EvaluationReceipt.objects.count() == 1

    def test_errors_name_the_questions(self, browser: Client, evaluation: Evaluation) -> None:
        answer = send(browser, evaluation, answers={"x" * 50: 1, str(questions_of(evaluation)[0].pk): 9})

        assert answer.status_code == 400
        assert str(questions_of(evaluation)[1].pk) in answer.content.decode()
        assert not EvaluationReceipt.objects.exists()

    def test_sec_20_fields_it_does_not_know_are_refused(self, browser: Client, evaluation: Evaluation) -> None:
        answer = send(browser, evaluation, answers=filled_in(evaluation), user=1)

        assert answer.status_code == 400
        assert not EvaluationReceipt.objects.exists()


class TestWayThere:
    @pytest.mark.parametrize("kind", [LessonKind.QUIZ, LessonKind.EVALUATION, LessonKind.WEBINAR])
    def test_a_lesson_leads_to_the_page_of_its_kind(self, kind: str) -> None:
        made: Any
        if kind == LessonKind.QUIZ:
            made, address = make_quiz(), "/tests/{}/"
        elif kind == LessonKind.EVALUATION:
            made, address = make_evaluation(), "/evaluations/{}/"
        else:
            made, address = WebinarFactory.create(), "/webinars/{}/"
        browser = signed_in(candidate_of(made))
        response = browser.get(f"/lessons/{made.lesson_id}/")

        assert (response.status_code, response["Location"]) == (302, address.format(made.pk))

    def test_one_without_content_is_not_there(self) -> None:
        lesson = LessonFactory.create(kind=LessonKind.DOCUMENT)
        browser = signed_in(RoleGrantFactory.create(programme=lesson.course.programme).user)

        assert browser.get(f"/lessons/{lesson.pk}/").status_code == 404

    def test_lists_link_what_is_open(self, browser: Client, evaluation: Evaluation) -> None:
        course = evaluation.lesson.course
        later = make_evaluation(lesson__course=course, lesson__opens_at=now().replace(year=2100)).lesson
        quiz = make_quiz(lesson=LessonFactory.create(course=course, kind=LessonKind.QUIZ)).lesson
        webinar = WebinarFactory.create(lesson__course=course)
        for address in (f"/programmes/{course.programme.slug}/", f"/webinars/{webinar.pk}/"):
            page = browser.get(address).content.decode()
            linked = {one.pk for one in (evaluation.lesson, later, quiz) if f'"/lessons/{one.pk}/"' in page}
            assert linked == {evaluation.lesson_id, quiz.pk}

    def test_the_end_of_a_live_webinar_leads_to_its_feedback_until_it_is_given(self) -> None:
        webinar = LiveWebinarFactory.create(starts_at=now(), live_at=now(), ended_at=now())
        course = webinar.lesson.course
        make_evaluation(lesson__course=course)  # about nothing in particular
        evaluation = make_evaluation(lesson__course=course, about=webinar.lesson)
        doctor = candidate_of(evaluation)
        browser = signed_in(doctor)
        page = browser.get(f"/webinars/{webinar.pk}/").content.decode()
        assert "How was it?" in page
        assert page.count(f'"/lessons/{evaluation.lesson_id}/"') == 2

        hand_in(evaluation, user=doctor)
        assert "How was it?" not in browser.get(f"/webinars/{webinar.pk}/").content.decode()

    def test_beside_a_recording_it_waits_for_the_end(self) -> None:
        webinar = WebinarFactory.create(lesson__course__is_sequential=True)
        evaluation = make_evaluation(lesson__course=webinar.lesson.course, about=webinar.lesson)
        doctor = candidate_of(evaluation)
        browser = signed_in(doctor)
        page = browser.get(f"/webinars/{webinar.pk}/").content.decode()
        assert 'data-part="done" hidden>' in page
        assert "How was it?" in page

        LessonCompletion.objects.create(user=doctor, lesson=webinar.lesson, completed_at=now())
        page = browser.get(f"/webinars/{webinar.pk}/").content.decode()
        assert 'data-part="done">' in page
        assert "How was it?" in page

    def test_a_course_without_feedback_costs_no_query_more(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        webinar = WebinarFactory.create()
        doctor = candidate_of(webinar)
        page = read_course_page(webinar=get_webinar_for(doctor, webinar.pk), user=doctor, now=now())
        with django_assert_num_queries(0):
            assert follow_up_of(page) is None
