"""Credit hours of the state medical councils of India: one authority, a table of councils (`council_table`).

A council designates credit hours for an activity in its letter of approval. Who watched the least share of the minutes
has all of them, as councils count attendance; `counting` set to `share` gives the share that was watched. Then come the
council's caps: an event, a council's year, online in a cycle. A person must check the current text of each council.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from certification.authorities import opening
from certification.authorities.base import (
    NOTHING,
    Authority,
    Decision,
    Evidence,
    Reason,
    Requirement,
    RulePack,
    Source,
    Terms,
)
from certification.authorities.caps import Cap
from certification.authorities.council_table import (
    EARLIER,
    ETHICS,
    FIVE_YEARS,
    KARNATAKA_END,
    NOW,
    SURVEY,
    Council,
)
from certification.authorities.cycles import Window, window, year_of
from certification.authorities.parameters import (
    CHOICE,
    NEEDS_EVALUATION,
    NEEDS_TEST,
    Parameter,
    least_percent,
    pass_percent,
)
from certification.authorities.rounding import plain
from certification.authorities.sheet import Sheet

UNIT = "Credit hours"
WHOLE_CREDIT, SHARE = "whole", "share"

PARAMETERS = (
    Parameter(
        "counting",
        CHOICE,
        _("How credit is counted"),
        WHOLE_CREDIT,
        _("Councils approve one figure for who attended."),
        choices=((WHOLE_CREDIT, _("All of it from the least share on")), (SHARE, _("The share that was watched"))),
    ),
    least_percent(75),
    NEEDS_TEST,
    pass_percent(70),
    NEEDS_EVALUATION,
)


def cycle_of(council: Council, *, on: date, since: date | None) -> Window:
    """`since`: first day of one of the person's own cycles, for councils that count so."""
    anchor = since if since and council.is_personal else council.anchor
    return window(anchor, council.months, on)


@dataclass(frozen=True, kw_only=True)
class Councils(RulePack):
    version: str
    effective_from: date
    effective_until: date | None = None
    councils: Mapping[str, Council]
    sources: Sequence[Source]
    to_check: Sequence[str] = (
        "Every row of the table, with the council: circulars change, and several were suspended.",
        "The least share of the minutes: 75 % is ours, councils only speak of attendance.",
        "How long records are to be kept: no source was found, six years are taken.",
    )
    authority: str = "india"
    unit: str = UNIT
    step: Decimal = Decimal("0.5")
    retention_years: int = 6
    cycle: int | None = FIVE_YEARS
    parameters: Sequence[Parameter] = PARAMETERS
    certificate_facts: Sequence[str] = (
        "name",
        "registration_number",
        "council",
        "provider",
        "title",
        "format",
        "date",
        "credit",
        "approval_code",
        "statement",
        "serial",
    )

    def evaluate(self, evidence: Evidence, terms: Terms) -> Decision:
        values = self.clean(terms.parameters)
        sheet = Sheet(self, evidence, terms)
        sheet.check_activity()
        council = self._council(sheet)
        counts = sheet.check_watched(values["least_percent"])
        sheet.check_number()
        if values["needs_test"]:
            sheet.check_passed(values["pass_percent"])
        if values["needs_evaluation"]:
            sheet.check_evaluated()
        if not counts:
            return sheet.decide(NOTHING)
        credit = sheet.the_whole() if values["counting"] == WHOLE_CREDIT else sheet.by_the_share()
        return sheet.decide(sheet.cap(credit, caps(council, evidence, on=sheet.on)) if council else credit)

    def problems(self, terms: Terms, *, has_assessment: bool, on: date) -> tuple[Reason, ...]:
        council = self.councils.get(terms.council)
        length = council.minutes_per_credit if council else 60
        found = [
            *opening.common(self, terms, has_assessment=has_assessment),
            *opening.designated(self, terms, minutes_per_credit=length),
        ]
        if council is None:
            return (*found, Reason("no_council"))
        if council.needs_code:
            found += opening.approval_code(terms)
        if not council.takes_online:
            found.append(Reason("online_not_taken", {"council": council.title}))
        if council.most_per_event is not None and terms.credits > council.most_per_event:
            found.append(Reason("above_event", {"most": plain(council.most_per_event)}))
        return tuple(found)

    def statement(self, terms: Terms, *, provider: str, title: str, place: str = "", days: str = "") -> str:
        council = self.councils.get(terms.council)
        code = f" (approval {terms.approval_code})" if terms.approval_code else ""
        name = council.title if council else terms.council
        return f"{title} is accredited by the {name} with {plain(terms.credits)} credit hours{code}."

    def requirement(self, *, on: date, council: str = "", since: date | None = None) -> Requirement | None:
        row = self.councils.get(council)
        if row is None:
            return None
        cycle = cycle_of(row, on=on, since=since)
        return Requirement(
            credits=row.required,
            first=cycle.first,
            last=cycle.last,
            unit=self.unit,
            credits_per_year=row.required_per_year,
            most_per_year=row.most_per_year,
            most_online=row.most_online,
            year_starts=row.year_starts,
        )

    def _council(self, sheet: Sheet) -> Council | None:
        """That of the accreditation; a doctor of another council has nothing of this one's."""
        council = self.councils.get(sheet.terms.council or sheet.evidence.council)
        if council is None:
            sheet.refuse("no_council")
            return None
        if sheet.evidence.council and sheet.evidence.council != council.key:
            sheet.refuse("other_council", council=council.title)
        if sheet.evidence.is_online and not council.takes_online:
            sheet.refuse("online_not_taken", council=council.title)
        return council


def caps(council: Council, evidence: Evidence, *, on: date | None) -> Iterator[Cap]:
    """The narrow ones first, as the doctor reads them."""
    if on is None:
        return
    if council.most_per_event is not None:
        # Without an identifier of the event the cap holds for this activity alone.
        granted_for = evidence.event or "\0"
        yield Cap("cap_event", council.most_per_event, event=granted_for)
    if council.most_per_year is not None:
        yield Cap("cap_year", council.most_per_year, within=year_of(on, starts=council.year_starts))
    if council.most_online is not None and evidence.is_online:
        cycle = cycle_of(council, on=on, since=evidence.cycle_from)
        yield Cap("cap_online", council.most_online, within=cycle, only_online=True)


INDIA = Authority(
    "india",
    "State medical councils of India",
    UNIT,
    (
        Councils(
            version="2002",
            effective_from=date(2002, 4, 6),
            effective_until=date(2024, 8, 15),
            councils=EARLIER,
            sources=(ETHICS, SURVEY),
        ),
        Councils(
            version="2024",
            effective_from=date(2024, 8, 16),
            councils=NOW,
            sources=(ETHICS, SURVEY, KARNATAKA_END),
        ),
    ),
)
