"""Planning: what is due within minutes becomes rows of the outbox. Set-based: one statement for a journey, however many
doctors.

Nothing is planned further ahead than `HORIZON`: what lies further ahead may still change, and needs no withdrawing
then. A time that was missed (nobody planned for an hour) is made up for as long as the message is of use.

What `Delivery.subject` names: "webinar/12" for everything about a webinar; "lesson/3" is the feedback's lesson;
"course/4", "certificate/9"; "programme/1" for invitations, weekly progress and the programme's end.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection, transaction

from core.logging import get_logger
from courses.enums import PublishStatus
from reminders.domain.planning.statement import INSERT, LOOK, parameters, statement_of, zones_of
from reminders.domain.planning.which import source_of
from reminders.models import Journey

log = get_logger("reminders")
HORIZON = timedelta(minutes=15)
_ONE_AT_A_TIME = "SELECT pg_try_advisory_xact_lock(hashtextextended('reminders.plan', %s))"


@dataclass(frozen=True, slots=True)
class Planned:
    programme_id: int
    kind: str
    number: int


@dataclass(frozen=True, slots=True)
class WouldPlan:
    """One message of a rehearsal."""

    kind: str
    subject: str
    slot: str
    user_id: int
    channel: str
    due_at: datetime


@dataclass(slots=True)
class Rehearsal:
    """`failed` names what it could not be said of."""

    messages: list[WouldPlan] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def plan(*, now: datetime) -> list[Planned]:
    """What came to be planned. A journey that fails is logged, and the others go on.

    One planner a programme at a time: the second one leaves at once. Two that saw different choices of a doctor could
    plan the same message by two channels.
    """
    found: list[Planned] = []
    zones = zones_of()
    for journey in journeys():
        try:
            number = _plan_one(journey, zones=zones, now=now)
        except Exception:  # of this journey
            log.exception("reminders.planning_failed", programme=journey.programme_id, kind=journey.kind)
            continue
        if number:
            found.append(Planned(journey.programme_id, journey.kind, number))
    return found


def journeys() -> list[Journey]:
    """All that are switched on, in programmes that send."""
    return list(
        Journey.objects.filter(
            is_on=True, programme__message_policy__is_on=True, programme__status=PublishStatus.PUBLISHED
        )
        .select_related("programme")
        .order_by("programme", "kind")
    )


def rehearse(*, now: datetime) -> Rehearsal:
    """What `plan` would write. Nothing is written."""
    zones = zones_of()
    found = Rehearsal()
    for journey in journeys():
        try:
            found.messages += _look_at_one(journey, zones=zones, now=now)
        except Exception:  # of this journey
            log.exception("reminders.planning_failed", programme=journey.programme_id, kind=journey.kind)
            found.failed.append(f"{journey.kind} of programme {journey.programme_id}")
    return found


@transaction.atomic
def _look_at_one(journey: Journey, *, zones: list[str], now: datetime) -> list[WouldPlan]:
    source = source_of(journey.kind)
    if source is None:
        return []
    values = parameters(journey, source=source, zones=zones, horizon=HORIZON, now=now)
    with connection.cursor() as cursor:
        cursor.execute(statement_of(source, journey, LOOK), values)
        return [WouldPlan(journey.kind, *row) for row in cursor.fetchall()]


@transaction.atomic
def _plan_one(journey: Journey, *, zones: list[str], now: datetime) -> int:
    source = source_of(journey.kind)
    if source is None:
        return 0
    values = parameters(journey, source=source, zones=zones, horizon=HORIZON, now=now)
    with connection.cursor() as cursor:
        cursor.execute(_ONE_AT_A_TIME, [journey.programme_id])
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(statement_of(source, journey, INSERT), values)
        return int(cursor.rowcount)
