"""What does not count any more, because its day is over."""

from dataclasses import replace
from datetime import date

from certification.authorities.base import ENDURING, NOTHING, Decision, Reason, Terms


def in_time(decision: Decision, terms: Terms, *, today: date) -> Decision:
    """Nobody is sent to do what does not count any more. What was granted in time stays, whatever day it is."""
    last = {"pass": terms.tested_by, "evaluate": terms.done_by}
    if terms.format == ENDURING:
        last["watch"] = terms.ends_on
    over = [day for what in decision.missing if (day := last.get(what)) and day < today]
    if not over:
        return decision
    return replace(
        decision,
        steps=tuple(one for one in decision.steps if one.code != "waiting"),
        reasons=(*decision.reasons, Reason("too_late", {"date": min(over).isoformat()})),
        missing=(),
        waiting=NOTHING,
    )
