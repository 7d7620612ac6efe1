"""Of one webinar: nothing here names a doctor."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext_lazy as _

from analytics.domain.axis import axis_of
from analytics.domain.exporting.datasets import (
    CODE,
    DOCTORS,
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
    cut,
    select,
)
from analytics.domain.presenting.audience import Group, audience_of
from analytics.domain.retention import retention_of
from assessments.domain.evaluation_results import EvaluationResults, results_of
from assessments.enums import QuestionKind
from assessments.models import Evaluation


def _audience(source: Source, after: Key, limit: int | None) -> Iterator[Row]:
    found = audience_of(webinar_id=source.asked_webinar.pk, programme_id=source.programme.pk)
    groups = [*(("country", one) for one in found.countries), *(("specialty", one) for one in found.specialties)]
    rows = [_group(kind, one) for kind, one in [*groups, ("total", found.total)]]
    return cut(sorted(rows, key=lambda row: (row[0], row[1])), after, limit)


def _group(kind: str, one: Group) -> Row:
    return (
        kind,
        one.name,
        one.people,
        one.live,
        one.recorded,
        one.continued,
        one.stayed,
        one.live_seconds,
        one.recorded_seconds,
    )


AUDIENCE = Dataset(
    key="audience",
    scope=Scope.WEBINAR,
    title=_("Audience"),
    about=_("Who came to a webinar, by country and by specialty. Only who has a place in the programme."),
    key_columns=2,
    read=_audience,
    columns=(
        Column("group", CODE, _("“total”, “country” or “specialty”: what the doctors of this row have in common.")),
        Column("name", TEXT, _("The country (ISO 3166-1, two letters) or the specialty. Empty: not stated, or all.")),
        Column("doctors", DOCTORS, _("Who was there live or has watched the recording, each counted once.")),
        Column("live", DOCTORS, _("Of them, who watched live here or went to the meeting from here.")),
        Column("recorded", DOCTORS, _("Of them, who watched the recording.")),
        Column("both", DOCTORS, _("Of them, who did both.")),
        Column(
            "stayed",
            DOCTORS,
            _("Who has watched something of the last twentieth of the broadcast, live. Empty until it has ended."),
        ),
        Column("live_seconds", SECONDS, _("Watched live by all of them, each second once for each doctor.")),
        Column("recorded_seconds", SECONDS, _("Watched of the recording, each second once for each doctor.")),
    ),
)


def _retention(source: Source, after: Key, limit: int | None) -> Iterator[Row]:
    webinar = source.asked_webinar
    axis = axis_of(webinar)
    found = retention_of(axis, webinar_id=webinar.pk, programme_id=source.programme.pk)
    first = int(after[0]) + 1 if after else 0
    last = axis.length if limit is None else min(axis.length, first + limit)
    for second in range(first, last):
        yield second, found.live.at(second), found.recorded.at(second), found.everybody.at(second)


RETENTION = Dataset(
    key="retention",
    scope=Scope.WEBINAR,
    title=_("Who watched each second"),
    about=_("How many doctors watched each second of a lecture: of its recording, or of the broadcast without one."),
    key_columns=1,
    read=_retention,
    columns=(
        Column("second", SECONDS, _("From the beginning of the recording as it is shown now; cuts are left out.")),
        Column("live", DOCTORS, _("Who watched this second live.")),
        Column("recorded", DOCTORS, _("Who watched it in the recording.")),
        Column("all", DOCTORS, _("Who watched it either way, each counted once.")),
    ),
)

_MINUTES = """
SELECT phase, at, people, arrivals, leavings FROM analytics_audienceminute
WHERE webinar_id = %(webinar)s AND (%(all)s OR (phase, at) > (%(phase)s, %(at)s::timestamptz))
ORDER BY phase, at LIMIT %(limit)s
"""


def _minutes(source: Source, after: Key, limit: int | None) -> Iterator[Row]:
    phase, at = after or ("", "epoch")
    values = {"webinar": source.asked_webinar.pk, "all": not after, "phase": phase, "at": at, "limit": limit}
    return select(_MINUTES, values)


AUDIENCE_MINUTES = Dataset(
    key="minutes",
    scope=Scope.WEBINAR,
    title=_("Audience by minute"),
    about=_(
        "Who had the player or the meeting open in each minute, as it is added up every minute. Pauses of less than a "
        "minute are none. While it is live the last two or three minutes wait until everybody has told of them. "
        "Everybody with a player counts here, staff and presenters too."
    ),
    key_columns=2,
    read=_minutes,
    columns=(
        Column("phase", CODE, _("“live” or “on_demand”: the broadcast or the recording.")),
        Column("at", UTC_TIME, _("The beginning of the minute. Minutes without anybody are left out.")),
        Column("people", NUMBER, _("Persons who were there at any moment of it.")),
        Column("arrivals", NUMBER, _("How often somebody came in it.")),
        Column("leavings", NUMBER, _("How often somebody left in it.")),
    ),
)


def _feedback(source: Source, after: Key, limit: int | None) -> Iterator[Row]:
    asked = Evaluation.objects.filter(about=source.asked_webinar.lesson_id).select_related("lesson", "form", "about")
    results = [results_of(evaluation=one, with_texts=False) for one in asked.order_by("pk")]
    rows = [row for one in results for row in _answers(one)]
    return cut(sorted(rows, key=lambda row: row[:3]), after, limit)


def _answers(results: EvaluationResults) -> Iterator[Row]:
    """A question that fewer than five have answered has one row, without numbers."""
    for dimension in results.dimensions:
        for one in dimension.questions:
            question = one.question
            head = (results.evaluation.pk, question.pk)
            about = (dimension.dimension, question.kind, question.text)
            if question.kind == QuestionKind.TEXT:
                continue
            if one.is_suppressed:
                yield (*head, 0, *about, "", None, None, None)
            else:
                mean = float(one.mean) if one.mean is not None else None
                for step, share in enumerate(one.shares, 1):
                    yield (*head, step, *about, share.label, share.count, one.answered, mean)


FEEDBACK = Dataset(
    key="feedback",
    scope=Scope.WEBINAR,
    title=_("Feedback"),
    about=_(
        "What doctors answered in the feedback forms that ask about a lecture, counted. Of anonymous questions with "
        "fewer than five answers there are no numbers. Free text is not in it."
    ),
    key_columns=3,
    read=_feedback,
    columns=(
        Column("evaluation", NUMBER, _("The number of the feedback form’s lesson here.")),
        Column("question", NUMBER, _("The number of the question.")),
        Column("step", NUMBER, _("The answer’s place, from 1. 0: too few have answered, nothing is shown.")),
        Column("dimension", CODE, _("The heading under which the question counts.")),
        Column("kind", CODE, _("“likert”, “stars”, “nps”, “one” or “several”.")),
        Column("text", TEXT, _("The question as it was asked.")),
        Column("answer", TEXT, _("What this answer says.")),
        Column("given", NUMBER, _("How often this answer was given.")),
        Column("answered", DOCTORS, _("How many have answered the question.")),
        Column("mean", NUMBER, _("Of all answers to the question, to two places; only where answers are steps.")),
    ),
)

# What was not passed on is between its doctor and the moderators: a presenter reads that it was asked, not what.
_QUESTIONS = """
SELECT q.id, q.phase, q.asked_at, q.asked_seconds, q.state, q.merged_into_id, q.votes,
    CASE WHEN seen THEN coalesce(nullif(q.edited_text, ''), q.text) ELSE '' END,
    q.answered_at, extract(epoch FROM q.answered_at - q.asked_at)::float8, (q.is_answered_live)::int,
    CASE WHEN seen THEN q.answer_text ELSE '' END
FROM webinars_question q
CROSS JOIN LATERAL (SELECT %(sees_all)s OR q.forwarded_at IS NOT NULL OR q.published_at IS NOT NULL AS seen) AS s
WHERE q.webinar_id = %(webinar)s AND q.id > %(after)s
ORDER BY q.id LIMIT %(limit)s
"""


def _questions(source: Source, after: Key, limit: int | None) -> Iterator[Row]:
    values: dict[str, Any] = {"webinar": source.asked_webinar.pk, "sees_all": source.sees_all, "limit": limit}
    return select(_QUESTIONS, {**values, "after": int(after[0]) if after else 0})


QUESTIONS = Dataset(
    key="questions",
    scope=Scope.WEBINAR,
    title=_("Questions"),
    about=_("What was asked in a webinar, without who asked it."),
    key_columns=1,
    read=_questions,
    columns=(
        Column("question", NUMBER, _("The number of the question.")),
        Column("phase", CODE, _("“live” or “on_demand”: asked in the broadcast or beside the recording.")),
        Column("asked_at", UTC_TIME, _("When it was asked.")),
        Column("asked_second", SECONDS, _("Where: in the broadcast, or in the recording. Empty: not known.")),
        Column("state", CODE, _("“new”, “forwarded”, “answered”, “published”, “merged” or “dismissed”.")),
        Column("merged_into", NUMBER, _("The question that it was put together with.")),
        Column("votes", NUMBER, _("Doctors who voted for it after it was published.")),
        Column("text", TEXT, _("As it was published. Presenters read only what was passed on to them or published.")),
        Column("answered_at", UTC_TIME, _("When it was answered first; empty while it is not.")),
        Column("answer_seconds", SECONDS, _("From asking to that answer.")),
        Column("answered_live", NUMBER, _("1: answered in the broadcast, by word of mouth; 0: in writing, or not.")),
        Column("answer", TEXT, _("The answer in words, where there is one.")),
    ),
)
