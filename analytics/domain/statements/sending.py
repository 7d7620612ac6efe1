"""Gives what waits to the learning record store, a handful at a time, until nothing is due or the store is in trouble.

A store takes a batch or none of it. Where it refuses one, the halves are tried, and so on to the statement that it does
not want: the others get through. A store that does not answer, or asks for patience, is left alone for longer and
longer, with some chance in it, so that many who wait do not all come back in the same moment.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Greatest

from analytics.domain.statements import outbox
from analytics.domain.statements.making import FEED, is_on
from analytics.domain.statements.outbox import MOST_TRIES, Ending
from analytics.domain.statements.shapes import sent_as
from analytics.enums import StatementState
from analytics.models import Statement, StatementFeed
from analytics.transports.lrs import Later, Store, Taken
from core.logging import get_logger

log = get_logger("analytics")
MOST_SECONDS = 60.0  # for a handful; a call may take XAPI_TIMEOUT longer, and it all fits into a claim
ALONE_FROM = 4  # tries: from then on by itself, so that one that the store falls over holds up no others
FIRST_PAUSE = 30.0
LONGEST_PAUSE = 4 * 3600.0
Clock = Callable[[], datetime]


@dataclass(slots=True)
class Sent:
    """Of one round. `problem`: why it ended early."""

    sent: int = 0
    refused: int = 0
    later: int = 0
    problem: str = ""


@dataclass(slots=True)
class _Round:
    store: Store
    clock: Clock
    ends: float
    claim: Any
    bodies: dict[Any, dict[str, Any]]
    endings: list[Ending] = field(default_factory=list)
    trouble: Later | None = None

    def give(self, statements: Sequence[Statement]) -> None:
        """Settles each that was tried. In trouble the rest stays as it is."""
        if not statements or self.trouble is not None or time.monotonic() > self.ends:
            return
        result = self.store.post([self.bodies[one.pk] for one in statements])
        if isinstance(result, Taken):
            self._settle([Ending(one.pk, StatementState.SENT) for one in statements])
        elif isinstance(result, Later):
            self._later(statements, result)
        elif len(statements) == 1:
            self._settle([Ending(statements[0].pk, StatementState.REFUSED, result.why)])
        else:
            middle = len(statements) // 2
            self.give(statements[:middle])
            self.give(statements[middle:])

    def _later(self, statements: Sequence[Statement], result: Later) -> None:
        """One that stands alone and breaks the store is no trouble of the store's for the others."""
        now = self.clock()
        if not (result.is_about_these and len(statements) == 1 and statements[0].attempts >= ALONE_FROM):
            self.trouble = result
        self._settle([_wait(one, result, now) for one in statements])

    def _settle(self, endings: list[Ending]) -> None:
        outbox.settle(claim=self.claim, endings=endings, now=self.clock())
        self.endings += endings


def send_due(*, clock: Clock, most: int | None = None) -> Sent:
    """Until nothing is due, `most` were tried, or the store is in trouble."""
    done = Sent()
    if not is_on():
        return done
    feed, _ = StatementFeed.objects.get_or_create(name=FEED)
    if feed.paused_until is not None and feed.paused_until > clock():
        done.problem = feed.problem
        return done
    with Store() as store:
        while most is None or done.sent + done.refused + done.later < most:
            if not _handful(store, clock=clock, done=done) or done.problem:
                return done
    return done


def _handful(store: Store, *, clock: Clock, done: Sent) -> bool:
    """False: nothing was due."""
    claimed = outbox.claim_due(limit=settings.XAPI["XAPI_BATCH"], now=clock())
    if not claimed.statements:
        return False
    home, names = settings.XAPI["XAPI_HOME_PAGE"], outbox.pseudonyms(one.user_id for one in claimed.statements)
    bodies = {
        one.pk: sent_as(
            one.body,
            statement_id=one.pk,
            happened_at=one.happened_at,
            home=home,
            pseudonym=names[one.user_id],
            programme_id=one.programme_id,
        )
        for one in claimed.statements
    }
    work = _Round(store, clock, time.monotonic() + MOST_SECONDS, claimed.claim, bodies)
    work.give([one for one in claimed.statements if one.attempts < ALONE_FROM])
    for one in claimed.statements:
        if one.attempts >= ALONE_FROM:
            work.give([one])
    outbox.give_back(claim=claimed.claim)
    done.sent += sum(one.state == StatementState.SENT for one in work.endings)
    done.refused += sum(one.state in {StatementState.REFUSED, StatementState.GIVEN_UP} for one in work.endings)
    done.later += sum(one.state == StatementState.WAITING for one in work.endings)
    _note(work, now=clock())
    done.problem = work.trouble.why if work.trouble else ""
    return True


def _note(work: _Round, *, now: datetime) -> None:
    """How the store does, for the next who wants to send."""
    feed = StatementFeed.objects.filter(name=FEED)
    if work.trouble is None:
        feed.filter(failures__gt=0).update(failures=0, problem="", paused_until=None)
        return
    failures = feed.values_list("failures", flat=True).get()
    pause = pause_seconds(failures, asked=work.trouble.retry_after, chance=random.random())  # noqa: S311
    until = now + timedelta(seconds=pause)
    feed.update(
        failures=F("failures") + 1, problem=work.trouble.why[:300], paused_until=Greatest("paused_until", until)
    )
    log.warning("analytics.store_in_trouble", reason=work.trouble.why, seconds=round(pause))


def pause_seconds(failures: int, *, asked: float | None, chance: float) -> float:
    """Twice as long each time, half of it by lot (`chance` in 0…1). Never shorter than the store asks for."""
    longest = min(FIRST_PAUSE * 2 ** min(failures, 20), LONGEST_PAUSE)
    drawn = longest * (1 + chance) / 2
    return drawn if asked is None else asked + chance * min(asked, FIRST_PAUSE) if asked >= drawn else drawn


def _wait(statement: Statement, result: Later, now: datetime) -> Ending:
    if statement.attempts + 1 >= MOST_TRIES:
        return Ending(statement.pk, StatementState.GIVEN_UP, result.why)
    pause = pause_seconds(statement.attempts, asked=result.retry_after, chance=random.random())  # noqa: S311
    return Ending(statement.pk, StatementState.WAITING, result.why, now + timedelta(seconds=pause))
