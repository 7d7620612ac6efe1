"""Of a programme: rows of doctors, with their names. For its staff only; who took them is recorded."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.domain.erasure import NOWHERE
from analytics.domain.exporting.datasets import (
    CODE,
    NUMBER,
    SECONDS,
    TEXT,
    UTC_TIME,
    Column,
    Dataset,
    Key,
    Row,
    Scope,
    Source,
    select,
)
from core.replica import reading
from courses.models import Course, Lesson
from webinars.models import Webinar

# Nothing of an erased person's address, which is made up.
_PERSON = """
    concat_ws(' ', nullif(u.title, ''), nullif(u.first_name, ''), nullif(u.last_name, '')),
    CASE WHEN u.email LIKE %(nowhere)s THEN '' ELSE u.email END
"""
_LEARNERS = f"""
SELECT e.user_id, {_PERSON}, u.country, u.specialty, coalesce(c.name, ''), e.status, e.enrolled_at, e.activated_at,
    (SELECT count(*) FROM courses_lessoncompletion d WHERE d.user_id = e.user_id AND d.lesson_id = ANY (%(lessons)s)),
    (SELECT count(*) FROM courses_coursecompletion d WHERE d.user_id = e.user_id AND d.course_id = ANY (%(courses)s)),
    e.completed_at, coalesce(w.live, 0)::bigint, coalesce(w.recorded, 0)::bigint, w.last_at
FROM courses_enrolment e
JOIN accounts_user u ON u.id = e.user_id
LEFT JOIN courses_cohort c ON c.id = e.cohort_id
LEFT JOIN LATERAL (
    SELECT sum(seen_seconds) FILTER (WHERE phase = 'live') AS live,
        sum(seen_seconds) FILTER (WHERE phase = 'on_demand') AS recorded, max(last_beat_at) AS last_at
    FROM webinars_watchrecord r
    WHERE r.user_id = e.user_id AND r.webinar_id = ANY (%(webinars)s) AND NOT isempty(r.coverage)
) w ON true
WHERE e.programme_id = %(programme)s AND e.user_id > %(doctor)s
ORDER BY e.user_id LIMIT %(limit)s
"""  # noqa: S608 – of constants
_WATCHING = f"""
SELECT w.webinar_id, w.user_id, l.title, {_PERSON}, u.country, w.live::bigint, w.recorded::bigint, w.first_at,
    w.last_at, d.completed_at
FROM (
    SELECT webinar_id, user_id, coalesce(sum(seen_seconds) FILTER (WHERE phase = 'live'), 0) AS live,
        coalesce(sum(seen_seconds) FILTER (WHERE phase = 'on_demand'), 0) AS recorded,
        min(first_beat_at) AS first_at, max(last_beat_at) AS last_at
    FROM webinars_watchrecord
    WHERE webinar_id = ANY (%(webinars)s) AND (webinar_id, user_id) > (%(webinar)s, %(doctor)s)
        AND NOT isempty(coverage)
    GROUP BY webinar_id, user_id
) w
JOIN courses_enrolment e ON e.user_id = w.user_id AND e.programme_id = %(programme)s
JOIN accounts_user u ON u.id = w.user_id
JOIN webinars_webinar b ON b.id = w.webinar_id
JOIN courses_lesson l ON l.id = b.lesson_id
LEFT JOIN courses_lessoncompletion d ON d.lesson_id = b.lesson_id AND d.user_id = w.user_id
ORDER BY w.webinar_id, w.user_id LIMIT %(limit)s
"""  # noqa: S608 – of constants


def _values(source: Source, limit: int | None) -> dict[str, Any]:
    programme = source.programme.pk
    return {
        "programme": programme,
        "webinars": _ids(Webinar.objects.filter(lesson__course__programme=programme)),
        "nowhere": f"%@{NOWHERE}",
        "limit": limit,
    }


def _ids(found: Any) -> Sequence[int]:
    return list(found.using(reading()).order_by("pk").values_list("pk", flat=True))


def _learners(source: Source, after: Key, limit: int | None) -> Iterator[Row]:
    programme = source.programme.pk
    values = {
        **_values(source, limit),
        "lessons": _ids(Lesson.objects.filter(course__programme=programme)),
        "courses": _ids(Course.objects.filter(programme=programme)),
        "doctor": int(after[0]) if after else 0,
    }
    yield from select(_LEARNERS, values)


def _watching(source: Source, after: Key, limit: int | None) -> Iterator[Row]:
    webinar, doctor = map(int, after or (0, 0))
    yield from select(_WATCHING, {**_values(source, limit), "webinar": webinar, "doctor": doctor})


_DOCTOR = Column("doctor", NUMBER, _("The doctor’s number here; it stays the same."))
_NAME = Column("name", TEXT, _("As on certificates."))
_EMAIL = Column("email", TEXT, _("The address that the doctor signs in with. Empty: erased."))
_COUNTRY = Column("country", CODE, _("ISO 3166-1, two letters. Empty: not stated."))

LEARNERS = Dataset(
    key="learners",
    scope=Scope.PROGRAMME,
    title=_("Doctors and their progress"),
    about=_("A row for every doctor who was ever enrolled in the programme, however their place stands now."),
    key_columns=1,
    read=_learners,
    has_people=True,
    columns=(
        _DOCTOR,
        _NAME,
        _EMAIL,
        _COUNTRY,
        Column("specialty", TEXT, _("As the doctor states it.")),
        Column("cohort", TEXT, _("The group within the programme, if there is one.")),
        Column("status", CODE, _("“invited”, “active”, “completed”, “suspended” or “withdrawn”.")),
        Column("enrolled_at", UTC_TIME, _("When the doctor got the place.")),
        Column("first_signed_in_at", UTC_TIME, _("When the doctor came first. Empty: not yet.")),
        Column("lessons_completed", NUMBER, _("Of the programme as it is now.")),
        Column("courses_completed", NUMBER, _("Of the programme as it is now.")),
        Column("programme_completed_at", UTC_TIME, _("When the programme was completed.")),
        Column("live_seconds", SECONDS, _("Watched live in the player here, each second of a lecture once.")),
        Column("recorded_seconds", SECONDS, _("Watched of recordings, each second of a lecture once.")),
        Column("last_watched_at", UTC_TIME, _("The latest sign of a player that has credited something.")),
    ),
)
WATCHING = Dataset(
    key="watching",
    scope=Scope.PROGRAMME,
    title=_("Doctors and the lectures they watched"),
    about=_("A row for every doctor and webinar of which the doctor has watched something in the player here."),
    key_columns=2,
    read=_watching,
    has_people=True,
    columns=(
        Column("webinar", NUMBER, _("The number of the webinar, as in its address.")),
        _DOCTOR,
        Column("title", TEXT, _("The title of the webinar.")),
        _NAME,
        _EMAIL,
        _COUNTRY,
        Column("live_seconds", SECONDS, _("Watched live, each second once.")),
        Column("recorded_seconds", SECONDS, _("Watched of the recording, each second once.")),
        Column("first_watched_at", UTC_TIME, _("The first sign of a player.")),
        Column("last_watched_at", UTC_TIME, _("The latest one.")),
        Column("completed_at", UTC_TIME, _("When the lesson was completed, if it was.")),
    ),
)
