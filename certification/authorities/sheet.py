"""The calculation as it is written down: every check adds its line, so that decision and explanation are one thing.

Packs call the checks in the order in which a person would read them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from certification.authorities.base import (
    ENDURING,
    LIVE,
    NOTHING,
    Decision,
    Evidence,
    Reason,
    RulePack,
    Step,
    Terms,
)
from certification.authorities.caps import Cap
from certification.authorities.rounding import NEAREST, ceil_of, hours, plain, seconds_for, to_step

HUNDREDTH = Decimal("0.01")
# A receipt has a day in UTC, which west of it is a day later than the one on the wall.
UTC_IS_AHEAD = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Taken:
    """`watched` of `whole` seconds; `counted` is what they are worth of the minutes that were accredited.

    A recording of 45 minutes may be accredited for 60, with its test and reading: half of it counts as 30.
    """

    watched: int
    whole: int
    counted: int

    @property
    def is_all(self) -> bool:
        return 0 < self.whole == self.watched

    def reaches(self, percent: Decimal) -> bool:
        return self.watched > 0 and self.watched * 100 >= percent * self.whole


def taken_of(evidence: Evidence, terms: Terms) -> Taken:
    whole = terms.seconds
    if terms.format == ENDURING and 0 < evidence.media_seconds < whole:
        whole = evidence.media_seconds
    watched = min(evidence.watched_seconds, whole) if evidence.took_part_on else 0
    return Taken(watched, whole, watched * terms.seconds // whole if whole else 0)


class Sheet:
    def __init__(self, pack: RulePack, evidence: Evidence, terms: Terms) -> None:
        self.pack = pack
        self.evidence = evidence
        self.terms = terms
        self.on = pack.day_of(evidence, terms)
        self.taken = taken_of(evidence, terms)
        self.steps: list[Step] = []
        self.reasons: list[Reason] = []
        self.missing: list[str] = []
        self.is_refused = False

    def step(self, code: str, **values: str | int) -> None:
        self.steps.append(Step(code, values))

    def reason(self, code: str, **values: str | int) -> None:
        self.reasons.append(Reason(code, values))

    def refuse(self, code: str, **values: str | int) -> None:
        """Nothing is granted, and the doctor can do nothing about it."""
        self.is_refused = True
        self.reason(code, **values)

    def miss(self, what: str, code: str, **values: str | int) -> None:
        self.missing.append(what)
        self.reason(code, **values)

    # What the activity itself asks for

    def check_activity(self) -> None:
        on, terms = self.evidence.took_part_on, self.terms
        if self.evidence.format != terms.format:
            self.refuse("other_activity")
        if on and terms.starts_on and on < terms.starts_on:
            self.refuse("before_start", date=terms.starts_on.isoformat())
        if on and terms.ends_on and on > terms.ends_on:
            self.refuse("after_end", date=terms.ends_on.isoformat())
        if self.evidence.other_format_credit > 0:
            self.refuse("other_format", credit=plain(self.evidence.other_format_credit))
        if self.evidence.copy_credit > 0:
            self.refuse("copy", credit=plain(self.evidence.copy_credit))

    # What the doctor did

    def check_watched(self, least: Decimal) -> bool:
        """False: less than the least share, so nothing counts."""
        code = "watched_live" if self.terms.format == LIVE else "watched_recording"
        self.step(code, watched=self.taken.watched // 60, whole=self.taken.whole // 60)
        if self.taken.whole != self.terms.seconds:
            self.step("stands_for", counted=self.taken.counted // 60, minutes=self.terms.minutes)
        if not self.taken.watched:
            self.miss("watch", "not_watched")
            return False
        if least and not self.taken.reaches(least):
            minutes = ceil_of(least * self.taken.whole, Decimal(100 * 60))
            self.miss("watch", "below_share", percent=plain(least), minutes=minutes)
            return False
        if least:
            self.step("share_reached", percent=plain(least))
        return True

    def check_acknowledged(self) -> None:
        if self.evidence.has_acknowledged:
            self.step("acknowledged")
        else:
            self.miss("acknowledge", "not_acknowledged")

    def check_number(self) -> None:
        if self.evidence.registration_number.strip():
            self.step("number_known")
        else:
            self.miss("number", "no_number")

    def check_passed(self, least: Decimal) -> None:
        best, on, last = self.evidence.best_percent, self.evidence.tested_on, self.terms.tested_by
        if not self.evidence.has_assessment:
            self.refuse("no_assessment")
        elif on and last and on > last:
            self.refuse("tested_late", date=last.isoformat())
        elif best is None:
            self.miss("pass", "no_test_taken", least=plain(least))
        elif best < least:
            self.miss("pass", "not_passed", best=plain(to_step(best, HUNDREDTH)), least=plain(least))
        else:
            self.step("passed", best=plain(to_step(best, HUNDREDTH)), least=plain(least))

    def check_evaluated(self) -> None:
        on, last = self.evidence.evaluated_on, self.terms.done_by
        if not self.evidence.is_evaluated:
            self.miss("evaluate", "not_evaluated")
        elif on and last and on > last + UTC_IS_AHEAD:
            self.refuse("evaluated_late", date=last.isoformat())
        else:
            self.step("evaluated")

    @property
    def to_do(self) -> tuple[str, ...]:
        """What is missing. Nothing of it helps where something was refused."""
        return () if self.is_refused else tuple(self.missing)

    # What it is worth

    def by_the_hour(self, *, way: str, grace_seconds: int = 0) -> Decimal:
        """One credit an hour in the pack's steps, never above the ceiling, which all of the time is worth."""
        ceiling, step, counted = self._carried(), self.pack.step, self.taken.counted
        if grace_seconds and not self.taken.is_all:
            counted = min(counted + grace_seconds, self.terms.seconds)
            self.step("grace", minutes=grace_seconds // 60, counted=counted // 60)
        if counted == self.terms.seconds:
            self.step("all_of_it", credit=plain(ceiling))
            return ceiling
        credit = hours(counted, step, way)
        self.step("rounded_nearest" if way == NEAREST else "rounded_down", step=plain(step), credit=plain(credit))
        if credit > ceiling:
            self.step("at_most", credit=plain(ceiling))
            return ceiling
        if credit < ceiling:
            counted = seconds_for(credit + step, step, way) - grace_seconds
            self._say_part(credit, -(-counted * self.taken.whole // self.terms.seconds))
        return credit

    def by_the_share(self) -> Decimal:
        """Of the designated credits the share that was watched, down to a step."""
        ceiling, step = self._designated(), self.pack.step
        if self.taken.is_all:
            self.step("all_of_it", credit=plain(ceiling))
            return ceiling
        credit = self.taken.watched * ceiling // (self.taken.whole * step) * step
        self.step("share_of", designated=plain(ceiling), step=plain(step), credit=plain(credit))
        if credit < ceiling:
            self._say_part(credit, ceil_of((credit + step) * self.taken.whole, ceiling))
        return credit

    def the_whole(self) -> Decimal:
        """All of the designated credits, for who watched the least share of the minutes."""
        credit = self._designated()
        self.step("whole_credit", credit=plain(credit))
        return credit

    def _designated(self, limit: Decimal | None = None) -> Decimal:
        credit = max(NOTHING, to_step(self.terms.credits, self.pack.step))
        if limit is not None:
            credit = min(credit, limit)
        if not credit:
            self.refuse("nothing_designated")
        return credit

    def _carried(self) -> Decimal:
        """What was designated, as far as the minutes carry it."""
        return self._designated(hours(self.terms.seconds, self.pack.step, NEAREST))

    def _say_part(self, credit: Decimal, needed: int) -> None:
        """`needed`: the watched seconds from which there is one step more."""
        minutes = -(-min(needed, self.taken.whole) // 60)
        values: dict[str, str | int] = {"minutes": minutes, "credit": plain(credit + self.pack.step)}
        if credit:
            self.reason("part", **values)
        else:
            self.miss("watch", "too_short", **values)

    def cap(self, credit: Decimal, caps: Iterable[Cap]) -> Decimal:
        for cap in caps:
            used = cap.used(self.evidence.granted)
            left = min(cap.most, max(NOTHING, to_step(cap.most - used, self.pack.step)))
            if credit > left:
                self.step(cap.code, most=plain(cap.most), used=plain(used), left=plain(left))
                self.reason(cap.code, most=plain(cap.most), used=plain(used), left=plain(left))
                credit = left
        return credit

    def decide(self, credit: Decimal) -> Decision:
        waits = bool(self.missing) and not self.is_refused
        waiting = credit if waits else NOTHING
        final = NOTHING if waits or self.is_refused else credit
        if waiting:
            self.step("waiting", credit=plain(waiting))
        self.step("credit", credit=plain(final), unit=self.pack.unit)
        return Decision(
            # 1 and 1.00 are one number, but not one text in a ledger.
            credit=Decimal(plain(final)),
            is_granted=final > 0,
            steps=tuple(self.steps),
            reasons=tuple(self.reasons),
            missing=self.to_do,
            waiting=Decimal(plain(waiting)),
        )
