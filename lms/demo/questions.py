"""A test of the demonstration: one question of most kinds, about the course “Ovarian reserve”. Written for the look of
it; a person who teaches with it must check every word.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from assessments.domain.authoring import Content, save_item, set_state
from assessments.enums import CompletesBy, ItemKind, ItemState, QuizKind, Review
from assessments.models import Bank, Item, Pick, Quiz, Section
from courses.domain.authoring import save_lesson
from courses.enums import LessonKind
from courses.models import Course, Lesson

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    kind: ItemKind
    name: str
    stem: str
    shown: Json
    key: Json
    tags: tuple[str, ...] = ("What tests tell",)
    difficulty: int = 2
    second: int = 5  # of the lecture that explains it
    parts: tuple["Question", ...] = field(default=())
    points: Decimal = Decimal(1)


def options(*texts: str) -> list[Json]:
    return [{"id": name, "text": text} for name, text in zip("abcdefghij", texts, strict=False)]


SINGLE = Question(
    ItemKind.SINGLE,
    "what-amh-predicts",
    "<p>A woman of 32 with regular cycles asks what her AMH of 0.9 ng/ml means. What does it predict best?</p>",
    {
        "options": options(
            "Her chance of conceiving naturally this year",
            "How many oocytes a stimulation would yield",
            "The age at which her menopause will begin, to the year",
            "The genetic quality of her oocytes",
        )
    },
    {
        "right": "b",
        "rationale": "<p>AMH reflects the number of growing follicles. It predicts the response to stimulation; in "
        "women with regular cycles it says little about conceiving naturally.</p>",
        "rationales": {
            "a": "<p>Cohorts of women without known infertility found no lower rate with a low AMH.</p>",
            "d": "<p>Quality follows age, not AMH.</p>",
        },
        "references": ["Practice guidance on tests of ovarian reserve, to be checked by the course’s editor."],
    },
)
MULTIPLE = Question(
    ItemKind.MULTIPLE,
    "what-lowers-amh",
    "<p>Which of these lower a measured AMH? Choose two.</p>",
    {"options": options("Combined contraceptives", "A recent pregnancy test", "Ovarian surgery", "Walking"), "most": 2},
    {"right": ["a", "c"], "rule": "partial", "rationale": "<p>Measure again some months after stopping.</p>"},
)
TRUE_FALSE = Question(
    ItemKind.TRUE_FALSE,
    "amh-screening",
    "<p>AMH is a good screening test for women who are not trying to conceive.</p>",
    {},
    {"right": False, "rationale": "<p>It does not tell who will have difficulties, and worries many who will not.</p>"},
    difficulty=1,
)
MATCHING = Question(
    ItemKind.MATCHING,
    "which-test",
    "<p>Which test answers the question best?</p>",
    {
        "options": options("AMH", "Antral follicle count", "FSH on day 3", "Karyotype", "Prolactin"),
        "stems": [
            {"id": "a", "text": "Is the amenorrhoea at 29 hypergonadotropic?", "most": 1},
            {"id": "b", "text": "How many follicles can be seen today?", "most": 1},
            {"id": "c", "text": "Premature insufficiency at 24 is proven. What should be looked for?", "most": 1},
        ],
    },
    {"right": {"a": ["c"], "b": ["b"], "c": ["d"]}, "rationale": "<p>Ask first what would follow from the answer.</p>"},
    difficulty=3,
)
ORDERING = Question(
    ItemKind.ORDERING,
    "growth-of-a-follicle",
    "<p>Put the stages of a follicle in their order, the earliest first.</p>",
    {"entries": options("Primordial", "Primary", "Antral", "Preovulatory")},
    {"right": ["a", "b", "c", "d"], "rule": "pairs"},
    tags=("Physiology",),
    second=20,
)
NUMERIC = Question(
    ItemKind.NUMERIC,
    "amh-in-other-units",
    "<p>A laboratory reports 1.0 ng/ml of AMH. How much is that in pmol/l? (1 ng/ml = 7.14 pmol/l)</p>",
    {"units": ["pmol/l", "ng/ml"], "needs_unit": True},
    {
        "answers": [{"right": "7.14", "tolerance": "2", "by": "percent", "share": "1"}],
        "factors": {"pmol/l": "1"},
        "rationale": "<p>Look at the unit before you look at the number: the factor is about seven.</p>",
    },
    tags=("Numbers and units",),
    second=12,
)
SHORT = Question(
    ItemKind.SHORT,
    "which-cells",
    "<p>Which cells of the follicle make AMH?</p>",
    {},
    {
        "accepted": [{"text": "granulosa cells", "share": "1"}, {"text": "granulosa*", "share": "1"}],
        "folds": ["case", "accents", "spaces", "punctuation"],
        "sure": "0.8",
        "unsure": "0.5",
    },
    tags=("Physiology",),
    second=20,
)
VIGNETTE = Question(
    ItemKind.VIGNETTE,
    "two-years",
    "<p>A couple of 36 and 38 has tried for two years. Her cycles have 27 days. AMH 0.7 ng/ml, antral follicle count "
    "6. Tubes are open. His semen analysis is within reference.</p>",
    {},
    {},
    parts=(
        Question(
            ItemKind.SINGLE,
            "two-years-next",
            "<p>What do you advise next?</p>",
            {"options": options("Wait another year", "Talk about IVF soon", "Repeat AMH monthly", "Clomifene alone")},
            {"right": "b", "rationale": "<p>Age and two years decide. The reserve says how to stimulate.</p>"},
            tags=("Talking with couples",),
            second=30,
        ),
        Question(
            ItemKind.SINGLE,
            "two-years-dose",
            "<p>What does her reserve change about the stimulation?</p>",
            {
                "options": options(
                    "Expect few oocytes, and say so before",
                    "Nothing can be expected, do not begin",
                    "Double every dose, it makes up for the reserve",
                )
            },
            {"right": "a", "rationale": "<p>Honest numbers before the first injection keep trust.</p>"},
            tags=("Talking with couples",),
            second=30,
        ),
    ),
)
QUESTIONS = (SINGLE, MULTIPLE, TRUE_FALSE, MATCHING, ORDERING, NUMERIC, SHORT, VIGNETTE)


def save_question(
    *, bank: Bank, question: Question, now: datetime, lecture: Lesson | None, vignette: Item | None = None
) -> Item:
    """With its parts, ready for papers. Raises ItemError."""
    content = Content(
        kind=question.kind,
        name=question.name,
        stem=question.stem,
        shown=question.shown,
        key=question.key,
        tags=question.tags,
        difficulty=question.difficulty,
        watch_lesson=lecture,
        watch_seconds=question.second,
    )
    item = save_item(bank=bank, content=content, vignette=vignette, actor=None, now=now).item
    for part in question.parts:
        save_question(bank=bank, question=part, now=now, lecture=lecture, vignette=item)
    return set_state(item=item, state=ItemState.READY)


def create_test(*, course: Course, title: str, now: datetime) -> Quiz:
    """Optional for the course: nobody's certificate waits for a demonstration."""
    bank, _ = Bank.objects.get_or_create(programme=course.programme, title="Ovarian reserve")
    lesson = save_lesson(lesson=Lesson(course=course, kind=LessonKind.QUIZ, title=title, is_required=False), now=now)
    quiz = Quiz.objects.get(lesson=lesson)
    quiz.kind, quiz.pass_percent, quiz.time_limit_seconds = QuizKind.POST_TEST, Decimal(60), 20 * 60
    quiz.attempts_allowed, quiz.completes_by, quiz.answers_when = 3, CompletesBy.PASSING, Review.SUBMITTED
    quiz.instructions = "Eight questions about the lecture. Look things up if you like: it is for you."
    quiz.save()
    section = Section.objects.create(quiz=quiz, position=1, title="Ovarian reserve")
    lecture = course.lessons.filter(kind=LessonKind.WEBINAR).order_by("position").first()
    _take(QUESTIONS, section=section, bank=bank, lecture=lecture, now=now)
    return quiz


def create_check(*, during: Lesson, title: str, now: datetime) -> Quiz:
    """Two questions that the presenter opens for the room with one button."""
    bank, _ = Bank.objects.get_or_create(programme=during.course.programme, title="Ovarian reserve")
    lesson = Lesson(course=during.course, kind=LessonKind.QUIZ, title=title, is_required=False)
    quiz = Quiz.objects.get(lesson=save_lesson(lesson=lesson, now=now))
    quiz.kind, quiz.during, quiz.attempts_allowed = QuizKind.CHECK, during, 1
    quiz.answers_when, quiz.marks_when = Review.SUBMITTED, Review.SUBMITTED
    quiz.save()
    section = Section.objects.create(quiz=quiz, position=1)
    _take((SINGLE, TRUE_FALSE), section=section, bank=bank, lecture=None, now=now)
    return quiz


def _take(
    questions: Sequence[Question], *, section: Section, bank: Bank, lecture: Lesson | None, now: datetime
) -> None:
    """From the bank, and into it first where they are not in it yet."""
    known = {item.name: item for item in bank.items.all()}
    for number, question in enumerate(questions, 1):
        item = known.get(question.name) or save_question(bank=bank, question=question, now=now, lecture=lecture)
        Pick.objects.create(section=section, position=number, item=item, points=question.points)
