"""Feedback in the office: building forms, what answered ones refuse, and who reads what was said."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.enums import Role
from accounts.models import AuditEvent
from assessments.domain.evaluation_forms import ready_form
from assessments.models import Evaluation, EvaluationForm, EvaluationQuestion
from courses.models import Programme
from tests.assessments.feedback import hand_in, questions_of
from tests.factories.assessments import EvaluationFormFactory, make_evaluation
from tests.factories.courses import LessonFactory, RoleGrantFactory
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db
SUBMITTED = {"_form_submitted": "1"}
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def evaluation() -> Evaluation:
    return make_evaluation()


@pytest.fixture
def programme(evaluation: Evaluation) -> Programme:
    return evaluation.lesson.course.programme


@pytest.fixture
def moderator(programme: Programme) -> Client:
    return signed_in(RoleGrantFactory.create(programme=programme).user)


def at(name: str, *args: Any) -> str:
    return reverse(f"admin:assessments_{name}", args=args)


def form_data(form: EvaluationForm, **changes: Any) -> dict[str, Any]:
    rows = list(form.questions.order_by("position"))
    data: dict[str, Any] = {
        "title": form.title, "introduction": form.introduction, "questions-TOTAL_FORMS": len(rows) + 1,
        "questions-INITIAL_FORMS": len(rows), "questions-MIN_NUM_FORMS": 0, "questions-MAX_NUM_FORMS": 1000,
    }  # fmt: skip
    for number, row in enumerate(rows):
        data |= {
            f"questions-{number}-id": row.pk, f"questions-{number}-form": form.pk,
            f"questions-{number}-position": number, f"questions-{number}-text": row.text,
            f"questions-{number}-kind": row.kind, f"questions-{number}-dimension": row.dimension,
            f"questions-{number}-help": row.help, f"questions-{number}-choices": "\n".join(row.choices),
        }  # fmt: skip
        if row.is_required:
            data[f"questions-{number}-is_required"] = "on"
    return data | changes


class TestForms:
    def test_one_is_made_with_its_questions(self, moderator: Client, programme: Programme) -> None:
        data = {
            "programme": programme.pk, "title": "Ours", "introduction": "", "questions-TOTAL_FORMS": 2,
            "questions-INITIAL_FORMS": 0, "questions-0-text": "Which ones, please?", "questions-0-kind": "several",
            "questions-0-dimension": "other", "questions-0-choices": "AMH, or FSH\r\n\r\n Count \r\n",
            "questions-0-position": "1", "questions-1-text": "And why?", "questions-1-kind": "text",
            "questions-1-dimension": "other", "questions-1-choices": "left\nover", "questions-1-position": "0",
        }  # fmt: skip
        moderator.post(at("evaluationform_add"), data)

        made = EvaluationForm.objects.get(title="Ours").questions.order_by("position")
        assert [(one.position, one.kind, one.choices) for one in made] == [
            (1, "text", []), (2, "several", ["AMH, or FSH", "Count"]),
        ]  # fmt: skip

    def test_questions_are_changed_dragged_added_and_deleted(self, moderator: Client, evaluation: Evaluation) -> None:
        form = questions_of(evaluation)[0].form
        changes = {
            "questions-0-position": 9, "questions-1-DELETE": "on", "questions-2-text": "Would you come again?",
            "questions-6-text": "New?", "questions-6-kind": "stars", "questions-6-dimension": "pace",
            "questions-6-position": 3, "questions-6-form": form.pk,
        }  # fmt: skip
        moderator.post(at("evaluationform_change", form.pk), form_data(form, **changes))

        assert [one.text for one in questions_of(evaluation)] == [
            "Would you come again?", "Any bias?", "New?", "What will you change?", "Anything else?", "Was it clear?",
        ]  # fmt: skip

    @pytest.mark.parametrize("choices", ["", "One", "Same\nSame", "x" * 201 + "\ny"])
    def test_choices_that_are_none_are_refused(self, moderator: Client, evaluation: Evaluation, choices: str) -> None:
        form = questions_of(evaluation)[0].form
        response = moderator.post(
            at("evaluationform_change", form.pk), form_data(form, **{"questions-3-choices": choices})
        )

        assert response.status_code == 200
        assert questions_of(evaluation)[3].choices == ["No", "Yes"]

    def test_an_answered_one_is_only_shown(self, moderator: Client, evaluation: Evaluation) -> None:
        form = questions_of(evaluation)[0].form
        hand_in(evaluation)
        page = moderator.get(at("evaluationform_change", form.pk)).content.decode()
        moderator.post(
            at("evaluationform_change", form.pk),
            form_data(form, title="Other", **{"questions-0-text": "Other?", "questions-1-DELETE": "on"}),
        )

        assert 'name="questions-0-text"' not in page
        form.refresh_from_db()
        assert form.title != "Other"
        assert [one.text for one in questions_of(evaluation)][:2] == ["Was it clear?", "How good was the content?"]

    def test_a_new_edition_and_a_copy_can_be_changed(
        self, moderator: Client, evaluation: Evaluation, programme: Programme
    ) -> None:
        form = questions_of(evaluation)[0].form
        hand_in(evaluation)
        moderator.post(at("evaluationform_new_edition", form.pk), SUBMITTED)
        moderator.post(at("evaluationform_copy", form.pk), SUBMITTED | {"title": "A copy", "programme": programme.pk})

        edition = EvaluationForm.objects.get(replaces=form)
        copy = EvaluationForm.objects.get(title="A copy")
        assert (edition.edition, edition.questions.count()) == (2, 6)
        assert (copy.programme, copy.questions.count(), copy.frozen_at) == (programme, 6, None)

    def test_a_form_is_not_copied_into_a_foreign_programme(self, moderator: Client, evaluation: Evaluation) -> None:
        foreign = EvaluationFormFactory.create().programme
        moderator.post(
            at("evaluationform_copy", evaluation.form_id), SUBMITTED | {"title": "Smuggled", "programme": foreign.pk}
        )

        assert not EvaluationForm.objects.filter(title="Smuggled").exists()

    def test_ready_forms_are_for_all_to_copy_and_for_operators_to_change(
        self, moderator: Client, programme: Programme
    ) -> None:
        form = ready_form()
        operator = signed_in(RoleGrantFactory.create(role=Role.OPERATOR, programme=None).user)
        change = at("evaluationform_change", form.pk)
        data = form_data(form, title="Hostile takeover")
        moderator.post(change, data)
        moderator.post(at("evaluationform_new_edition", form.pk), SUBMITTED)
        assert EvaluationForm.objects.get(key="cme").title == "Feedback on a session"
        assert not EvaluationForm.objects.filter(replaces=form).exists()

        assert 'name="title"' not in moderator.get(change).content.decode()
        assert 'name="title"' in operator.get(change).content.decode()
        moderator.post(at("evaluationform_copy", form.pk), SUBMITTED | {"title": "Ours", "programme": programme.pk})
        assert EvaluationForm.objects.get(title="Ours").questions.count() == form.questions.count()

    def test_the_list_shows_one_s_own_and_the_ready_ones(self, moderator: Client, evaluation: Evaluation) -> None:
        foreign, ready = EvaluationFormFactory.create(), ready_form()
        rows = moderator.get(at("evaluationform_changelist")).context["cl"].result_list

        assert {row.pk for row in rows} == {evaluation.form_id, ready.pk}
        assert moderator.get(at("evaluationform_look", foreign.pk)).status_code == 403

    def test_the_preview_shows_every_question_as_text(self, moderator: Client, evaluation: Evaluation) -> None:
        EvaluationQuestion.objects.update(text=HOSTILE)
        page = moderator.get(at("evaluationform_look", evaluation.form_id)).content.decode()

        assert page.count("&lt;script&gt;alert(1)") == 6
        assert HOSTILE not in page


class TestSettings:
    def test_it_offers_webinars_of_the_course_and_forms_of_the_programme(
        self, moderator: Client, evaluation: Evaluation, programme: Programme
    ) -> None:
        webinar = LessonFactory.create(course=evaluation.lesson.course)
        LessonFactory.create(course__programme=programme)
        EvaluationFormFactory.create()
        ready = ready_form()
        fields = moderator.get(at("evaluation_change", evaluation.pk)).context["adminform"].form.fields

        assert list(fields["about"].queryset) == [webinar]
        assert set(fields["form"].queryset) == {evaluation.form, ready}

    def test_whether_names_are_kept_is_not_asked_again_after_the_first_answer(
        self, moderator: Client, evaluation: Evaluation
    ) -> None:
        address = at("evaluation_change", evaluation.pk)
        assert 'name="is_anonymous"' in moderator.get(address).content.decode()
        hand_in(evaluation)
        assert 'name="is_anonymous"' not in moderator.get(address).content.decode()
        moderator.post(address, {"form": evaluation.form_id, "about": ""})
        evaluation.refresh_from_db()
        assert evaluation.is_anonymous

    def test_the_lesson_leads_to_it(self, moderator: Client, evaluation: Evaluation) -> None:
        page = moderator.get(reverse("admin:courses_lesson_change", args=(evaluation.lesson_id,))).content.decode()

        assert at("evaluation_results", evaluation.pk) in page
        assert at("evaluation_change", evaluation.pk) in page


class TestResults:
    def test_sec_22_texts_are_kept_back_until_five_have_answered_and_are_never_markup(
        self, moderator: Client, evaluation: Evaluation
    ) -> None:
        address = at("evaluation_results", evaluation.pk)
        for number in range(5):
            assert "SECRET" not in moderator.get(address).content.decode()
            hand_in(evaluation, 4, 5, 9, 0, [0], f"SECRET {number} {HOSTILE}")
        page = moderator.get(address).content.decode()

        assert page.count("SECRET") == 5
        assert HOSTILE not in page
        assert "<strong>4.00</strong>" in page
        assert "<strong>100</strong>" in page
        assert 'width="100.00"' in page

    def test_no_name_stands_on_anonymous_ones(self, moderator: Client, evaluation: Evaluation) -> None:
        people = [hand_in(evaluation) for _ in range(6)]
        page = moderator.get(at("evaluation_results", evaluation.pk)).content.decode()

        assert [one.email for one in people if one.email in page or one.get_full_name() in page] == []

    def test_reading_those_with_names_is_recorded(self, moderator: Client, evaluation: Evaluation) -> None:
        Evaluation.objects.update(is_anonymous=False)
        evaluation.refresh_from_db()
        person = hand_in(evaluation)
        page = moderator.get(at("evaluation_results", evaluation.pk)).content.decode()

        assert person.get_full_name() in page
        assert AuditEvent.objects.filter(action="evaluation.read").count() == 1

    def test_foreign_ones_are_not_there(self, moderator: Client) -> None:
        foreign = make_evaluation()

        assert moderator.get(at("evaluation_results", foreign.pk)).status_code == 404

    @pytest.mark.parametrize("number", [1, 3])
    def test_the_list_costs_the_same(
        self, moderator: Client, evaluation: Evaluation, number: int,
        django_assert_num_queries: DjangoAssertNumQueries,
    ) -> None:  # fmt: skip
        for _ in range(number):
            hand_in(make_evaluation(lesson__course=evaluation.lesson.course))
        moderator.get(at("evaluation_changelist"))
        with django_assert_num_queries(10):
            moderator.get(at("evaluation_changelist"))
