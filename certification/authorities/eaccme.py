"""European CME credits (ECMEC®) of the UEMS-EACCME®.

One ECMEC is an hour; only for actual participation, and only after the feedback form. Live events and e-learning
material are accredited separately, each with its own number. What a day may bring is capped for live events. A
person must check the current texts before real use: see `to_check`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
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
from certification.authorities.caps import Cap
from certification.authorities.cycles import Window
from certification.authorities.parameters import NEEDS_ACKNOWLEDGEMENT, WHOLE, Parameter, least_percent, pass_percent
from certification.authorities.rounding import DOWN, plain
from certification.authorities.sheet import Sheet

UNIT = "ECMEC®"

SIX_A_DAY = Source(
    "UEMS, accreditation process",
    "http://www.uems.net/main.php?category=6",
    "One hour of educational activity is one ECMEC, at most 3 for half a day and 6 for a day. The same on "
    "https://uems.eanm.org/commitees/cme-accreditation/eaccme-and-ecmec.",
)
EIGHT_A_DAY = Source(
    "EADV, CME-CPD guidance",
    "https://eadv.org/scientific/cme/cme-cpd-guidance",
    "The UEMS decided to limit ECMECs to 8 for a full day; one ECMEC is one hour.",
)
WHOLE_HOURS = Source(
    "ESPD annual meeting, 19–21 October 2017",
    "http://espd.info/programme/eaccme-accreditation",
    "One credit for each 60 minutes in the room; no certificate without the evaluation form.",
)
SEPARATE = Source(
    "EACCME, apply for accreditation (UEMS 2016/20 and 2016/21)",
    "https://transition2023-eaccme.uems.eu/applyforaccreditation.aspx",
    "A live webinar is a live event; its recording is not, and is accredited as e-learning material.",
)
HALVES = Source(
    "EAPM 2024 (UEMS 2023.07, criterion 22)",
    "https://www.eapm.eu.com/eapm24-eaccme-credits/",
    "Only for actual participation once the feedback form is completed; 0.5 ECMEC for 30 minutes; the accreditation "
    "sentence. The same criterion on events of February 2024: "
    "https://wintermeeting.2024.escrs.org/programme/accreditation-and-cme/.",
)
SELF_ASSESSMENT = Source(
    "UEMS 2011/20, e-learning, in force from 1 June 2011 (as phoniatrics.eu reports)",
    "http://www.phoniatrics.eu/uep/education/accreditation/index.html",
    "E-learning material needs a self-assessment component.",
)

PARAMETERS = (
    pass_percent(70),
    Parameter(
        "grace_minutes",
        WHOLE,
        _("Minutes that may be missing"),
        0,
        _("For being let in and short breaks of the line: so many missing minutes are not counted against a doctor."),
        most=10,
    ),
    NEEDS_ACKNOWLEDGEMENT,
    least_percent(0),
)


@dataclass(frozen=True, kw_only=True)
class Eaccme(RulePack):
    version: str
    effective_from: date
    effective_until: date | None = None
    step: Decimal
    most_a_day: Decimal
    sources: Sequence[Source]
    to_check: Sequence[str]
    authority: str = "eaccme"
    unit: str = UNIT
    retention_years: int = 6
    disclosure_months: int = 24
    parameters: Sequence[Parameter] = PARAMETERS
    certificate_facts: Sequence[str] = (
        "name",
        "provider",
        "title",
        "format",
        "date",
        "credit",
        "statement",
        "approval_code",
        "serial",
    )

    def evaluate(self, evidence: Evidence, terms: Terms) -> Decision:
        values = self.clean(terms.parameters)
        sheet = Sheet(self, evidence, terms)
        sheet.check_activity()
        counts = sheet.check_watched(values["least_percent"])
        if values["needs_acknowledgement"]:
            sheet.check_acknowledged()
        if self.wants_test(terms):
            sheet.check_passed(values["pass_percent"])
        sheet.check_evaluated()
        if not counts:
            return sheet.decide(NOTHING)
        credit = sheet.by_the_hour(way=DOWN, grace_seconds=values["grace_minutes"] * 60)
        return sheet.decide(sheet.cap(credit, self._caps(evidence, terms)))

    def wants_test(self, terms: Terms) -> bool:
        return terms.format == ENDURING

    def problems(self, terms: Terms, *, has_assessment: bool, on: date) -> tuple[Reason, ...]:
        return (
            *opening.common(self, terms, has_assessment=has_assessment),
            *opening.designated(self, terms),
            *opening.approval_code(terms),
            *opening.assessment(terms, has_assessment=has_assessment),
        )

    def statement(self, terms: Terms, *, provider: str, title: str, place: str = "", days: str = "") -> str:
        what = ", ".join(part for part in (title, place, days) if part)
        kind = "The" if terms.format == LIVE else "The e-learning material"
        plural = "" if terms.credits == 1 else "s"
        return (
            f"{kind} {what} has been accredited by the European Accreditation Council for Continuing Medical "
            f"Education (EACCME®) with {plain(terms.credits)} European CME credit{plural} (ECMEC®{plural}). Each "
            "medical specialist should claim only those hours of credit that he/she actually spent in the educational "
            "activity."
        )

    def _caps(self, evidence: Evidence, terms: Terms) -> tuple[Cap, ...]:
        if terms.format != LIVE or evidence.took_part_on is None:
            return ()
        day = Window(evidence.took_part_on, evidence.took_part_on)
        return (Cap("cap_day", self.most_a_day, within=day, format=LIVE),)


CHANGED = (
    "The day from which this version holds: the sources show events of that time, not the day itself.",
    "How long records are to be kept, and how far back disclosures go: no source was found; as the ACCME.",
    "What result a recording's self-assessment must reach.",
)

EACCME = Authority(
    "eaccme",
    "EACCME / UEMS",
    UNIT,
    (
        Eaccme(
            version="2012",
            effective_from=date(2012, 1, 1),
            effective_until=date(2016, 12, 31),
            step=Decimal(1),
            most_a_day=Decimal(6),
            sources=(SIX_A_DAY, SELF_ASSESSMENT),
            to_check=(*CHANGED, "The limit of 3 for half a day is not calculated."),
        ),
        Eaccme(
            version="2016",
            effective_from=date(2017, 1, 1),
            effective_until=date(2023, 12, 31),
            step=Decimal(1),
            most_a_day=Decimal(8),
            sources=(EIGHT_A_DAY, WHOLE_HOURS, SEPARATE, SELF_ASSESSMENT),
            to_check=CHANGED,
        ),
        Eaccme(
            version="2023",
            effective_from=date(2024, 1, 1),
            step=Decimal("0.5"),
            most_a_day=Decimal(8),
            sources=(HALVES, EIGHT_A_DAY, SEPARATE, SELF_ASSESSMENT),
            to_check=(*CHANGED, "Whether halves count from the first half hour or only after a full hour."),
        ),
    ),
)
