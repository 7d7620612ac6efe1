"""Answering a feedback form: once, under the terms one read, and without a trace from the answers to the person."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.utils import ProgrammingError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from assessments.domain.evaluation_forms import (
    AnsweredError,
    FrozenError,
    ReplacedError,
    TitleTakenError,
    copy_form,
    delete_question,
    new_edition,
    ready_form,
    reorder_questions,
    save_evaluation,
    save_form,
    save_question,
)
from assessments.domain.evaluation_lessons import EvaluationLessons
from assessments.domain.evaluation_results import has_evaluated
from assessments.domain.evaluation_sheet import read_answers
from assessments.domain.evaluations import (
    AlreadyAnsweredError,
    ChangedError,
    IncompleteError,
    NotEnrolledError,
    NotOpenError,
    answer_evaluation,
)
from assessments.enums import Dimension, QuestionKind
from assessments.models import (
    Evaluation,
    EvaluationAnswer,
    EvaluationForm,
    EvaluationQuestion,
    EvaluationReceipt,
    EvaluationResponse,
)
from core.clock import now
from courses.domain.authoring import InUseError, check_deletable, duplicate_course, save_lesson
from courses.enums import LessonKind
from courses.models import Lesson, LessonCompletion
from tests.assessments.feedback import filled_in, hand_in, questions_of
from tests.factories.accounts import UserFactory
from tests.factories.assessments import EvaluationFormFactory, candidate_of, make_evaluation
from tests.factories.courses import CourseFactory, LessonFactory, ProgrammeFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def evaluation() -> Evaluation:
    return make_evaluation()


@pytest.fixture
def doctor(evaluation: Evaluation) -> User:
    return candidate_of(evaluation)


def written() -> list[int]:
    return [model.objects.count() for model in (EvaluationReceipt, EvaluationResponse, EvaluationAnswer)]


class TestAnswering:
    def test_it_is_stored_and_completes_the_lesson(self, evaluation: Evaluation, doctor: User) -> None:
        hand_in(evaluation, user=doctor)

        answers = EvaluationAnswer.objects.order_by("question__position")
        assert [(one.number, one.chosen, one.text) for one in answers] == [
            (4, [], ""), (5, [], ""), (9, [], ""), (0, [], ""), (None, [0, 2], ""), (None, [], "More cases, please."),
        ]  # fmt: skip
        done = LessonCompletion.objects.get(user=doctor, lesson=evaluation.lesson)
        assert done.evidence == {"evaluation": evaluation.pk, "form": evaluation.form_id, "edition": 1}
        assert has_evaluated(user_id=doctor.pk, lesson_id=evaluation.lesson_id)
        assert not has_evaluated(user_id=candidate_of(evaluation).pk, lesson_id=evaluation.lesson_id)

    def test_what_is_optional_may_be_left_out(self, evaluation: Evaluation, doctor: User) -> None:
        hand_in(evaluation, 1, 1, 0, 1, [], "  ", user=doctor)

        assert written() == [1, 1, 4]

    def test_a_second_time_is_refused_and_changes_nothing(self, evaluation: Evaluation, doctor: User) -> None:
        hand_in(evaluation, user=doctor)
        with pytest.raises(AlreadyAnsweredError):
            hand_in(evaluation, 1, 1, 1, 1, user=doctor)

        assert written() == [1, 1, 6]

    def test_the_database_holds_one_receipt_for_each_person(self, evaluation: Evaluation, doctor: User) -> None:
        hand_in(evaluation, user=doctor)
        with pytest.raises(IntegrityError), transaction.atomic():
            EvaluationReceipt.objects.create(evaluation=evaluation, user=doctor, answered_on=now().date())

    @pytest.mark.parametrize("gap", [0, 1, 2, 3])
    def test_a_missing_required_answer_writes_nothing(self, evaluation: Evaluation, doctor: User, gap: int) -> None:
        values: list[Any] = [4, 5, 9, 0]
        values[gap] = None
        with pytest.raises(IncompleteError) as refused:
            hand_in(evaluation, *values, user=doctor)

        assert set(refused.value.errors) == {questions_of(evaluation)[gap].pk}
        assert written() == [0, 0, 0]
        assert not LessonCompletion.objects.exists()
        assert not EvaluationForm.objects.exclude(frozen_at=None).exists()

    @pytest.mark.parametrize(
        ("position", "value"),
        [
            (0, 0), (0, 6), (0, True), (0, "4"), (0, 4.0), (0, [4]), (0, {"a": 1}), (1, 6), (2, 11), (2, -1), (3, 2),
            (4, [3]), (4, 1), (4, [True]), (4, [[0]]), (5, 7), (5, "a\x00b"), (5, "x" * 4001), (5, "\ud800"),
        ],
    )  # fmt: skip
    def test_a_value_that_was_not_offered_is_refused(
        self, evaluation: Evaluation, doctor: User, position: int, value: Any
    ) -> None:
        values: list[Any] = [4, 5, 9, 0, [], ""]
        values[position] = value
        with pytest.raises(IncompleteError) as refused:
            hand_in(evaluation, *values, user=doctor)

        assert set(refused.value.errors) == {questions_of(evaluation)[position].pk}
        assert written() == [0, 0, 0]

    def test_a_question_of_another_form_is_refused(self, evaluation: Evaluation, doctor: User) -> None:
        foreign = questions_of(make_evaluation())[0]
        with pytest.raises(IncompleteError) as refused:
            answer_evaluation(
                evaluation=evaluation, user=doctor, given=filled_in(evaluation) | {foreign.pk: 5}, now=now()
            )

        assert set(refused.value.errors) == {foreign.pk}

    def test_who_is_no_doctor_there_is_refused(self, evaluation: Evaluation) -> None:
        with pytest.raises(NotEnrolledError):
            hand_in(evaluation, user=UserFactory.create())

    @pytest.mark.parametrize("field", ["opens_at", "closes_at"])
    def test_outside_of_its_window_it_is_refused(self, evaluation: Evaluation, doctor: User, field: str) -> None:
        moved = timedelta(days=1 if field == "opens_at" else -1)
        Lesson.objects.filter(pk=evaluation.lesson_id).update(**{field: now() + moved})
        evaluation.lesson.refresh_from_db()
        with pytest.raises(NotOpenError):
            hand_in(evaluation, user=doctor)

    def test_in_a_course_in_order_the_webinar_comes_first(self) -> None:
        course = CourseFactory.create(is_sequential=True)
        webinar = LessonFactory.create(course=course)
        evaluation = make_evaluation(lesson__course=course, about=webinar)
        doctor = candidate_of(evaluation)
        with pytest.raises(NotOpenError):
            hand_in(evaluation, user=doctor)
        LessonCompletion.objects.create(user=doctor, lesson=webinar, completed_at=now())
        hand_in(evaluation, user=doctor)

        assert written()[0] == 1

    def test_nobody_answers_under_other_terms_than_they_read(self, evaluation: Evaluation, doctor: User) -> None:
        Evaluation.objects.filter(pk=evaluation.pk).update(is_anonymous=False)
        with pytest.raises(ChangedError):
            hand_in(evaluation, user=doctor)

        assert written() == [0, 0, 0]


class TestAnonymity:
    def test_no_column_of_what_was_said_has_anything_of_who_said_it(self) -> None:
        evaluation = make_evaluation()
        people = [hand_in(evaluation) for _ in range(3)]
        receipts: list[dict[str, Any]] = [dict(row) for row in EvaluationReceipt.objects.values()]
        said: list[dict[str, Any]] = [
            dict(row) for row in (*EvaluationResponse.objects.values(), *EvaluationAnswer.objects.values())
        ]

        shared = {"evaluation_id", "answered_on", "form_id", "question_id"}
        of_people = {row[name] for row in receipts for name in row if name not in shared}
        of_people |= {getattr(person, name) for person in people for name in ("pk", "email")}
        small = {"number", "chosen", "text"}  # what was said: a 4 may be somebody's number, too
        told = {row[name] for row in said for name in row if name not in shared | small and row[name] is not None}
        assert told & of_people == set()
        assert {row["user_id"] for row in EvaluationResponse.objects.values()} == {None}

    def test_no_column_is_exact_enough_to_tell_the_order(self) -> None:
        for model in (EvaluationReceipt, EvaluationResponse, EvaluationAnswer):
            kinds = {field.get_internal_type() for field in model._meta.concrete_fields}
            assert "DateTimeField" not in kinds
            assert model._meta.pk.get_internal_type() == "UUIDField"

    def test_keys_are_random(self) -> None:
        evaluation = make_evaluation()
        for _ in range(3):
            hand_in(evaluation)

        for model in (EvaluationReceipt, EvaluationResponse, EvaluationAnswer):
            assert {pk.version for pk in model.objects.values_list("pk", flat=True)} == {4}

    def test_the_evidence_of_the_completion_says_nothing_of_the_answers(self, doctor: User) -> None:
        programme = doctor.enrolments.get().programme
        evaluation = make_evaluation(lesson__course__programme=programme)
        hand_in(evaluation, 1, 1, 0, 1, [1], "Secret words", user=doctor)

        evidence = LessonCompletion.objects.get(lesson=evaluation.lesson).evidence
        assert evidence.keys() == {"evaluation", "form", "edition"}
        assert evidence["evaluation"] == evaluation.pk

    def test_with_a_name_the_response_has_it(self) -> None:
        evaluation = make_evaluation(is_anonymous=False)
        person = hand_in(evaluation)

        assert EvaluationResponse.objects.get().user == person

    def test_the_promise_stands_once_somebody_has_answered(self, evaluation: Evaluation) -> None:
        evaluation.is_anonymous = False
        save_evaluation(evaluation=evaluation)
        hand_in(evaluation)
        evaluation.is_anonymous = True
        with pytest.raises(AnsweredError):
            save_evaluation(evaluation=evaluation)


class TestEditions:
    def test_before_the_first_answer_questions_may_change(self, evaluation: Evaluation) -> None:
        form = evaluation.form
        assert form is not None
        first, second, *rest = questions_of(evaluation)
        first.text = "Was it really clear?"
        save_question(question=first)
        added = save_question(question=EvaluationQuestion(form=form, kind=QuestionKind.TEXT, text="And?"))
        delete_question(question=second)
        reorder_questions(form=form, question_ids=[added.pk, first.pk, *[one.pk for one in rest]])

        assert [one.text for one in questions_of(evaluation)][:2] == ["And?", "Was it really clear?"]

    def test_the_first_answer_freezes_them(self, evaluation: Evaluation) -> None:
        hand_in(evaluation)
        form = questions_of(evaluation)[0].form
        first, second, *rest = questions_of(evaluation)
        changes = (
            lambda: save_question(question=first),
            lambda: save_question(question=EvaluationQuestion(form=form, kind=QuestionKind.TEXT, text="New?")),
            lambda: delete_question(question=first),
            lambda: reorder_questions(form=form, question_ids=[second.pk, first.pk, *[one.pk for one in rest]]),
            lambda: save_form(form=form),
        )
        for change in changes:
            with pytest.raises(FrozenError):
                change()

    @pytest.mark.parametrize("way", ["insert", "update", "delete"])
    def test_whoever_goes_round_the_domain_is_stopped_by_the_database(self, evaluation: Evaluation, way: str) -> None:
        hand_in(evaluation)
        first = questions_of(evaluation)[0]
        statements = {
            "insert": f"INSERT INTO assessments_evaluationquestion (form_id, position, kind, dimension, text, help,"
            f" is_required, choices) VALUES ({evaluation.form_id}, 99, 'text', 'other', '', '', false, '{{}}')",
            "update": f"UPDATE assessments_evaluationquestion SET text = 'x' WHERE id = {first.pk}",
            "delete": f"DELETE FROM assessments_evaluationquestion WHERE id = {first.pk}",
        }
        with pytest.raises(ProgrammingError, match="keeps its questions"), transaction.atomic():
            connection.cursor().execute(statements[way])

    def test_a_new_edition_is_asked_where_nobody_has_answered_yet(self, evaluation: Evaluation) -> None:
        form = evaluation.form
        assert form is not None
        waiting = make_evaluation(form=form, lesson__course=evaluation.lesson.course, questions=())
        hand_in(evaluation)
        edition = new_edition(form=form)

        evaluation.refresh_from_db()
        waiting.refresh_from_db()
        assert (evaluation.form_id, waiting.form_id, edition.edition) == (form.pk, edition.pk, 2)
        assert [one.text for one in questions_of(waiting)] == [one.text for one in questions_of(evaluation)]
        with pytest.raises(ReplacedError):
            new_edition(form=form)

    def test_a_copy_is_a_form_of_its_own(self, evaluation: Evaluation) -> None:
        form, other = evaluation.form, ProgrammeFactory.create()
        assert form is not None
        hand_in(evaluation)
        copy = copy_form(form=form, programme=other, title="Ours")
        question = copy.questions.order_by("position")[0]
        question.text = "Changed"
        save_question(question=question)

        assert (copy.programme, copy.edition, copy.frozen_at, copy.questions.count()) == (other, 1, None, 6)
        assert questions_of(evaluation)[0].text == "Was it clear?"
        with pytest.raises(TitleTakenError):
            copy_form(form=form, programme=other, title="Ours")

    def test_choices_are_given_exactly_where_there_is_something_to_choose(self) -> None:
        form = EvaluationFormFactory.create()
        for kind, choices in ((QuestionKind.ONE, ["Only one"]), (QuestionKind.TEXT, ["a", "b"])):
            with pytest.raises(IntegrityError, match="choices"), transaction.atomic():
                EvaluationQuestion.objects.create(form=form, position=1, kind=kind, text="?", choices=choices)


class TestReadyForm:
    def test_it_reports_the_six_dimensions_bias_and_practice(self) -> None:
        form = ready_form()

        assert set(form.questions.values_list("dimension", flat=True)) == set(Dimension.values)
        assert form.questions.filter(kind=QuestionKind.NPS).get().dimension == Dimension.RECOMMENDATION
        assert form.programme is None

    def test_it_is_made_once_and_its_newest_edition_is_given(self) -> None:
        first = ready_form()
        assert ready_form() == first
        second = new_edition(form=first)
        assert ready_form() == second
        assert EvaluationForm.objects.count() == 2


class TestLesson:
    def test_a_new_one_has_the_ready_form_and_asks_about_the_webinar_before_it(self) -> None:
        course = CourseFactory.create()
        webinar = LessonFactory.create(course=course)
        lesson = save_lesson(lesson=Lesson(course=course, kind=LessonKind.EVALUATION, title="Feedback"), now=now())

        made = Evaluation.objects.get(lesson=lesson)
        assert (made.form, made.about) == (ready_form(), webinar)
        save_lesson(lesson=lesson, now=now())
        assert Evaluation.objects.get() == made

    def test_a_copied_course_asks_about_its_own_webinar(self) -> None:
        course = CourseFactory.create()
        webinar = LessonFactory.create(course=course)
        evaluation = make_evaluation(lesson__course=course, about=webinar, is_anonymous=False)
        hand_in(evaluation)
        copy = duplicate_course(course=course, now=now())

        made = Evaluation.objects.get(lesson__course=copy)
        assert (made.form_id, made.is_anonymous) == (evaluation.form_id, False)
        assert made.about == copy.lessons.get(position=webinar.position)
        assert not made.receipts.exists()

    def test_one_that_was_answered_is_kept(self, evaluation: Evaluation) -> None:
        check_deletable(lesson=evaluation.lesson)
        hand_in(evaluation)
        LessonCompletion.objects.all().delete()
        with pytest.raises(InUseError):
            check_deletable(lesson=evaluation.lesson)

    def test_what_is_missing_is_told(self) -> None:
        course = CourseFactory.create()
        ready = make_evaluation(lesson__course=course).lesson
        empty = make_evaluation(lesson__course=course, questions=()).lesson
        none = make_evaluation(lesson__course=course, questions=()).lesson
        Evaluation.objects.filter(lesson=none).update(form=None)

        problems = EvaluationLessons().problems(lessons=[ready, empty, none])
        assert problems.keys() == {empty.pk, none.pk}


VALUES = st.none() | st.booleans() | st.integers(-3, 13) | st.floats() | st.text(max_size=9) | st.lists(
    st.integers(-1, 4) | st.text(max_size=3), max_size=4
)  # fmt: skip


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(VALUES, min_size=6, max_size=6))
def test_whatever_is_sent_is_either_stored_in_the_shape_of_its_kind_or_refused(values: list[Any]) -> None:
    kinds = (*QuestionKind.values,)
    questions = [
        EvaluationQuestion(pk=number, kind=kind, text="?", is_required=False, choices=["a", "b", "c"])
        for number, kind in enumerate(kinds, start=1)
    ]
    found, errors = read_answers(questions=questions, given=dict(enumerate(values, start=1)))

    assert found.keys() & errors.keys() == set()
    for question in questions:
        if one := found.get(question.pk):
            shapes = [one.number is not None, bool(one.chosen), bool(one.text)]
            assert shapes.count(True) == 1
