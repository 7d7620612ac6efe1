"""Writes facts down as statements. A fact that was written down before is not written again, whoever looks when."""

import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F

from analytics.domain.statements import outbox, shapes, sources
from analytics.domain.statements.facts import Fact, id_of
from analytics.domain.statements.rows import PIECE
from analytics.enums import StatementState, StatementVerb
from analytics.models import Statement, StatementFeed
from core.logging import get_logger

log = get_logger("analytics")
FEED = "lrs"
LAST = timedelta(milliseconds=1)  # what ends a session is due a moment after what it ends
OVERLAP = timedelta(hours=1)  # what was still being written, in a transaction, when the last look went by
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('analytics.statements', 0))"


def is_on() -> bool:
    return bool(settings.XAPI["XAPI_URL"])


def make_all(*, now: datetime, whole: bool = False) -> int:
    """All that happened since the last time, or ever. How many statements are new. Nothing where no store is named."""
    if not is_on():
        outbox.forget_all()
        return 0
    outbox.forget_those_who_left()
    feed, _ = StatementFeed.objects.get_or_create(name=FEED)
    made = sum(_make(source, through=feed.made_through, whole=whole, now=now) for source in sources.ALL)
    StatementFeed.objects.filter(name=FEED).update(made_through=now)
    return made


def _make(source: sources.Source, *, through: datetime | None, whole: bool, now: datetime) -> int:
    """Of one source. A row that cannot be told holds up what comes after it there, and no other source.

    As long as it does, the source has a row of its own that says how far it got: it begins there the next time.
    """
    name = source.__name__
    stuck = StatementFeed.objects.filter(name=name)
    through = next(iter(stuck.values_list("made_through", flat=True)), through)
    since = None if whole or through is None else through - OVERLAP
    made = 0
    try:
        for piece in _pieces(source(since, now)):
            made += _write(piece, now=now)
    except Exception as problem:
        log.exception("analytics.statements_not_made", source=name)
        stuck.get_or_create(name=name, defaults={"made_through": through})
        stuck.update(failures=F("failures") + 1, problem=f"{type(problem).__name__}: {problem}"[:300])
    else:
        stuck.delete()
    return made


def _pieces(facts: Iterator[Fact]) -> Iterator[list[Fact]]:
    while piece := list(islice(facts, PIECE)):
        yield piece


@transaction.atomic
def _write(facts: Sequence[Fact], *, now: datetime) -> int:
    """One piece. Two who are at it at once do it one after the other, and the second finds nothing left to do."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK)
    plain = [_statement(one, one.verb, number=0, now=now) for one in facts if one.verb and not one.replaces]
    known = set(Statement.objects.filter(pk__in=[one.pk for one in plain]).values_list("pk", flat=True))
    new = [one for one in plain if one.pk not in known] + _replacing([one for one in facts if one.replaces], now=now)
    Statement.objects.bulk_create(new, ignore_conflicts=True)
    return len(new)


def _replacing(facts: Sequence[Fact], *, now: datetime) -> list[Statement]:
    earlier: defaultdict[str, list[Statement]] = defaultdict(list)
    told = Statement.objects.filter(source__in=[one.source for one in facts]).exclude(verb=StatementVerb.VOIDED)
    for statement in told:
        earlier[statement.source].append(statement)
    new: list[Statement] = []
    over: list[uuid.UUID] = []
    for fact in facts:
        before = earlier[fact.source]
        holds = next((one for one in before if one.voided_at is None), None)
        if holds is not None and fact.verb is not None and holds.edition == fact.edition:
            continue
        if holds is not None:
            over.append(holds.pk)
            if holds.state != StatementState.REFUSED:
                new.append(_taking_back(holds, now=now))
        if fact.verb is not None:
            new.append(_statement(fact, fact.verb, number=len(before), now=now))
    Statement.objects.filter(pk__in=over).update(voided_at=now)
    return new


def _statement(fact: Fact, verb: StatementVerb, *, number: int, now: datetime) -> Statement:
    home = settings.XAPI["XAPI_HOME_PAGE"]
    return Statement(
        id=fact.statement_id or id_of(home=home, source=fact.source, edition=fact.edition, number=number),
        user_id=fact.user_id,
        programme_id=fact.programme_id,
        source=fact.source,
        edition=fact.edition,
        verb=verb,
        happened_at=fact.happened_at,
        body=fact.body,
        due_at=now + LAST if verb == StatementVerb.TERMINATED else now,
    )


def _taking_back(statement: Statement, *, now: datetime) -> Statement:
    home = settings.XAPI["XAPI_HOME_PAGE"]
    return Statement(
        id=id_of(home=home, source=f"voided/{statement.pk}"),
        user_id=statement.user_id,
        programme_id=statement.programme_id,
        source=statement.source,
        verb=StatementVerb.VOIDED,
        happened_at=now,
        body=shapes.taken_back(statement.pk),
        due_at=now,
    )
