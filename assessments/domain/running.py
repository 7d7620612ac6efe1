"""A test while it runs, for who runs it: how many are in, who, how far, and what was done to whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, F, Func, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from assessments.domain.interventions import doctors_of
from assessments.enums import FINISHED_STATES, AttemptState
from assessments.items import type_of
from assessments.models import Answer, Attempt, Candidate, Pause, Quiz
from courses.models import Enrolment

PER_PAGE = 50
MOST_FOUND = 20
STATES: dict[str, Q] = {
    "all": Q(),
    "open": Q(state=AttemptState.OPEN),
    "finished": Q(state__in=FINISHED_STATES),
    "submitted": Q(state=AttemptState.SUBMITTED),
    "void": Q(state=AttemptState.VOID),
}


@dataclass(frozen=True, slots=True)
class Figures:
    """`people` have begun at least once; the others are attempts. `passed` is of those that count."""

    people: int
    all: int
    open: int
    finished: int
    submitted: int
    void: int
    passed: int


@dataclass(frozen=True, slots=True)
class Doctor:
    """Somebody of the programme, who may not have begun."""

    enrolment: Enrolment
    attempts: int
    extra_percent: int
    extra_attempts: int


@dataclass(frozen=True, slots=True)
class Given:
    """One answer in words. Without the key: whoever runs a test need not know what is right."""

    position: int
    name: str
    words: str
    answer: Any

    @property
    def number(self) -> int:
        return self.position + 1


def figures_of(*, quiz: Quiz) -> Figures:
    """One query."""
    counts = {name: Count("pk", filter=state) for name, state in STATES.items()}
    found = Attempt.objects.filter(quiz=quiz).aggregate(
        people=Count("user", distinct=True), passed=Count("pk", filter=Q(counts=True, is_passed=True)), **counts
    )
    return Figures(**found)


def standing_pause(*, quiz: Quiz) -> Pause | None:
    return Pause.objects.filter(quiz=quiz, ended_at=None).select_related("began_by").first()


def page_of_attempts(*, quiz: Quiz, state: str, search: str, number: str) -> Page[Attempt]:
    """Each with `of` (questions on its paper) and `given` (answered); papers themselves are not read."""
    rows: QuerySet[Any] = Attempt.objects.filter(STATES[state], _named("user", search), quiz=quiz)
    length = Func(F("paper__items"), function="jsonb_array_length", output_field=IntegerField())
    answers = Answer.objects.filter(attempt=OuterRef("pk"), value__isnull=False).order_by().values("attempt")
    given = Coalesce(Subquery(answers.annotate(n=Count("pk")).values("n")), 0)
    rows = rows.annotate(of=length, given=given)
    return Paginator(rows.select_related("user").defer("paper").order_by("-started_at", "-pk"), PER_PAGE).get_page(
        number
    )


def find_doctors(*, quiz: Quiz, search: str) -> list[Doctor]:
    """The first of that name. Three queries."""
    if not search:
        return []
    places = doctors_of(quiz=quiz).filter(_named("user", search)).select_related("user").order_by("user__last_name")
    found = list(places[:MOST_FOUND])
    people = [one.user_id for one in found]
    extra = {one.user_id: one for one in Candidate.objects.filter(quiz=quiz, user__in=people)}
    attempts = dict(
        Attempt.objects.filter(quiz=quiz, user__in=people).values_list("user").annotate(n=Count("pk")).order_by()
    )
    return [
        Doctor(
            one,
            attempts.get(one.user_id, 0),
            extra[one.user_id].extra_percent if one.user_id in extra else 0,
            extra[one.user_id].extra_attempts if one.user_id in extra else 0,
        )
        for one in found
    ]


def answers_of(*, attempt: Attempt) -> Sequence[Given]:
    """Two queries. Of an open attempt only what was touched has a row."""
    answers = attempt.answers.select_related("version__item").defer("version__key").order_by("position")
    return [
        Given(
            answer.position,
            answer.version.item.name,
            type_of(answer.version.item.kind).describe(shown=answer.version.shown, value=answer.value),
            answer,
        )
        for answer in answers
    ]


def _named(path: str, search: str) -> Q:
    """Every word somewhere: in a name, the address or the registration number."""
    wanted = Q()
    for word in search.split():
        fields = ("first_name", "last_name", "email", "registration_number")
        one = Q()
        for field in fields:
            one |= Q(**{f"{path}__{field}__icontains": word})
        wanted &= one
    return wanted
