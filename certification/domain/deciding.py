"""An authority's word about one person's evidence, and what the person can still do about it. Pure.

A version of the rules that was used is never changed. Two things hold for all versions and stand here, around them;
neither of them ever makes credit out of none:

* A council of India grants to its own doctors. A pack that is told no council takes the accreditation's: here the
  doctor's own has to be known first.
* Disclosures are read before the start. The evidence says which seconds were watched and not when each was, so watching
  again cannot be told from the first time: who began without having read them has no credit of it for good, and is
  told so instead of being sent to read.
"""

from dataclasses import replace

from certification.authorities.base import NOTHING, Decision, Evidence, Reason, RulePack, Step, Terms
from certification.authorities.rounding import plain
from certification.domain.evidence import council_titles
from certification.enums import AuthorityKey


def decide(*, pack: RulePack, evidence: Evidence, terms: Terms) -> Decision:
    """Raises ParameterError only, where `terms.parameters` were never cleaned."""
    if pack.authority != AuthorityKey.INDIA or evidence.council in council_titles():
        return _in_order(pack.evaluate(evidence, terms), evidence)
    decision = pack.evaluate(replace(evidence, council=""), terms)
    return _without_council(_in_order(decision, evidence), evidence.council)


def _in_order(decision: Decision, evidence: Evidence) -> Decision:
    """What was acknowledged too late stays so."""
    has_begun = evidence.began_at is not None or evidence.took_part_on is not None
    if "acknowledge" not in decision.missing or not has_begun:
        return decision
    return replace(
        decision,
        steps=tuple(one for one in decision.steps if one.code != "waiting"),
        reasons=tuple(Reason("watched_first") if one.code == "not_acknowledged" else one for one in decision.reasons),
        missing=(),
        waiting=NOTHING,
    )


def _without_council(decision: Decision, written: str) -> Decision:
    """What there would be waits for the council; what is refused stays refused."""
    if not decision.is_granted and not decision.missing:
        return decision
    waiting, last = decision.waiting or decision.credit, decision.steps[-1]
    steps = [one for one in decision.steps[:-1] if one.code != "waiting"]
    if waiting:
        steps.append(Step("waiting", {"credit": plain(waiting)}))
    reason = Reason("unknown_council", {"council": written}) if written else Reason("no_own_council")
    return replace(
        decision,
        credit=NOTHING,
        is_granted=False,
        steps=(*steps, Step(last.code, {**last.values, "credit": "0"})),
        reasons=(reason, *decision.reasons),
        missing=("council", *decision.missing),
        waiting=waiting,
    )
