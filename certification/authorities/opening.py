"""What hinders opening an accreditation, as far as authorities agree."""

from collections.abc import Iterator
from datetime import date

from certification.authorities.base import ENDURING, Reason, RulePack, Terms, Values
from certification.authorities.cycles import add_years
from certification.authorities.parameters import ParameterError
from certification.authorities.rounding import NEAREST, hours, plain, to_step


def common(pack: RulePack, terms: Terms, *, has_assessment: bool) -> Iterator[Reason]:
    if not terms.starts_on:
        yield Reason("no_start")
    if terms.format == ENDURING and not terms.ends_on:
        yield Reason("no_end")
    if terms.starts_on and terms.ends_on and terms.ends_on < terms.starts_on:
        yield Reason("ends_first")
    if terms.minutes <= 0:
        yield Reason("no_minutes")
    if terms.format not in pack.formats:
        yield Reason("format_not_taken")
    try:
        values = pack.clean(terms.parameters)
    except ParameterError as error:
        yield Reason("bad_parameter", {"name": error.name, "why": str(error)})
    else:
        if values.get("needs_test") and not has_assessment:
            yield Reason("test_without_assessment")


def designated(pack: RulePack, terms: Terms, *, minutes_per_credit: int = 60) -> Iterator[Reason]:
    """The limit is the time, to the nearest step: 57 minutes carry one credit of an hour."""
    if terms.credits <= 0:
        yield Reason("no_credits")
        return
    if terms.credits != to_step(terms.credits, pack.step):
        yield Reason("not_in_steps", {"credit": plain(terms.credits), "step": plain(pack.step)})
    limit = hours(max(0, terms.seconds) * 60 // minutes_per_credit, pack.step, NEAREST)
    if terms.credits > limit:
        carried: Values = {"minutes": terms.minutes, "credit": plain(terms.credits), "limit": plain(limit)}
        yield Reason("above_minutes", carried)


def approval_code(terms: Terms) -> Iterator[Reason]:
    if not terms.approval_code.strip():
        yield Reason("no_approval_code")


def assessment(terms: Terms, *, has_assessment: bool) -> Iterator[Reason]:
    if terms.format == ENDURING and not has_assessment:
        yield Reason("enduring_without_assessment")


def last_valid_day(terms: Terms, *, years: int) -> date | None:
    """Of a recording that must be reviewed: the anniversary itself still counts. None: never released."""
    seen = [day for day in (terms.released_on, terms.reviewed_on) if day]
    return add_years(max(seen), years) if seen else None


def review(terms: Terms, *, on: date, years: int) -> Iterator[Reason]:
    if terms.format != ENDURING:
        return
    until = last_valid_day(terms, years=years)
    if not terms.released_on:
        yield Reason("no_release")
    if terms.released_on and terms.reviewed_on and terms.reviewed_on < terms.released_on:
        yield Reason("reviewed_first")
    if until and until < on:
        yield Reason("review_too_old", {"years": years, "date": until.isoformat()})
    if until and terms.ends_on and terms.ends_on > until:
        yield Reason("ends_after_review", {"years": years, "date": until.isoformat()})
