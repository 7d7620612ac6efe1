"""Writing feedback forms: a form that was answered keeps its questions, and a change makes the next edition."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Case, Max, When
from django.utils.translation import gettext as _

from assessments.enums import Dimension, QuestionKind
from assessments.models import Evaluation, EvaluationForm, EvaluationQuestion
from courses.domain.authoring import AuthoringError, OrderError
from courses.models import Programme

READY = "cme"
QUESTION_COPIED = ("position", "kind", "dimension", "text", "help", "is_required", "choices")


class FrozenError(AuthoringError):
    def __init__(self) -> None:
        super().__init__(
            _("This form has been answered, so its questions stay as they are. Make a new edition to change them.")
        )


class TitleTakenError(AuthoringError):
    def __init__(self) -> None:
        super().__init__(_("There is such a form already. Please give it another title."))


class ReplacedError(AuthoringError):
    def __init__(self) -> None:
        super().__init__(_("There is a newer edition of this form already."))


class AnsweredError(AuthoringError):
    def __init__(self) -> None:
        super().__init__(_("Somebody has answered: whether names are kept cannot be changed any more."))


def freeze(*, form_id: int, now: datetime) -> EvaluationForm:
    """With the first answer. Call it in the transaction that answers, before the questions are read.

    An author who is changing a question at this moment holds the form's row, so the first answer waits for them and
    reads what they saved. From the second answer on nothing is locked: thousands may answer at once.
    """
    EvaluationForm.objects.filter(pk=form_id, frozen_at=None).update(frozen_at=now)
    return EvaluationForm.objects.get(pk=form_id)


def _locked_open(form_id: int) -> EvaluationForm:
    form = EvaluationForm.objects.select_for_update().get(pk=form_id)
    if form.is_frozen:
        raise FrozenError
    return form


@transaction.atomic
def save_form(*, form: EvaluationForm) -> EvaluationForm:
    """Title and introduction. Those of an answered form stay too: people read them before they answered."""
    if form.pk is not None:
        _locked_open(form.pk)
    taken = EvaluationForm.objects.filter(programme=form.programme, title=form.title, edition=form.edition)
    if taken.exclude(pk=form.pk).exists():
        raise TitleTakenError
    form.save()
    return form


@transaction.atomic
def save_question(*, question: EvaluationQuestion) -> EvaluationQuestion:
    """A question without a position goes to the end."""
    form = _locked_open(question.form_id)
    if not question.position:
        question.position = int(form.questions.aggregate(last=Max("position"))["last"] or 0) + 1
    question.save()
    return question


@transaction.atomic
def delete_question(*, question: EvaluationQuestion) -> None:
    _locked_open(question.form_id)
    question.delete()


@transaction.atomic
def reorder_questions(*, form: EvaluationForm, question_ids: Sequence[int]) -> None:
    """`question_ids` are all questions in the new order. One statement: the constraint is deferred."""
    current = EvaluationForm.objects.select_for_update().get(pk=form.pk)
    present = list(current.questions.order_by("position").values_list("pk", flat=True))
    if present == list(question_ids):
        return
    if current.is_frozen:
        raise FrozenError
    if sorted(present) != sorted(question_ids):
        raise OrderError
    positions = Case(*(When(pk=pk, then=number) for number, pk in enumerate(question_ids, start=1)))
    current.questions.update(position=positions)


@transaction.atomic
def copy_form(*, form: EvaluationForm, programme: Programme, title: str) -> EvaluationForm:
    """A form of its own, which begins with edition 1 and may be changed."""
    title = title.strip() or form.title
    if EvaluationForm.objects.filter(programme=programme, title=title, edition=1).exists():
        raise TitleTakenError
    made = EvaluationForm.objects.create(programme=programme, title=title, introduction=form.introduction)
    _copy_questions(form, made)
    return made


@transaction.atomic
def new_edition(*, form: EvaluationForm) -> EvaluationForm:
    """The next edition, to be changed. Lessons that nobody has answered yet ask it from now on; the others go on."""
    current = EvaluationForm.objects.select_for_update().get(pk=form.pk)
    if EvaluationForm.objects.filter(replaces=current).exists():
        raise ReplacedError
    made = EvaluationForm.objects.create(
        programme=current.programme,
        title=current.title,
        introduction=current.introduction,
        edition=current.edition + 1,
        replaces=current,
    )
    _copy_questions(current, made)
    Evaluation.objects.filter(form=current, receipts=None).update(form=made)
    return made


def _copy_questions(source: EvaluationForm, target: EvaluationForm) -> None:
    EvaluationQuestion.objects.bulk_create(
        EvaluationQuestion(form=target, **{name: getattr(one, name) for name in QUESTION_COPIED})
        for one in source.questions.order_by("position")
    )


@transaction.atomic
def save_evaluation(*, evaluation: Evaluation) -> Evaluation:
    """The settings of a lesson. The promise of anonymity stands from the first answer on, in both directions.

    The row is locked, as it is while somebody answers: the last change and the first answer never pass each other.
    """
    before = Evaluation.objects.select_for_update().filter(pk=evaluation.pk).first()
    if before and before.is_anonymous != evaluation.is_anonymous and before.receipts.exists():
        raise AnsweredError
    evaluation.save()
    return evaluation


def ready_form() -> EvaluationForm:
    """The form every programme can use: the six dimensions a CME programme reports, bias, and change of practice.

    Made when it is first asked for, its newest edition from then on. Two who ask for the first time at once both get
    the one that was written first.
    """
    form = EvaluationForm.objects.filter(key=READY).first() or _make_ready_form()
    while newer := EvaluationForm.objects.filter(replaces=form).first():
        form = newer
    return form


def _make_ready_form() -> EvaluationForm:
    try:
        with transaction.atomic():
            form = EvaluationForm.objects.create(
                key=READY,
                title="Feedback on a session",
                introduction="Two minutes that help the speakers and the next doctors.",
            )
            EvaluationQuestion.objects.bulk_create(
                EvaluationQuestion(form=form, position=number, **question)
                for number, question in enumerate(_ready_questions(), start=1)
            )
    except IntegrityError:
        return EvaluationForm.objects.get(key=READY)
    return form


def _ready_questions() -> list[dict[str, Any]]:
    """In English: a form is what its author wrote, and a programme in another language copies it."""
    likert, text = QuestionKind.LIKERT, QuestionKind.TEXT
    return [
        {"dimension": Dimension.DELIVERY, "kind": likert, "text": "The content was delivered clearly."},
        {
            "dimension": Dimension.CONTENT,
            "kind": likert,
            "text": "The medical content was relevant and up to date.",
        },
        {
            "dimension": Dimension.MATERIALS,
            "kind": likert,
            "text": "The information about the meeting and its materials were helpful.",
        },
        {
            "dimension": Dimension.CLARIFICATION,
            "kind": likert,
            "text": "There was enough opportunity to ask and to clarify.",
        },
        {"dimension": Dimension.PACE, "kind": likert, "text": "The pace and the length of the session were right."},
        {
            "dimension": Dimension.RECOMMENDATION,
            "kind": QuestionKind.NPS,
            "text": "How likely are you to recommend this session to a colleague?",
            "help": "0: not at all, 10: very.",
        },
        {
            "dimension": Dimension.BIAS,
            "kind": QuestionKind.ONE,
            "text": "Did you notice bias or commercial influence?",
            "choices": ["No", "A little", "Yes, clearly"],
        },
        {
            "dimension": Dimension.BIAS,
            "kind": text,
            "text": "If you did: where?",
            "is_required": False,
        },
        {
            "dimension": Dimension.PRACTICE,
            "kind": QuestionKind.ONE,
            "text": "Will you change anything in your practice?",
            "choices": ["Yes", "I do so already", "Not now", "It does not apply to my work"],
        },
        {"dimension": Dimension.PRACTICE, "kind": text, "text": "What will you do differently?", "is_required": False},
        {
            "dimension": Dimension.OTHER,
            "kind": text,
            "text": "Anything else the speakers should know?",
            "help": "Please do not write about patients in a way that names them.",
            "is_required": False,
        },
    ]
