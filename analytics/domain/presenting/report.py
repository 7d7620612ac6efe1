"""Everything a presenter sees of one webinar, and the short line of each of theirs."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count

from analytics.domain.axis import Axis, axis_of
from analytics.domain.presenting.audience import Audience, audience_of
from analytics.domain.presenting.coming import Coming, coming_of
from analytics.domain.presenting.devices import Devices, devices_of
from analytics.domain.presenting.feedback import Feedback, Given, feedback_of
from analytics.domain.presenting.items import ItemFigures, items_of
from analytics.domain.presenting.marks import Mark, marks_of, questions_per_minute
from analytics.domain.presenting.polls import polls_of
from analytics.domain.presenting.questions import QuestionFigures, questions_of
from analytics.domain.presenting.replays import Moment, moments_of
from analytics.domain.retention import Retention, replays_of, retention_of
from core.replica import reading
from courses.enums import OPEN_ENROLMENTS
from courses.models import Enrolment
from webinars.domain.timelines import shown_over_time
from webinars.models import Registration, Webinar


@dataclass(frozen=True, slots=True)
class WebinarReport:
    """`expected`: who has registered, where doctors register; else who is in the programme."""

    webinar: Webinar
    axis: Axis
    expected: int
    audience: Audience
    coming: Coming
    devices: Devices
    retention: Retention
    replays: tuple[Moment, ...]
    marks: tuple[Mark, ...]
    questions: QuestionFigures
    questions_by_minute: tuple[tuple[int, int], ...]
    polls: tuple[dict[str, Any], ...]
    items: tuple[ItemFigures, ...]
    feedback: Feedback
    made_at: datetime

    @property
    def unique_minutes(self) -> int:
        """Of `audience.total.minutes` those without what somebody saw both live and in the recording."""
        total = self.audience.total
        return max(0, total.live_seconds + total.recorded_seconds - self.retention.twice_seconds) // 60


def report_of(webinar: Webinar, *, now: datetime) -> WebinarReport:
    """The caller has passed `rules.get_reported_webinar`. About twenty queries, however many doctors came."""
    programme_id = webinar.lesson.course.programme_id
    axis = axis_of(webinar)
    retention = retention_of(axis, webinar_id=webinar.pk, programme_id=programme_id)
    figures, asked = questions_of(webinar.pk)
    editions = () if all(one.is_live for one in asked) else shown_over_time(webinar)
    return WebinarReport(
        webinar=webinar,
        axis=axis,
        expected=expected_of(webinar),
        audience=audience_of(webinar_id=webinar.pk, programme_id=programme_id),
        coming=coming_of(webinar.pk),
        devices=devices_of([webinar.pk]),
        retention=retention,
        replays=moments_of(replays_of(axis, webinar_id=webinar.pk, programme_id=programme_id)),
        marks=tuple(marks_of(webinar.pk, axis)),
        questions=figures,
        questions_by_minute=tuple(questions_per_minute(asked, axis, editions)),
        polls=polls_of(webinar),
        items=tuple(items_of([webinar.lesson_id])),
        feedback=feedback_of(here=_given(webinar), programme_id=programme_id, others=_others(webinar)),
        made_at=now,
    )


def expected_of(webinar: Webinar) -> int:
    if webinar.needs_registration:
        places = Registration.objects.using(reading()).filter(webinar=webinar, cancelled_at=None)
        return int(places.count())
    programme = webinar.lesson.course.programme_id
    return int(Enrolment.objects.using(reading()).filter(programme=programme, status__in=OPEN_ENROLMENTS).count())


def _given(webinar: Webinar) -> Given:
    return Given(webinar.lesson_id, webinar.starts_at or webinar.created_at)


def _others(webinar: Webinar) -> list[Given]:
    """What exactly those who may read of this one may compare it with: lectures of its programme that all of its
    presenters gave. Whoever gave one with somebody else has not given the rest of theirs away. Two queries.
    """
    presenters = list(webinar.presenters.using(reading()).values_list("pk", flat=True))
    others = Webinar.objects.using(reading()).filter(lesson__course__programme=webinar.lesson.course.programme_id)
    rows = others.filter(presenters__in=presenters).annotate(shared=Count("presenters")).exclude(pk=webinar.pk)
    given = rows.filter(shared=len(presenters)).values_list("lesson_id", "starts_at", "created_at")
    return [Given(lesson, starts_at or made_at) for lesson, starts_at, made_at in given]
