"""What sponsors and auditors see of a programme: numbers in which nobody can be recognised (`suppression`).

Whoever looks every hour would see each doctor come. So figures end with a day: the latest one before today (UTC) on
which at least five doctors did something. Until another such day has ended, every look shows the same, however often
and through however many pages; and what changes then is the doing of five or more.

There is no filter. Each number is a count of persons, rounded by itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import connections
from django.db.models import Exists, OuterRef

from analytics.domain.sharing.consent import ever_agreed
from analytics.domain.sharing.suppression import LEAST, Cells, cells_of, shown
from assessments.enums import Dimension, QuestionKind
from certification.enums import CertificateKind, EntryKind
from certification.models import Certificate, LedgerEntry
from core.replica import reading
from courses.enums import PublishStatus
from courses.models import Programme
from webinars.models import Webinar

FIVE_STEPS = (QuestionKind.LIKERT.value, QuestionKind.STARS.value)
# What a doctor did on which day. Feedback is known by its receipts: answers have no person.
_LAST_DAY = """
WITH deeds AS (
    SELECT user_id, enrolled_at AS at FROM courses_enrolment WHERE programme_id = %(programme)s
    UNION ALL SELECT user_id, activated_at FROM courses_enrolment WHERE programme_id = %(programme)s
    UNION ALL SELECT user_id, completed_at FROM courses_enrolment WHERE programme_id = %(programme)s
    UNION ALL SELECT user_id, first_beat_at FROM webinars_watchrecord WHERE webinar_id = ANY (%(webinars)s)
    UNION ALL SELECT user_id, joined_at FROM webinars_visit WHERE webinar_id = ANY (%(webinars)s)
    UNION ALL SELECT user_id, issued_at FROM certification_certificate WHERE programme_id = %(programme)s
    UNION ALL SELECT r.user_id, r.answered_on::timestamp AT TIME ZONE 'UTC' FROM assessments_evaluationreceipt r
        JOIN assessments_evaluation v ON v.id = r.evaluation_id WHERE v.about_id = ANY (%(lessons)s)
)
SELECT (at AT TIME ZONE 'UTC')::date AS day FROM deeds
JOIN courses_enrolment e ON e.user_id = deeds.user_id AND e.programme_id = %(programme)s
WHERE at < %(today)s GROUP BY day HAVING count(DISTINCT deeds.user_id) >= %(least)s ORDER BY day DESC LIMIT 1
"""
_PEOPLE = """
WITH watched AS (
    SELECT user_id FROM webinars_watchrecord
    WHERE webinar_id = ANY (%(webinars)s) AND first_beat_at < %(until)s AND NOT isempty(coverage)
    UNION SELECT user_id FROM webinars_visit WHERE webinar_id = ANY (%(webinars)s) AND joined_at < %(until)s
), people AS MATERIALIZED (
    SELECT u.country, u.specialty, e.activated_at < %(until)s AS joined,
        e.user_id IN (SELECT user_id FROM watched) AS attended, e.completed_at < %(until)s AS completed,
        e.user_id = ANY (%(certified)s) AS certified,
        e.user_id = ANY (%(agreed)s) AS named
    FROM courses_enrolment e JOIN accounts_user u ON u.id = e.user_id
    WHERE e.programme_id = %(programme)s AND e.enrolled_at < %(until)s
)
SELECT grouping(country), grouping(specialty), coalesce(country, ''), coalesce(specialty, ''),
    count(*), count(*) FILTER (WHERE named),
    count(*) FILTER (WHERE joined), count(*) FILTER (WHERE joined AND named),
    count(*) FILTER (WHERE attended), count(*) FILTER (WHERE attended AND named),
    count(*) FILTER (WHERE completed), count(*) FILTER (WHERE completed AND named),
    count(*) FILTER (WHERE certified), count(*) FILTER (WHERE certified AND named)
FROM people GROUP BY GROUPING SETS ((), (country), (specialty))
"""
_LECTURES = """
WITH there AS (
    SELECT webinar_id, user_id, phase = 'live' AS live FROM webinars_watchrecord
    WHERE webinar_id = ANY (%(webinars)s) AND first_beat_at < %(until)s AND NOT isempty(coverage)
    UNION SELECT webinar_id, user_id, true FROM webinars_visit
    WHERE webinar_id = ANY (%(webinars)s) AND joined_at < %(until)s
)
SELECT t.webinar_id, t.live, count(*), count(*) FILTER (WHERE t.user_id = ANY (%(agreed)s))
FROM there t JOIN courses_enrolment e ON e.user_id = t.user_id AND e.programme_id = %(programme)s
    AND e.enrolled_at < %(until)s
GROUP BY t.webinar_id, t.live
"""
# In fives, by day and then by the random keys of the responses: a mean that moves has at least five new answers in it.
_MEANS = """
WITH said AS (
    SELECT r.evaluation_id, v.about_id, q.dimension, r.answered_on, r.id, sum(a.number) AS total, count(*) AS answers
    FROM assessments_evaluation v
    JOIN assessments_evaluationresponse r ON r.evaluation_id = v.id AND r.answered_on < %(until_day)s
    JOIN assessments_evaluationanswer a ON a.response_id = r.id AND a.number IS NOT NULL
    JOIN assessments_evaluationquestion q ON q.id = a.question_id AND q.kind = ANY (%(kinds)s)
    WHERE v.about_id = ANY (%(lessons)s)
    GROUP BY r.evaluation_id, v.about_id, q.dimension, r.answered_on, r.id
), placed AS (
    SELECT *, row_number() OVER (PARTITION BY evaluation_id, dimension ORDER BY answered_on, id) AS place,
        count(*) OVER (PARTITION BY evaluation_id, dimension) AS people
    FROM said
)
SELECT about_id, dimension, sum(total)::bigint, sum(answers)::bigint, count(*) FROM placed
WHERE place <= people / %(least)s * %(least)s GROUP BY about_id, dimension
"""
STEPS = ("invited", "joined", "attended", "completed", "certified")


@dataclass(frozen=True, slots=True)
class Mean:
    """Of five, to one place; from `people` answers, a multiple of five."""

    dimension: str
    value: float
    people: int

    @property
    def label(self) -> str:
        return str(Dimension(self.dimension).label)


@dataclass(frozen=True, slots=True)
class SharedLecture:
    """Doctors, rounded; None: too few to show. `mean`: of what is shown of the dimensions."""

    webinar: Webinar
    live: int | None
    recorded: int | None
    mean: float | None


@dataclass(frozen=True, slots=True)
class SharedFigures:
    """`until`: everything before this moment is counted; None while there was no day with five doctors.

    `agreed`: who may be named beside it, and was taken for known in every number (`consent.ever_agreed`).
    """

    programme: Programme
    until: datetime | None
    funnel: tuple[tuple[str, int | None], ...] = ()
    countries: Cells = field(default_factory=Cells)
    specialties: Cells = field(default_factory=Cells)
    lectures: tuple[SharedLecture, ...] = ()
    means: tuple[Mean, ...] = ()
    agreed: tuple[int, ...] = ()

    @property
    def last_day(self) -> date | None:
        return (self.until - timedelta(days=1)).date() if self.until else None


def figures_of(programme: Programme, *, now: datetime) -> SharedFigures:
    """The caller has passed `rules.get_shared_programme`, and records that somebody looked. Seven queries."""
    webinars = _webinars(programme)
    values: dict[str, Any] = {
        "programme": programme.pk,
        "webinars": [one.pk for one in webinars],
        "lessons": [one.lesson_id for one in webinars],
        "least": LEAST,
    }
    until = last_midnight(values, now=now)
    if until is None:
        return SharedFigures(programme, None)
    values |= {"until": until, "until_day": until.date(), "kinds": list(FIVE_STEPS)}
    values["certified"] = certified_ids(programme, until=until)
    values["agreed"] = ever_agreed(programme, until=until)
    rows = _read(_PEOPLE, values)
    means = {(lesson, dimension): rest for lesson, dimension, *rest in _read(_MEANS, values)}
    return SharedFigures(
        programme,
        until,
        funnel=_funnel(rows),
        countries=_cells(rows, of=2, hidden_by=0),
        specialties=_cells(rows, of=3, hidden_by=1),
        lectures=tuple(_lectures(webinars, _read(_LECTURES, values), means)),
        means=tuple(_means(means)),
        agreed=tuple(values["agreed"]),
    )


def _webinars(programme: Programme) -> list[Webinar]:
    """Of published courses, in the order of the programme."""
    found = Webinar.objects.using(reading()).filter(
        lesson__course__programme=programme, lesson__course__status=PublishStatus.PUBLISHED
    )
    return list(found.select_related("lesson__course").order_by("lesson__course__position", "lesson__position", "pk"))


def last_midnight(values: Mapping[str, Any], *, now: datetime) -> datetime | None:
    today = datetime.combine(now.astimezone(UTC).date(), time.min, tzinfo=UTC)
    rows = _read(_LAST_DAY, {**values, "today": today})
    return datetime.combine(rows[0][0], time.min, tzinfo=UTC) + timedelta(days=1) if rows else None


def certified_ids(programme: Programme, *, until: datetime) -> list[int]:
    """Who has the programme's certificate as it was then: what is replaced or revoked since has not happened yet."""
    issued = Certificate.objects.using(reading()).filter(
        programme=programme, kind=CertificateKind.PROGRAMME, issued_at__lt=until
    )
    replaced = Certificate.objects.filter(replaces=OuterRef("pk"), issued_at__lt=until)
    revoked = LedgerEntry.objects.filter(
        certificate=OuterRef("pk"), kind=EntryKind.CERTIFICATE_REVOKED, entered_at__lt=until
    )
    return list(issued.filter(~Exists(replaced), ~Exists(revoked)).values_list("user_id", flat=True))


def _read(statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connections[reading()].cursor() as cursor:
        cursor.execute(statement, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def _funnel(rows: Sequence[tuple[Any, ...]]) -> tuple[tuple[str, int | None], ...]:
    total = next((row[4:] for row in rows if row[0] and row[1]), (0,) * 10)
    return tuple((step, shown(total[2 * i], named=total[2 * i + 1])) for i, step in enumerate(STEPS))


def _cells(rows: Iterable[tuple[Any, ...]], *, of: int, hidden_by: int) -> Cells:
    """Of who attended."""
    mine = [row for row in rows if not row[hidden_by]]
    return cells_of({row[of]: row[8] for row in mine}, named={row[of]: row[9] for row in mine})


def _lectures(
    webinars: Iterable[Webinar], rows: Iterable[tuple[Any, ...]], means: Mapping[tuple[int, str], Sequence[int]]
) -> Iterable[SharedLecture]:
    counted = {(webinar, live): shown(people, named=named) for webinar, live, people, named in rows}
    for one in webinars:
        mine = [
            rounded(total, answers) for (lesson, _), (total, answers, _p) in means.items() if lesson == one.lesson_id
        ]
        mean = round(sum(mine) / len(mine), 1) if mine else None
        yield SharedLecture(one, counted.get((one.pk, True), 0), counted.get((one.pk, False), 0), mean)


def _means(means: Mapping[tuple[int, str], Sequence[int]]) -> Iterable[Mean]:
    for dimension in Dimension.values:
        mine = [rest for (_, one), rest in means.items() if one == dimension]
        if mine:
            total, answers, people = (sum(part) for part in zip(*mine, strict=True))
            yield Mean(dimension, rounded(total, answers), people)


def rounded(total: int, answers: int) -> float:
    return round(total / answers, 1)
