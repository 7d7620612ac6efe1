"""The stops of the tour where doctors are asked: tests and feedback forms."""

from datetime import timedelta
from typing import Any

from django.utils.timezone import now

from assessments.domain.interventions import strike_out
from assessments.domain.ranking import refresh_ranking
from assessments.domain.starting import start_attempt
from assessments.domain.submitting import submit
from assessments.enums import EndedBy, QuizKind
from assessments.models import Attempt, Evaluation, EvaluationForm, EvaluationQuestion, Pause, Quiz
from courses.enums import LessonKind
from courses.models import Course, Lesson
from tests.assessments.ranked import marked
from tests.factories.assessments import (
    SINGLE,
    BankFactory,
    EvaluationFactory,
    candidate_of,
    make_evaluation,
    make_item,
    make_quiz,
)
from tests.factories.courses import LessonFactory, RoleGrantFactory
from tests.factories.webinars import LiveWebinarFactory, WebinarFactory
from tests.i18n.tour import DAY, GREEK, Tour, doctors_browser, write_greek
from webinars.domain.checks import close_check, open_check

SHOWN: dict[str, Any] = {"options": [{"id": name, "text": GREEK} for name in "abcd"]}
KEY: dict[str, Any] = {**SINGLE["key"], "rationale": GREEK, "rationales": {"b": GREEK}, "references": [GREEK]}


def tests(tour: Tour) -> None:
    """A test before, during and after an attempt, and in the states in which none can begin."""
    quiz = _quiz(attempts_allowed=2, time_limit_seconds=1800, pass_percent=50, instructions=GREEK)
    doctor = candidate_of(quiz)
    write_greek()
    browser = doctors_browser(doctor)
    path = f"/tests/{quiz.pk}/"
    tour.read(browser, path, "test: not begun")
    tour.read(browser, f"{path}start/", "test: begun", data={"x": ""})
    attempt = Attempt.objects.get(quiz=quiz)
    question = f"/attempts/{attempt.pk}/questions"
    tour.read(browser, f"{question}/0/", "test: answered", data={"choice": "b", "flag": "on", "go": "next"})
    tour.read(browser, f"{question}/1/", "test: to the end", data={"go": "finish"})
    pause = Pause.objects.create(quiz=quiz, began_at=now(), reason=GREEK)
    tour.read(browser, f"/attempts/{attempt.pk}/", "test: held")
    pause.delete()
    tour.read(browser, f"/attempts/{attempt.pk}/finish/", "test: handed in", data={"x": ""})
    tour.read(browser, path, "test: one attempt left")
    start_attempt(quiz=quiz, user=doctor, now=now())
    submit(attempt_id=Attempt.objects.latest("pk").pk, by=EndedBy.DEADLINE)
    tour.read(browser, f"/attempts/{Attempt.objects.latest('pk').pk}/result/", "test: the time was over")
    tour.read(browser, path, "test: no attempt left")
    last = Attempt.objects.latest("pk")
    Attempt.objects.filter(pk=last.pk).update(ended_by=EndedBy.OPERATOR)
    tour.read(browser, f"/attempts/{last.pk}/result/", "test: ended by an operator")
    strike_out(attempt_id=last.pk, reason=GREEK, actor=doctor)
    tour.read(browser, f"/attempts/{last.pk}/result/", "test: struck out")
    _closed_tests(tour, quiz)
    _checks(tour)


def _checks(tour: Tour) -> None:
    """Tests within a webinar whose doors are open: not held up yet, open, and closed in the room."""
    webinar = LiveWebinarFactory.create(starts_at=now() + timedelta(minutes=5))
    lesson = LessonFactory(course=webinar.lesson.course, kind=LessonKind.QUIZ)
    item = make_item(bank=BankFactory(programme=webinar.lesson.course.programme), shown=SHOWN, key=KEY, stem=GREEK)
    quiz = make_quiz(lesson=lesson, items=[item], kind=QuizKind.CHECK, during=webinar.lesson)
    quiz.sections.update(title=GREEK)
    doctor = candidate_of(quiz)
    write_greek()
    browser, path = doctors_browser(doctor), f"/tests/{quiz.pk}/"
    held: dict[str, Any] = {"webinar": webinar, "lesson_id": lesson.pk, "actor": doctor, "now": now()}
    tour.read(browser, path, "check: before")
    open_check(**held)
    tour.read(browser, path, "check: open")
    tour.read(browser, f"{path}start/", "check: begun", data={"x": ""})
    submit(attempt_id=Attempt.objects.get(quiz=quiz).pk, by=EndedBy.PERSON)
    close_check(**held)
    tour.read(browser, path, "check: closed in the room")


def _closed_tests(tour: Tour, quiz: Quiz) -> None:
    browser = doctors_browser(candidate_of(quiz))
    path = f"/tests/{quiz.pk}/"
    for label, window in (
        ("later", {"opens_at": now() + DAY, "closes_at": None}),
        ("closed", {"opens_at": None, "closes_at": now() - timedelta(hours=1)}),
        ("locked", {"opens_at": None, "closes_at": None}),
    ):
        Lesson.objects.filter(pk=quiz.lesson_id).update(**window)
        if label == "locked":
            Course.objects.filter(pk=quiz.lesson.course_id).update(is_sequential=True)
            Lesson.objects.filter(pk=quiz.lesson_id).update(position=9)
            LessonFactory.create(course=quiz.lesson.course, position=1)
        write_greek()
        tour.read(browser, path, f"test: {label}")


def _quiz(**settings: Any) -> Quiz:
    quiz = make_quiz(items=0, **settings)
    bank = BankFactory.create(programme=quiz.lesson.course.programme)
    section = quiz.sections.get()
    section.title = GREEK
    section.save()
    for number in (1, 2):
        item = make_item(bank=bank, shown=SHOWN, key=KEY, stem=GREEK)
        section.picks.create(position=number, item=item)
    return quiz


def feedback(tour: Tour) -> None:
    """A feedback form in all states and with everything filled in wrongly; how a webinar leads on to it."""
    webinar = WebinarFactory.create()
    lesson = LessonFactory.create(course=webinar.lesson.course, kind=LessonKind.EVALUATION)
    evaluation = make_evaluation(lesson=lesson, about=webinar.lesson)
    doctor = candidate_of(evaluation)
    moderator = RoleGrantFactory.create(programme=lesson.course.programme).user
    bare = EvaluationFactory.create(lesson__course=lesson.course, form=None)
    write_greek()
    EvaluationForm.objects.update(introduction=GREEK)
    EvaluationQuestion.objects.update(text=GREEK, help=GREEK)
    EvaluationQuestion.objects.exclude(choices=[]).update(choices=[GREEK, GREEK])
    browser = doctors_browser(doctor)
    path = f"/evaluations/{evaluation.pk}/"
    tour.read(browser, path, "feedback: anonymous")
    tour.read(browser, path, "feedback: nothing given", data={"x": ""})
    tour.read(browser, path, "feedback: other terms", data={"terms": "0-named"})
    tour.read(browser, f"/evaluations/{bare.pk}/", "feedback: no form")
    tour.read(doctors_browser(moderator), path, "feedback: preview")
    evaluation.is_anonymous = False
    evaluation.save()
    tour.read(browser, path, "feedback: named")
    for label, window in (
        ("later", {"opens_at": now() + DAY, "closes_at": None}),
        ("closed", {"opens_at": None, "closes_at": now() - timedelta(hours=1)}),
        ("open", {"opens_at": None, "closes_at": None}),
    ):
        Lesson.objects.filter(pk=lesson.pk).update(**window)
        tour.read(browser, path, f"feedback: {label}")
    Course.objects.filter(pk=lesson.course_id).update(is_sequential=True)
    tour.read(browser, path, "feedback: locked")
    tour.read(browser, f"/webinars/{webinar.pk}/", "feedback: asked for beside the recording")
    Course.objects.filter(pk=lesson.course_id).update(is_sequential=False)
    _hand_in_feedback(tour, evaluation, browser)
    _after_live(tour)


def _hand_in_feedback(tour: Tour, evaluation: Evaluation, browser: Any) -> None:
    assert evaluation.form is not None
    required = {f"q{one.pk}": "1" for one in evaluation.form.questions.filter(is_required=True)}
    path = f"/evaluations/{evaluation.pk}/"
    tour.read(browser, path, "feedback: thanks, named", data=required)
    other = make_evaluation(lesson__course=evaluation.lesson.course, form=evaluation.form, questions=())
    write_greek()
    tour.read(browser, f"/evaluations/{other.pk}/", "feedback: thanks, anonymous", data=required)


def _after_live(tour: Tour) -> None:
    then = now() - timedelta(hours=1)
    webinar = LiveWebinarFactory.create(starts_at=then, live_at=then, ended_at=now())
    evaluation = make_evaluation(lesson__course=webinar.lesson.course, about=webinar.lesson)
    doctor = candidate_of(evaluation)
    write_greek()
    tour.read(doctors_browser(doctor), f"/webinars/{webinar.pk}/", "feedback: asked for when the webinar is over")


def ranking(tour: Tour) -> None:
    """Before there is a result, and with a place: one's name off the board and on it, and at the end."""
    quiz, few = _quiz(has_ranking=True), _quiz(has_ranking=True)
    quiz.lesson.closes_at = now() + DAY
    quiz.lesson.save()
    attempts = [marked(quiz, score, country="GR", specialty=GREEK) for score in range(1, 8)]
    newcomer, alone = candidate_of(quiz), marked(few, 1).user
    write_greek()
    refresh_ranking(quiz_id=quiz.pk, now=now())
    refresh_ranking(quiz_id=few.pk, now=now())
    path = f"/tests/{quiz.pk}/ranking/"
    tour.read(doctors_browser(newcomer), path, "ranking: no result yet")
    tour.read(doctors_browser(alone), f"/tests/{few.pk}/ranking/", "ranking: too few")
    browser = doctors_browser(attempts[3].user)
    tour.read(browser, path, "ranking: nobody is named")
    tour.read(browser, f"{path}name/", "ranking: named", data={"shows": "on"})
    refresh_ranking(quiz_id=quiz.pk, now=now() + 2 * DAY)
    tour.read(browser, path, "ranking: final")


ASSESSMENT_STOPS = (tests, feedback, ranking)
