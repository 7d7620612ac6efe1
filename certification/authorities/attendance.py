"""A plain certificate of attendance, for programmes without accreditation: no authority, and no figure of credit.

Its number of credits is always 0 and says nothing; `Decision.is_granted` says whether the certificate is given.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from certification.authorities import opening
from certification.authorities.base import NOTHING, Authority, Decision, Evidence, Reason, RulePack, Source, Terms
from certification.authorities.parameters import NEEDS_EVALUATION, NEEDS_TEST, Parameter, least_percent, pass_percent
from certification.authorities.sheet import Sheet

OWN = Source(
    "The programme's own rule",
    "",
    "No authority stands behind it: the share of the minutes, the test and the evaluation are the programme's to set.",
)


@dataclass(frozen=True, kw_only=True)
class Attendance(RulePack):
    version: str = "1"
    effective_from: date = date(2000, 1, 1)
    effective_until: date | None = None
    sources: Sequence[Source] = (OWN,)
    to_check: Sequence[str] = ("How long the programme wants to keep the records: six years are taken from the ACCME.",)
    authority: str = "attendance"
    unit: str = "attendance"
    step: Decimal = Decimal(1)
    retention_years: int = 6
    parameters: Sequence[Parameter] = (
        least_percent(80),
        NEEDS_TEST,
        pass_percent(70),
        replace(NEEDS_EVALUATION, default=False),
    )

    def evaluate(self, evidence: Evidence, terms: Terms) -> Decision:
        values = self.clean(terms.parameters)
        sheet = Sheet(self, evidence, terms)
        sheet.check_activity()
        sheet.check_watched(values["least_percent"])
        if values["needs_test"]:
            sheet.check_passed(values["pass_percent"])
        if values["needs_evaluation"]:
            sheet.check_evaluated()
        is_granted = not sheet.missing and not sheet.is_refused
        sheet.step("attended" if is_granted else "not_attended")
        return Decision(NOTHING, is_granted, tuple(sheet.steps), tuple(sheet.reasons), sheet.to_do)

    def problems(self, terms: Terms, *, has_assessment: bool, on: date) -> tuple[Reason, ...]:
        found = list(opening.common(self, terms, has_assessment=has_assessment))
        if terms.credits:
            found.append(Reason("no_figure_here"))
        return tuple(found)

    def statement(self, terms: Terms, *, provider: str, title: str, place: str = "", days: str = "") -> str:
        return ""


ATTENDANCE = Authority("attendance", "Certificate of attendance", "attendance", (Attendance(),))
