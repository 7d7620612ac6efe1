"""Who stands where in a test: overall, and among those of the same country, specialty and cohort.

A person is ranked by the attempt that counts, by its share of the points: papers of random draws may have different
sums. Equal results share a place, and the next place is left out (1, 2, 2, 4); time decides nothing. The percentile of
a result is its mid-rank, (people below + half of those with the very same result) / people, so that the middle of any
group is at 50 and nobody is at 100 by being alone.

All places of a test are made by one statement and read by key. They are made anew while attempts change, at most every
LIVE_SECONDS, and are final once the test has closed for everybody and no attempt is open or waits for a marker. A
corrected key moves them once more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.core.paginator import Page, Paginator
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from assessments.domain.overview import overview_of
from assessments.enums import AttemptState, Review
from assessments.models import Attempt, Candidate, Place, Quiz, Ranking

LIVE_SECONDS = 30  # between two rankings of a test that is running
FINAL_SECONDS = 600  # a final one is looked at that often: a key may be corrected later
SMALLEST_GROUP = 5  # in a smaller one a place says who the others are
BINS = 20
PER_PAGE = 50
GROUPS = ("country", "specialty", "cohort")

# Windows run over the different results within each group, which are few; sorting all people four times took as long
# again. Keys of groups are never NULL, so that they can be joined by hashing: `within` says whose they are.
_RANK = """
WITH people AS MATERIALIZED (
    SELECT
        a.id, a.user_id, u.country, lower(btrim(u.specialty)) AS specialty, coalesce(e.cohort_id, 0) AS cohort,
        CASE WHEN a.most_points = 0 THEN 1 ELSE round(a.score / a.most_points, 9) END AS share,
        coalesce(c.shows_name, false) AND u.first_name || u.last_name <> '' AS is_named
    FROM assessments_attempt a
    JOIN accounts_user u ON u.id = a.user_id
    LEFT JOIN assessments_candidate c ON c.quiz_id = a.quiz_id AND c.user_id = a.user_id
    LEFT JOIN courses_enrolment e ON e.programme_id = %(programme)s AND e.user_id = a.user_id
    WHERE a.quiz_id = %(quiz)s AND a.counts
),
results AS (
    SELECT grouping(country, specialty, cohort) AS within, country, specialty, cohort, share, count(*) AS equal
    FROM people GROUP BY GROUPING SETS ((share), (country, share), (specialty, share), (cohort, share))
),
ranked AS MATERIALIZED (
    SELECT *,
        1 + sum(equal) OVER (PARTITION BY within, country, specialty, cohort ORDER BY share DESC) - equal AS place,
        sum(equal) OVER (PARTITION BY within, country, specialty, cohort) AS people
    FROM results
)
INSERT INTO assessments_place (
    attempt_id, quiz_id, user_id, share, is_named, country, specialty, cohort_id, place, equal, "of",
    country_place, country_equal, country_of, specialty_place, specialty_equal, specialty_of,
    cohort_place, cohort_equal, cohort_of
)
SELECT
    p.id, %(quiz)s, p.user_id, p.share, p.is_named, p.country, p.specialty, nullif(p.cohort, 0),
    a.place, a.equal, a.people, l.place, l.equal, l.people, f.place, f.equal, f.people, k.place, k.equal, k.people
FROM people p
JOIN ranked a ON a.within = 7 AND a.share = p.share
JOIN ranked l ON l.within = 3 AND l.share = p.share AND l.country = p.country
JOIN ranked f ON f.within = 5 AND f.share = p.share AND f.specialty = p.specialty
JOIN ranked k ON k.within = 6 AND k.share = p.share AND k.cohort = p.cohort
"""
_STATE = """
SELECT count(*), coalesce(sum(hashint8extended(id, (score * 10000)::bigint)), 0) FROM assessments_attempt
WHERE quiz_id = %s AND counts
"""
_BINS = """
SELECT least(width_bucket(share, 0, 1, %s), %s) - 1, count(*) FROM assessments_place WHERE quiz_id = %s GROUP BY 1
"""


class NotRankedError(Exception):
    """This test has no ranking, or this person has no place in the test to show a name for."""


class Band(NamedTuple):
    """Of all, by percentile. The names are what people use; nobody is told to be among the last."""

    lowest: Decimal
    name: Any


BANDS = (
    Band(Decimal(90), _("Top tenth")),
    Band(Decimal(75), _("Top quarter")),
    Band(Decimal(50), _("Upper half")),
    Band(Decimal(25), _("Middle")),
    Band(Decimal(0), _("Room to grow")),
)


@dataclass(frozen=True, slots=True)
class Standing:
    """Of one person in one group: `all`, `country`, `specialty` or `cohort`; `name` is what it is called."""

    group: str
    name: Any
    place: int
    equal: int
    of: int

    @property
    def percentile(self) -> Decimal:
        return percentile_of(place=self.place, equal=self.equal, of=self.of)

    @property
    def band(self) -> Any:
        return next(band.name for band in BANDS if self.percentile >= band.lowest)


@dataclass(frozen=True, slots=True)
class Own:
    """Where one doctor stands. `standings` leaves out groups that are too small to be shown."""

    share: Decimal
    standings: Sequence[Standing]

    @property
    def percent(self) -> Decimal:
        return self.share * 100

    @property
    def bin(self) -> int:
        return min(int(self.share * BINS), BINS - 1)


@dataclass(frozen=True, slots=True)
class View:
    """What one person may see of a ranking now. `own` is none where they have no place, or no result to see yet."""

    quiz: Quiz
    ranking: Ranking | None
    own: Own | None
    is_open: bool
    is_candidate: bool
    shows_name: bool

    @property
    def is_shown(self) -> bool:
        return self.is_open and self.ranking is not None and self.ranking.people >= SMALLEST_GROUP


@dataclass(frozen=True, slots=True)
class Row:
    place: int
    name: str
    country: str
    percent: Decimal
    is_mine: bool


@dataclass(frozen=True, slots=True)
class Board:
    page: Page[Place]
    rows: Sequence[Row]


def percentile_of(*, place: int, equal: int, of: int) -> Decimal:
    """Mid-rank, in percent: (below + equal / 2) / of, where `equal` counts this person too. Exact to two places."""
    below = of - (place - 1) - equal
    return (Decimal(2 * below + equal) * 50 / of).quantize(Decimal("0.01"))


def refresh_due(*, now: datetime) -> int:
    """For a sweep: rankings whose attempts may have changed. Tests that nobody has finished have nothing to rank."""
    live, final = now - timedelta(seconds=LIVE_SECONDS), now - timedelta(seconds=FINAL_SECONDS)
    due = Q(ranking=None) | Q(ranking__checked_at=None)
    due |= Q(ranking__is_final=False, ranking__checked_at__lte=live) | Q(ranking__checked_at__lte=final)
    counted = Attempt.objects.filter(quiz=OuterRef("pk"), counts=True)
    quizzes = Quiz.objects.filter(due, Exists(counted) | Q(ranking__people__gt=0), has_ranking=True)
    return sum(refresh_ranking(quiz_id=pk, now=now) for pk in quizzes.order_by("pk").values_list("pk", flat=True))


def refresh_ranking(*, quiz_id: int, now: datetime) -> bool:
    """Whether places were made anew: not where nothing changed, and not where somebody else is at it."""
    Ranking.objects.get_or_create(quiz_id=quiz_id)
    with transaction.atomic():
        locked = Ranking.objects.select_for_update(of=("self",), skip_locked=True)
        ranking = locked.select_related("quiz__lesson__course__programme").filter(quiz=quiz_id).first()
        if ranking is None:
            return False
        state, is_final = state_of_attempts(quiz_id), _is_final(ranking.quiz, now)
        is_changed = state != ranking.state_of_attempts
        if is_changed:
            _make_places(ranking)
            ranking.state_of_attempts, ranking.refreshed_at = state, now
        ranking.is_final, ranking.checked_at = is_final, now
        ranking.save()
    return is_changed


def place_of(*, quiz: Quiz, user: User) -> Own | None:
    """Where a person stands, whether or not they may be told: ask `view_of` for that. One query, by key."""
    place = Place.objects.filter(quiz=quiz, user=user).first()
    return None if place is None else Own(place.share, _standings(place, user))


def view_of(*, quiz: Quiz, user: User, now: datetime) -> View:
    """A place tells the result: it is shown when the review policy shows that. Raises NotRankedError.

    Who has no attempt of their own sees the board once the test has closed.
    """
    if not quiz.has_ranking:
        raise NotRankedError
    overview = overview_of(quiz=quiz, user=user, now=now)
    mine = [one for one in overview.past if one.attempt.state == AttemptState.MARKED]
    counting = next((one for one in mine if one.attempt.counts), None)
    closes_at = overview.availability.closes_at
    has_closed = closes_at is not None and closes_at <= now and quiz.marks_when != Review.NEVER
    shows_own = counting is not None and counting.shows_marks
    candidate = Candidate.objects.filter(quiz=quiz, user=user).values_list("shows_name", flat=True).first()
    return View(
        quiz=quiz,
        ranking=Ranking.objects.filter(quiz=quiz).first(),
        own=place_of(quiz=quiz, user=user) if shows_own else None,
        is_open=shows_own or has_closed,
        is_candidate=candidate is not None,
        shows_name=bool(candidate),
    )


def board_of(*, view: View, user: User, group: str = "all", page: str | int | None = 1) -> Board:
    """Those who show their names, best first; in a group only of one's own, and only where it is large enough."""
    standing = next((one for one in view.own.standings if one.group == group), None) if view.own else None
    is_shown = view.is_shown and (group == "all" or standing is not None)
    rows = _named(view.quiz, user, group) if is_shown else Place.objects.none()
    place = "place" if group == "all" else f"{group}_place"
    found = Paginator(rows, PER_PAGE).get_page(page)
    return Board(
        found,
        [
            Row(getattr(row, place), row.user.get_full_name(), row.country, row.share * 100, row.user_id == user.pk)
            for row in found.object_list
        ],
    )


def show_name(*, quiz: Quiz, user: User, shows: bool) -> None:
    """On the board at once, and off it at once. Raises NotRankedError for who has not begun the test.

    A ranking that is being made is waited for: it would write what it read before.
    """
    Ranking.objects.get_or_create(quiz=quiz)
    with transaction.atomic():
        Ranking.objects.select_for_update().get(quiz=quiz)
        if not Candidate.objects.filter(quiz=quiz, user=user).update(shows_name=shows):
            raise NotRankedError
        has_name = bool(user.first_name or user.last_name)
        Place.objects.filter(quiz=quiz, user=user).update(is_named=shows and has_name)


def _named(quiz: Quiz, user: User, group: str) -> QuerySet[Place]:
    named = Place.objects.filter(quiz=quiz, is_named=True).select_related("user").order_by("place", "attempt")
    if group == "all":
        return named
    field = "cohort_id" if group == "cohort" else group
    return named.filter(**{field: Place.objects.filter(quiz=quiz, user=user).values(field)[:1]})


def _standings(place: Place, user: User) -> list[Standing]:
    names: dict[str, Any] = {
        "country": format_lazy("{}", user.country.name) if place.country else "",
        "specialty": user.specialty.strip() if place.specialty else "",
        "cohort": _("Your group") if place.cohort_id else "",
    }
    found = [Standing("all", _("All doctors"), place.place, place.equal, place.of)]
    for group in GROUPS:
        numbers = (getattr(place, f"{group}_{what}") for what in ("place", "equal", "of"))
        found.append(Standing(group, names[group], *numbers))
    return [one for one in found if one.name and one.of >= SMALLEST_GROUP]


def _make_places(ranking: Ranking) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = off")  # the planner cannot know how few results differ
        cursor.execute("DELETE FROM assessments_place WHERE quiz_id = %s", [ranking.quiz_id])
        programme = ranking.quiz.lesson.course.programme_id
        cursor.execute(_RANK, {"quiz": ranking.quiz_id, "programme": programme})
        ranking.people = cursor.rowcount
        cursor.execute(_BINS, [BINS, BINS, ranking.quiz_id])
        counts = dict(cursor.fetchall())
    ranking.bins = [counts.get(number, 0) for number in range(BINS)]


def state_of_attempts(quiz_id: int) -> str:
    """Changes whenever somebody's counting attempt, or its score, does."""
    with connection.cursor() as cursor:
        cursor.execute(_STATE, [quiz_id])
        count, digest = cursor.fetchone()
    return f"{count}:{digest}"


def _is_final(quiz: Quiz, now: datetime) -> bool:
    """Cohorts close no later than the lesson, the course and the programme."""
    course = quiz.lesson.course
    ends = [one.closes_at for one in (quiz.lesson, course, course.programme) if one.closes_at is not None]
    if not ends or min(ends) > now:
        return False
    unfinished = (AttemptState.OPEN, AttemptState.SUBMITTED)
    return not Attempt.objects.filter(quiz=quiz, state__in=unfinished).exists()
