"""Banks, questions and tests. A question is ready and has one version; a test is of a published, open lesson."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import factory
from django.utils.timezone import now

from accounts.models import User
from assessments.enums import Dimension, ItemKind, ItemState, QuestionKind
from assessments.models import (
    Bank,
    Evaluation,
    EvaluationForm,
    EvaluationQuestion,
    Item,
    ItemVersion,
    Pick,
    Quiz,
    Section,
)
from courses.enums import LessonKind
from courses.models import Lesson
from tests.factories.courses import EnrolmentFactory, LessonFactory, ProgrammeFactory

SINGLE: dict[str, Any] = {
    "shown": {"options": [{"id": name, "text": f"Option {name.upper()}"} for name in "abcd"]},
    "key": {
        "right": "b",
        "rationale": "Because of the SECRET-RATIONALE.",
        "rationales": {"b": "SECRET-WHY-B"},
        "references": ["SECRET-REFERENCE"],
    },
}


class BankFactory(factory.django.DjangoModelFactory[Bank]):
    class Meta:
        model = Bank

    programme = factory.SubFactory(ProgrammeFactory)
    title = factory.Sequence(lambda n: f"Bank {n}")


def make_item(
    *,
    bank: Bank,
    kind: str = ItemKind.SINGLE,
    shown: dict[str, Any] | None = None,
    key: dict[str, Any] | None = None,
    stem: str = "",
    watch: tuple[Lesson | None, int | None] = (None, None),
    **fields: Any,
) -> Item:
    number = Item.objects.count() + 1
    item = Item.objects.create(bank=bank, kind=kind, name=fields.pop("name", f"item-{number}"), **fields)
    item.version = ItemVersion.objects.create(
        item=item,
        number=1,
        stem=stem or f"Question of {item.name}?",
        shown=SINGLE["shown"] if shown is None else shown,
        key=SINGLE["key"] if key is None else key,
        made_at=now(),
        watch_lesson=watch[0],
        watch_seconds=watch[1],
    )
    item.state = fields.get("state", ItemState.READY)
    item.save()
    return item


class QuizFactory(factory.django.DjangoModelFactory[Quiz]):
    class Meta:
        model = Quiz

    lesson = factory.SubFactory(LessonFactory, kind=LessonKind.QUIZ)
    shuffles_options = False


def make_quiz(*, items: int | Sequence[Item] = 3, points: Decimal | int = 1, **settings: Any) -> Quiz:
    """One section with so many single-choice questions, of which `b` is right, or with these items."""
    quiz: Quiz = QuizFactory(**settings)
    section = Section.objects.create(quiz=quiz, position=1, title="Part one")
    if isinstance(items, int):
        bank = BankFactory(programme=quiz.lesson.course.programme)
        items = [make_item(bank=bank) for _ in range(items)]
    for number, item in enumerate(items, 1):
        Pick.objects.create(section=section, position=number, item=item, points=points)
    return quiz


class EvaluationFormFactory(factory.django.DjangoModelFactory[EvaluationForm]):
    class Meta:
        model = EvaluationForm

    programme = factory.SubFactory(ProgrammeFactory)
    title = factory.Sequence(lambda n: f"Form {n}")


class EvaluationFactory(factory.django.DjangoModelFactory[Evaluation]):
    class Meta:
        model = Evaluation

    lesson = factory.SubFactory(LessonFactory, kind=LessonKind.EVALUATION)
    form = factory.SubFactory(EvaluationFormFactory, programme=factory.SelfAttribute("..lesson.course.programme"))


EVERY_KIND: tuple[dict[str, Any], ...] = (
    {"kind": QuestionKind.LIKERT, "dimension": Dimension.DELIVERY, "text": "Was it clear?"},
    {"kind": QuestionKind.STARS, "dimension": Dimension.CONTENT, "text": "How good was the content?"},
    {"kind": QuestionKind.NPS, "dimension": Dimension.RECOMMENDATION, "text": "Would you recommend it?"},
    {"kind": QuestionKind.ONE, "dimension": Dimension.BIAS, "text": "Any bias?", "choices": ["No", "Yes"]},
    {
        "kind": QuestionKind.SEVERAL,
        "dimension": Dimension.PRACTICE,
        "text": "What will you change?",
        "choices": ["Testing", "Treating", "Nothing"],
        "is_required": False,
    },
    {"kind": QuestionKind.TEXT, "dimension": Dimension.OTHER, "text": "Anything else?", "is_required": False},
)


def make_evaluation(*, questions: Sequence[dict[str, Any]] = EVERY_KIND, **settings: Any) -> Evaluation:
    """With a question of every kind, the last two of them optional."""
    made: Evaluation = EvaluationFactory(**settings)
    form = made.form
    assert form is not None
    for number, question in enumerate(questions, 1):
        EvaluationQuestion.objects.create(form=form, position=number, **question)
    return made


def candidate_of(quiz: Quiz | Evaluation) -> User:
    """A doctor with a place in the programme of a test, or of a feedback form."""
    user: User = EnrolmentFactory(programme=quiz.lesson.course.programme).user
    return user
