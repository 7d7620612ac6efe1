"""What an author should look at before a test opens, in plain words: what has to be mended, and what may surprise.

Read from the same blueprint that papers are drawn from, so what is said here is what would happen. Every function adds
what it finds about one subject.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from assessments.domain.papers import make_blueprint
from assessments.domain.supply import Draw, shortfalls
from assessments.enums import CompletesBy, ItemKind, ItemState, QuizKind, Review
from assessments.models import Candidate, Item, ItemVersion, KeyRevision, Pick, Quiz, Section

MOST_NAMED = 20
BRISK_SECONDS = 20  # a question; with less nobody can read
KEYLESS = (ItemKind.ESSAY, ItemKind.VIGNETTE)
KEYS = ["right", "answers", "accepted", "areas"]  # what says in a key, by kind, which answer is right
Json = dict[str, Any]


class Weight(StrEnum):
    STOPS = "stops"  # papers would be wrong or missing
    WARNS = "warns"  # doctors or authors would be surprised
    TELLS = "tells"


@dataclass(frozen=True, slots=True)
class Finding:
    """`section_id` or `item_id` is where it is mended; none: in the settings of the test."""

    weight: Weight
    text: str
    section_id: int | None = None
    item_id: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One pick with what it may draw."""

    section: Section
    number: int
    pick: Pick
    units: list[Json]

    @property
    def sizes(self) -> list[int]:
        """A vignette is one of a draw, and as many questions as it has."""
        return sorted(len(unit["parts"]) if "parts" in unit else 1 for unit in self.units)

    @property
    def place(self) -> str:
        return _("Section %(section)d, row %(row)d") % {"section": self.section.position, "row": self.number}


@dataclass(frozen=True, slots=True)
class Span:
    """Of random draws papers may differ."""

    least: int | Decimal
    most: int | Decimal


@dataclass(frozen=True, slots=True)
class Plan:
    """A test as it is drawn today."""

    quiz: Quiz
    sections: Sequence[Section]
    rows: Sequence[Row]
    by_hand: int = 0  # questions that people mark, of those that may be drawn
    opens_at: datetime | None = None
    closes_at: datetime | None = None

    @property
    def questions(self) -> Span:
        span = self._span(lambda row: Decimal(1))
        return Span(int(span.least), int(span.most))

    @property
    def points(self) -> Span:
        return self._span(lambda row: row.pick.points)

    def _span(self, worth: Any) -> Span:
        least = sum((sum(row.sizes[: row.pick.count]) * worth(row) for row in self.rows), Decimal(0))
        most = sum((sum(row.sizes[-row.pick.count :]) * worth(row) for row in self.rows), Decimal(0))
        return Span(least, most)


@dataclass(frozen=True, slots=True)
class Checklist:
    """`findings` with what has to be mended first."""

    plan: Plan
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_ready(self) -> bool:
        return not any(one.weight == Weight.STOPS for one in self.findings)


def checklist_of(*, quiz: Quiz, now: datetime) -> Checklist:
    """About ten queries, whatever the size of the test and its banks. `quiz` with lesson, course and programme."""
    plan = plan_of(quiz=quiz)
    findings: list[Finding] = []
    for look in (_contents, _chosen, _supply, _exposure, _texts, _points, _policy, _ranking, _pairs):
        findings += look(plan)
    findings += _times(plan, now)
    order = list(Weight)
    return Checklist(plan, sorted(findings, key=lambda one: order.index(one.weight)))


def plan_of(*, quiz: Quiz) -> Plan:
    blueprint = make_blueprint(quiz=quiz)
    sections = list(quiz.sections.order_by("position"))
    picks: dict[int, list[Pick]] = {section.pk: [] for section in sections}
    for pick in Pick.objects.filter(section__quiz=quiz).select_related("item", "bank").order_by("position"):
        picks[pick.section_id].append(pick)
    rows = [
        Row(section, number, pick, drawn["units"])
        for section, made in zip(sections, blueprint["sections"], strict=True)
        for number, (pick, drawn) in enumerate(zip(picks[section.pk], made["picks"], strict=True), 1)
    ]
    lesson = quiz.lesson
    windows = (lesson.course.programme, lesson.course, lesson)
    return Plan(
        quiz,
        sections,
        rows,
        ItemVersion.objects.filter(pk__in=_versions(rows), item__kind=ItemKind.ESSAY).count(),
        max((one.opens_at for one in windows if one.opens_at), default=None),
        min((one.closes_at for one in windows if one.closes_at), default=None),
    )


def _versions(rows: Sequence[Row]) -> set[int]:
    units = [unit for row in rows for unit in row.units]
    return {unit["v"] for unit in units} | {part["v"] for unit in units for part in unit.get("parts", ())}


def _contents(plan: Plan) -> Iterator[Finding]:
    if not plan.rows:
        yield Finding(Weight.STOPS, _("There is no question in this test yet."))
        return
    filled = {row.section.pk for row in plan.rows}
    for section in plan.sections:
        if section.pk not in filled:
            text = _("Section %(section)d has no questions. Doctors do not see it.")
            yield Finding(Weight.WARNS, text % {"section": section.position}, section_id=section.pk)
    if not any(row.units for row in plan.rows):
        yield Finding(Weight.STOPS, _("None of the questions is ready: nobody can start."))


def _chosen(plan: Plan) -> Iterator[Finding]:
    """Questions by name that no paper will have."""
    chosen = [row for row in plan.rows if row.pick.item is not None]
    for row in chosen:
        if row.units or row.pick.item is None:
            continue
        words = {"place": row.place, "name": row.pick.item.name, "why": _why_not(row.pick.item)}
        text = _("%(place)s: “%(name)s” is left out: %(why)s") % words
        yield Finding(Weight.STOPS, text, row.section.pk, row.pick.item_id)
    for item_id, times in Counter(row.pick.item_id for row in chosen).items():
        if times > 1:
            row = next(one for one in chosen if one.pick.item_id == item_id)
            text = _("“%(name)s” is chosen more than once. A paper has it once.") % {"name": row.pick.item}
            yield Finding(Weight.WARNS, text, row.section.pk, item_id)


def _why_not(item: Item) -> str:
    if item.version_id is None:
        return _("it has no text yet.")
    if item.state == ItemState.RETIRED:
        return _("it is retired.")
    if item.state == ItemState.DRAFT:
        return _("it is a draft. Make it ready.")
    if item.vignette_id is not None:
        return _("it belongs to a vignette. Choose the vignette.")
    return _("the vignette has no question that is ready.")


def _supply(plan: Plan) -> Iterator[Finding]:
    draws = [Draw(row.pick.count, frozenset(unit["i"] for unit in row.units)) for row in plan.rows]
    for row, short in zip(plan.rows, shortfalls(draws), strict=True):
        if row.pick.item_id is not None:
            if short.at_worst and row.units:
                text = _("%(place)s: an earlier row may draw “%(name)s” already. Then a paper is one question shorter.")
                named = {"place": row.place, "name": row.pick.item}
                yield Finding(Weight.WARNS, text % named, row.section.pk)
            continue
        words = {"place": row.place, "wanted": row.pick.count, "found": len(row.units)}
        if short.always:
            text = _("%(place)s: wanted %(wanted)d, ready and fitting only %(found)d.")
            yield Finding(Weight.STOPS, text % words, row.section.pk)
        elif short.at_worst:
            text = ngettext(
                "%(place)s wants %(wanted)d of %(found)d questions, and earlier rows draw from the same ones: a paper "
                "may be %(short)d question shorter.",
                "%(place)s wants %(wanted)d of %(found)d questions, and earlier rows draw from the same ones: a paper "
                "may be %(short)d questions shorter.",
                short.at_worst,
            )
            yield Finding(Weight.WARNS, text % {**words, "short": short.at_worst}, row.section.pk)


def _exposure(plan: Plan) -> Iterator[Finding]:
    """With limits of 20 % on all of ten questions a draw of five finds two on average: the limits cannot hold."""
    for row in plan.rows:
        if row.pick.item_id is not None or len(row.units) < row.pick.count:
            continue
        expected = sum(min(100, unit["e"] or 100) for unit in row.units) / 100
        if expected < row.pick.count:
            text = _(
                "%(place)s: the exposure limits let %(expected).1f questions take part on average where %(wanted)d are "
                "wanted. Some will be on more papers than their limit says."
            )
            words = {"place": row.place, "expected": expected, "wanted": row.pick.count}
            yield Finding(Weight.WARNS, text % words, row.section.pk)


def _texts(plan: Plan) -> Iterator[Finding]:
    """Editor and import refuse such questions; what another program wrote into the database they have not seen."""
    versions = ItemVersion.objects.filter(pk__in=_versions(plan.rows)).exclude(item__kind=ItemKind.VIGNETTE)
    corrected = KeyRevision.objects.filter(version=OuterRef("pk"))
    empty = versions.filter(~Q(shown__has_key="image"), stem="").values_list("item_id", "item__name")[:MOST_NAMED]
    for item_id, name in empty:
        yield Finding(Weight.STOPS, _("“%(name)s” asks nothing: its text is empty.") % {"name": name}, item_id=item_id)
    keyless = versions.exclude(item__kind__in=KEYLESS).filter(~Q(key__has_any_keys=KEYS), ~Exists(corrected))
    for item_id, name in keyless.values_list("item_id", "item__name")[:MOST_NAMED]:
        text = _("“%(name)s” does not say which answer is right.") % {"name": name}
        yield Finding(Weight.STOPS, text, item_id=item_id)


def _points(plan: Plan) -> Iterator[Finding]:
    quiz = plan.quiz
    if not any(row.units for row in plan.rows):
        return
    if plan.points.most == 0:
        if quiz.pass_percent is not None:
            text = _("No question is worth a point, so everybody passes. Give points, or take the pass mark away.")
            yield Finding(Weight.STOPS, text)
        elif quiz.has_ranking:
            yield Finding(Weight.STOPS, _("No question is worth a point, so all share the first place."))
    elif plan.points.least != plan.points.most:
        text = _("Papers differ in their points. Pass mark and ranking go by the share of the points.")
        yield Finding(Weight.TELLS, text)
    if quiz.completes_by == CompletesBy.PASSING and quiz.attempts_allowed == 1:
        text = _("The lesson is completed by passing, and there is one attempt: who fails cannot complete the course.")
        yield Finding(Weight.WARNS, text)
    if plan.by_hand:
        text = ngettext(
            "%(n)d question is marked by people. Results come when that is done.",
            "%(n)d questions are marked by people. Results come when that is done.",
            plan.by_hand,
        )
        yield Finding(Weight.TELLS, text % {"n": plan.by_hand})


def _policy(plan: Plan) -> Iterator[Finding]:
    """What doctors would wait for in vain, and answers that are out before everybody is through."""
    quiz = plan.quiz
    closes = plan.closes_at is not None
    for when, never in (
        (quiz.marks_when, _("The result is shown")),
        (quiz.answers_when, _("Right answers are shown")),
    ):
        if when == Review.CLOSED and not closes:
            text = _("%(what)s once the test has closed, but it never closes. Give the lesson an end.")
            yield Finding(Weight.WARNS, text % {"what": never})
        if when == Review.DONE and quiz.attempts_allowed is None and quiz.pass_percent is None:
            text = _("%(what)s once it is passed or no attempt is left, but there is no pass mark and no last attempt.")
            yield Finding(Weight.WARNS, text % {"what": never})
    if quiz.answers_when == Review.SUBMITTED and quiz.attempts_allowed != 1:
        text = _("Right answers are shown at once, and there are further attempts: doctors can copy them.")
        yield Finding(Weight.WARNS, text)


def _ranking(plan: Plan) -> Iterator[Finding]:
    quiz = plan.quiz
    if not quiz.has_ranking:
        return
    if quiz.attempts_allowed is None:
        yield Finding(Weight.WARNS, _("There is a ranking and no limit of attempts: patience is ranked."))
    if quiz.time_limit_seconds is None:
        yield Finding(Weight.WARNS, _("There is a ranking and no time limit: who looks things up is ranked first."))
    if plan.closes_at is None:
        yield Finding(Weight.WARNS, _("The ranking never becomes final: the test has no end."))
    if quiz.marks_when == Review.NEVER:
        yield Finding(Weight.WARNS, _("There is a ranking, but results are never shown: nobody sees a place."))
    if quiz.answers_when in {Review.SUBMITTED, Review.DONE}:
        text = _("Right answers are shown while others still sit the test. For a ranking show them once it has closed.")
        yield Finding(Weight.WARNS, text)


def _pairs(plan: Plan) -> Iterator[Finding]:
    quiz = plan.quiz
    others = Quiz.objects.filter(lesson__course=quiz.lesson.course_id).exclude(pk=quiz.pk)
    if quiz.kind == QuizKind.POST_TEST and quiz.pre_test_id is None and others.filter(kind=QuizKind.PRE_TEST).exists():
        text = _("The course has a test before. Choose it below, and the figures tell what doctors have learned.")
        yield Finding(Weight.TELLS, text)
    if quiz.kind == QuizKind.PRE_TEST and not quiz.post_tests.exists():
        text = _("No test after is compared with this one, so no gain can be told.")
        yield Finding(Weight.TELLS, text)
    if quiz.kind == QuizKind.CHECK and quiz.during_id is None:
        yield Finding(Weight.WARNS, _("Choose the webinar within which this check is shown."))


def _times(plan: Plan, now: datetime) -> Iterator[Finding]:
    """The window is that of programme, course and lesson together; a cohort's may be narrower."""
    quiz, opens, closes = plan.quiz, plan.opens_at, plan.closes_at
    if opens is not None and closes is not None and closes <= opens:
        text = _("The windows of programme, course and lesson do not meet: the test never opens.")
        yield Finding(Weight.STOPS, text)
        return
    if closes is not None and closes <= now:
        yield Finding(Weight.TELLS, _("The test has closed: nobody can start it any more."))
        return
    if quiz.time_limit_seconds is None:
        return
    limit = timedelta(seconds=quiz.time_limit_seconds)
    if closes is not None and closes - max(now, opens or now) < limit:
        text = _("The window is shorter than the time of the test: nobody would have all of it.")
        yield Finding(Weight.WARNS, text)
    elif closes is not None and opens is not None:
        most = Candidate.objects.filter(quiz=quiz).order_by("-extra_percent").values_list("extra_percent", flat=True)
        extra = most.first() or 0
        if closes - opens < limit * (100 + extra) / 100:
            text = _("Somebody has %(percent)d %% extra time, and the window is too short for it.")
            yield Finding(Weight.WARNS, text % {"percent": extra})
    number = int(plan.questions.most)
    if number and quiz.time_limit_seconds / number < BRISK_SECONDS:
        text = _("That is %(seconds)d seconds for a question: hardly enough to read it.")
        yield Finding(Weight.WARNS, text % {"seconds": quiz.time_limit_seconds // number})
