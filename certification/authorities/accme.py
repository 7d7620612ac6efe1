"""AMA PRA Category 1 Credit™, by providers that the ACCME accredits.

One credit is an hour of participation, in quarters. The AMA lets providers and physicians round to the nearest quarter
hour, so that is what is offered; a stricter provider sets `rounding` to `down`. The doctor claims, and may take less.
The number a recording's test must reach is the provider's, told beforehand. A person must check the current texts
before real use: see `to_check`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from certification.authorities import opening
from certification.authorities.base import (
    ENDURING,
    LIVE,
    NOTHING,
    Authority,
    Decision,
    Evidence,
    Reason,
    RulePack,
    Source,
    Terms,
)
from certification.authorities.parameters import (
    CHOICE,
    NEEDS_ACKNOWLEDGEMENT,
    NEEDS_EVALUATION,
    NEEDS_TEST,
    Parameter,
    least_percent,
    pass_percent,
)
from certification.authorities.rounding import DOWN, NEAREST, plain
from certification.authorities.sheet import Sheet

UNIT = "AMA PRA Category 1 Credit™"
QUARTER = Decimal("0.25")
REVIEW_YEARS = 3

QUARTERS = Source(
    "AMA Physician's Recognition Award and credit system, live activities (as Boston University quotes it)",
    "http://www.bumc.bu.edu/cme/activity-planning/cme-credit/",
    "Sixty minutes of participation are one credit; designated and awarded in increments of 15 minutes or 0.25; "
    "providers or physicians may round to the nearest quarter hour.",
)
COMMENSURATE = Source(
    "AMA, questions of CME providers",
    "http://www.ama-assn.org/ama/pub/category/16354.html",
    "Designated in advance, never afterwards; credit only to the extent of participation; the provider records what "
    "each physician claims.",
)
MINIMUM = Source(
    "Revision of the AMA PRA credit system, in force from 1 July 2011",
    "https://policymed.com/2010/09/american-medical-association-updated-criteria-for-physician-recognition-award-for-"
    "continuing-medical.html",
    "Enduring material needs an assessment with a minimum performance level that is communicated before; credit only "
    "to who reaches it.",
)
REVIEW = Source(
    "ACCME, enduring materials: definition and requirements",
    "http://www.accme.org/requirements/accreditation-requirements-cme-providers/policies-and-definitions/"
    "enduring-materials-definition-and-requirements",
    "A live activity and the material made from it are two activities; dates of release, review and termination are "
    "told before the start; not offered for more than three years without a review.",
)
RECORDS = Source(
    "ACCME, CME activity and attendance records retention",
    "https://accme.org/rule/cme-activity-and-attendance-records-retention",
    "Participation can be verified for six years from the date of the activity.",
)
TWO_YEARS = Source(
    "ACCME Standards for Integrity and Independence, Standard 3",
    "https://accme.org/rule/identify-mitigate-and-disclose-relevant-financial-relationships/",
    "All financial relationships of the prior 24 months, of everybody in control of content. Full compliance from "
    "1 January 2022: https://www.asnr.org/accme-changes-in-2022/",
)
ONE_YEAR = Source(
    "ACCME changes in 2022 (ASNR)",
    "https://www.asnr.org/accme-changes-in-2022/",
    "Before 2022 the disclosure period was 12 months.",
)

PARAMETERS = (
    Parameter(
        "rounding",
        CHOICE,
        _("Part of a quarter"),
        NEAREST,
        _("The AMA allows the nearest quarter hour. “Down” never credits a minute that was not watched."),
        choices=((NEAREST, _("To the nearest quarter")), (DOWN, _("Down to a quarter"))),
    ),
    pass_percent(70),
    replace(NEEDS_TEST, label=_("The live activity needs a passed test too")),
    replace(NEEDS_EVALUATION, default=True),
    NEEDS_ACKNOWLEDGEMENT,
    least_percent(0),
)


@dataclass(frozen=True, kw_only=True)
class Accme(RulePack):
    version: str
    effective_from: date
    sources: Sequence[Source]
    disclosure_months: int
    effective_until: date | None = None
    authority: str = "accme"
    unit: str = UNIT
    step: Decimal = QUARTER
    retention_years: int = 6
    learner_claims: bool = True
    tells_sources: bool = True
    parameters: Sequence[Parameter] = PARAMETERS
    certificate_facts: Sequence[str] = ("name", "provider", "title", "format", "date", "credit", "statement", "serial")
    to_check: Sequence[str] = (
        "The AMA's current PRA booklet: wording of the statement, rounding, formats.",
        "The ACCME's current definitions of formats, and what PARS takes in a learner file.",
    )

    def evaluate(self, evidence: Evidence, terms: Terms) -> Decision:
        values = self.clean(terms.parameters)
        sheet = Sheet(self, evidence, terms)
        sheet.check_activity()
        self._check_review(sheet)
        counts = sheet.check_watched(values["least_percent"])
        if values["needs_acknowledgement"]:
            sheet.check_acknowledged()
        if self.wants_test(terms):
            sheet.check_passed(values["pass_percent"])
        if values["needs_evaluation"]:
            sheet.check_evaluated()
        return sheet.decide(sheet.by_the_hour(way=values["rounding"]) if counts else NOTHING)

    def wants_test(self, terms: Terms) -> bool:
        return terms.format == ENDURING or super().wants_test(terms)

    def problems(self, terms: Terms, *, has_assessment: bool, on: date) -> tuple[Reason, ...]:
        return (
            *opening.common(self, terms, has_assessment=has_assessment),
            *opening.designated(self, terms),
            *opening.assessment(terms, has_assessment=has_assessment),
            *opening.review(terms, on=on, years=REVIEW_YEARS),
        )

    def statement(self, terms: Terms, *, provider: str, title: str, place: str = "", days: str = "") -> str:
        kind = "live activity" if terms.format == LIVE else "enduring material"
        plural = "" if terms.credits == 1 else "s"
        return (
            f"{provider} is accredited by the Accreditation Council for Continuing Medical Education (ACCME) to "
            f"provide continuing medical education for physicians. {provider} designates this {kind} for a maximum of "
            f"{plain(terms.credits)} AMA PRA Category 1 Credit{plural}™. Physicians should claim only the credit "
            "commensurate with the extent of their participation in the activity."
        )

    @staticmethod
    def _check_review(sheet: Sheet) -> None:
        if sheet.terms.format != ENDURING:
            return
        until = opening.last_valid_day(sheet.terms, years=REVIEW_YEARS)
        if until and sheet.on and sheet.on > until:
            sheet.refuse("review_too_old", years=REVIEW_YEARS, date=until.isoformat())


ACCME = Authority(
    "accme",
    "ACCME / AMA PRA",
    UNIT,
    (
        Accme(
            version="2011",
            effective_from=date(2011, 7, 1),
            effective_until=date(2021, 12, 31),
            disclosure_months=12,
            sources=(QUARTERS, COMMENSURATE, MINIMUM, REVIEW, RECORDS, ONE_YEAR),
        ),
        Accme(
            version="2022",
            effective_from=date(2022, 1, 1),
            disclosure_months=24,
            sources=(QUARTERS, COMMENSURATE, MINIMUM, REVIEW, RECORDS, TWO_YEARS),
        ),
    ),
)
