"""A claim as an auditor reads it: why it is worth what it is, by which rules and evidence, and whether that holds.

Where the evidence is still kept it is calculated again, by the version of the rules that decided then.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from certification.authorities.base import RulePack
from certification.authorities.parameters import ParameterError
from certification.authorities.rounding import plain
from certification.authorities.stored import evidence_from, terms_from
from certification.domain.chain import content_of, has_its_reason, seal
from certification.domain.claiming import digest_of
from certification.domain.overview import decision_of, lines_of, rules_of, said
from certification.domain.standing import with_states
from certification.models import Certificate, Claim, LedgerEntry

# Of `authorities.base.Evidence` and `Terms`. One without words is shown by its own name.
WORDS: Mapping[str, Any] = {
    "format": _("Format"),
    "watched_seconds": _("Seconds watched, each counted once"),
    "media_seconds": _("Seconds there were to watch"),
    "took_part_on": _("Took part on"),
    "best_percent": _("Best result of the test, in percent"),
    "has_assessment": _("There is a test"),
    "is_evaluated": _("Feedback was given"),
    "has_acknowledged": _("Disclosures were read before the start"),
    "other_format_credit": _("Credit for the other format of the webinar"),
    "council": _("Council"),
    "registration_number": _("There was a registration number"),
    "granted": _("Granted before by the same authority"),
    "event": _("Event"),
    "is_online": _("Online"),
    "cycle_from": _("The cycle of the person began on"),
    "credits": _("Credits designated in advance"),
    "minutes": _("Minutes of education"),
    "approval_code": _("Approval code"),
    "starts_on": _("First day"),
    "ends_on": _("Last day"),
    "released_on": _("Released on"),
    "reviewed_on": _("Content reviewed on"),
    "parameters": _("Settings of the authority"),
}
EMPTY: tuple[Any, ...] = ("", None, [], {})


@dataclass(frozen=True, slots=True)
class Fact:
    """`name` is that of the file for auditors."""

    name: str
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Line:
    """`holds`: its seal fits what it says and the line before, and its digest the reason."""

    entry: LedgerEntry
    holds: bool

    @property
    def reason(self) -> str:
        return reason_of(self.entry)


@dataclass(frozen=True, slots=True)
class Explained:
    """`is_sealed`, `is_same`: whether the evidence is the one in the ledger, and makes the same decision again.

    Both are None where the evidence left after its retention or cannot be read by these rules.
    """

    rules: RulePack
    steps: Sequence[str]
    reasons: Sequence[str]
    worked_out: Decimal
    granted: Decimal
    lines: Sequence[Line]
    evidence: Sequence[Fact]
    terms: Sequence[Fact]
    is_kept: bool
    is_sealed: bool | None
    is_same: bool | None

    @property
    def has_less(self) -> bool:
        """The doctor took less than there was."""
        return self.granted < self.worked_out


def explain(claim: Claim) -> Explained:
    """One query: the lines of the claim, with the evidence."""
    lines = lines_of([claim])[claim.pk]
    first = lines[0]
    decision, rules = decision_of(first), rules_of(claim, first)
    kept = getattr(first, "evidence", None)
    data: Mapping[str, Any] = kept.evidence if kept is not None else {}
    return Explained(
        rules=rules,
        steps=said(decision.steps),
        reasons=said(decision.reasons),
        worked_out=decision.credit,
        granted=first.credits or Decimal(0),
        lines=[Line(one, is_sealed(one)) for one in lines],
        evidence=_facts(data.get("evidence")),
        terms=_facts(data.get("terms")),
        is_kept=kept is not None,
        is_sealed=digest_of(kept.evidence) == first.details.get("evidence") if kept is not None else None,
        is_same=_again(rules, data) == kept.decision if kept is not None and "terms" in data else None,
    )


def is_sealed(line: LedgerEntry) -> bool:
    """Whether it says what it said when it was written. That none is missing below it is `ledger verify`'s to find."""
    return seal(bytes(line.previous), content_of(line)) == bytes(line.hash) and has_its_reason(line)


def reason_of(line: LedgerEntry) -> str:
    """For people of the office: also that there was one."""
    if line.is_reason_apart and not line.why:
        return str(_("Removed after its years"))
    return line.why or "–"


def _again(rules: RulePack, data: Mapping[str, Any]) -> dict[str, Any]:
    """Nothing where what was kept is no evidence for these rules: that is not the same decision either."""
    try:
        decision = rules.evaluate(evidence_from(data["evidence"]), terms_from(data["terms"]))
    except (ArithmeticError, KeyError, TypeError, ValueError, ParameterError):
        return {}
    again: dict[str, Any] = json.loads(json.dumps(decision.as_data()))
    return again


def _facts(data: Any) -> list[Fact]:
    if not isinstance(data, Mapping):
        return []
    return [Fact(name, str(WORDS.get(name, name)), _written(value)) for name, value in data.items()]


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(_("Yes") if value else _("No"))
    if value in EMPTY:
        return "–"
    if isinstance(value, Mapping):
        return "; ".join(f"{name} = {_written(one)}" for name, one in value.items())
    if isinstance(value, list):
        return " | ".join(_written(one) for one in value)
    return str(value)


def worth_of(line: LedgerEntry) -> str:
    return plain(line.credits) if line.credits is not None else "–"


def certificates_of(claim: Claim) -> list[Any]:
    """All editions, the newest first, `with_states`."""
    return list(with_states(Certificate.objects.filter(claim=claim)).order_by("-edition"))
