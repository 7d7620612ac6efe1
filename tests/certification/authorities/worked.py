"""Worked cases: what was done, under which terms, what it is worth, and who says so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from certification.authorities import pack
from certification.authorities.base import ENDURING, LIVE, Decision, Evidence, Granted, Terms

DAY = date(2026, 3, 14)
OURS = "our own rule, in the pack's docstring"


def live(minutes: float, **more: Any) -> Evidence:
    """A doctor who did everything else that is asked for, too. A whole number of seconds."""
    return made(LIVE, minutes, **more)


def recorded(minutes: float, **more: Any) -> Evidence:
    return made(ENDURING, minutes, **{"has_assessment": True, "best_percent": Decimal(80), **more})


def made(format_: str, minutes: float, **more: Any) -> Evidence:
    facts: dict[str, Any] = {
        "media_seconds": 3600,
        "took_part_on": DAY,
        "is_evaluated": True,
        "has_acknowledged": True,
        "registration_number": "2014/05/1234",
    }
    assert float(minutes * 60).is_integer()
    return Evidence(format=format_, watched_seconds=int(minutes * 60), **(facts | more))


def terms(credits_: str = "1", minutes: int = 60, format_: str = LIVE, **more: Any) -> Terms:
    facts: dict[str, Any] = {
        "starts_on": date(2026, 1, 1),
        "released_on": date(2026, 1, 1),
        "ends_on": date(2027, 12, 31),
        "approval_code": "CODE/2026/17",
    }
    return Terms(credits=Decimal(credits_), minutes=minutes, format=format_, **(facts | more))


def enduring(credits_: str = "1", minutes: int = 60, **more: Any) -> Terms:
    return terms(credits_, minutes, ENDURING, **more)


def had(credit: str, on: date = DAY, **more: Any) -> Granted:
    return Granted(on, Decimal(credit), **more)


@dataclass(frozen=True)
class Case:
    """`reasons` are the codes, all of them and in order."""

    name: str
    source: str
    evidence: Evidence
    terms: Terms
    credit: str
    reasons: Sequence[str] = ()
    missing: Sequence[str] = ()
    waiting: str = "0"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    version: str = ""

    def decide(self, key: str, version: str) -> Decision:
        terms = replace(self.terms, parameters=self.parameters)
        return pack(key, version=self.version or version).evaluate(self.evidence, terms)

    def check(self, key: str, version: str) -> None:
        decision = self.decide(key, version)
        found = (
            decision.credit,
            [one.code for one in decision.reasons],
            list(decision.missing),
            decision.waiting,
        )
        assert found == (Decimal(self.credit), list(self.reasons), list(self.missing), Decimal(self.waiting))
        assert decision.is_granted == (decision.credit > 0)
        assert decision.steps[-1].code == "credit"
        assert Decimal(str(decision.steps[-1].values["credit"])) == decision.credit
