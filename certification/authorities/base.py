"""What every authority's rule pack says and can do. Nothing here or in a pack reads the database or the clock.

Durations are whole seconds (`_seconds`) or whole minutes (`minutes`), credits and percents exact decimals, days are
days in the activity's own time zone. Texts for people are made late, by `words.words_of`.

The packs hold what public sources say. A person must check the current text of an authority before real use; each pack
says in `to_check` what was not found or not certain.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from certification.authorities.parameters import Parameter, clean

LIVE, ENDURING = "live", "enduring"
FORMATS = (LIVE, ENDURING)
NOTHING = Decimal(0)
Values = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a rule is written, and what it says there in our words."""

    title: str
    url: str
    says: str


@dataclass(frozen=True, slots=True)
class Granted:
    """Credit that a person has already from the same authority (and council). `event` is any identifier."""

    on: date
    credit: Decimal
    is_online: bool = True
    format: str = LIVE
    event: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a person did for one activity. Raises ValueError for what cannot be.

    `watched_seconds`: different seconds of this format. `media_seconds`: how long the programme or recording is.
    `took_part_on`: the last day of it, in the activity's zone; none: never. `best_percent`: of the attempts, 0 to 100.
    `other_format_credit`: what the same authority granted for the other format of the same webinar; `copy_credit`: for
    another one with the same content.
    `granted`: without this very activity. `cycle_from`: first day of one of the person's own cycles, where the council
    counts from their registration.

    Days and moments of the rest, as far as they are known: `tested_on` of the attempt behind `best_percent`, in the
    activity's zone; `evaluated_on` in UTC, for a receipt keeps no more; `began_at` of the first beat that counts.
    """

    format: str
    watched_seconds: int
    media_seconds: int
    took_part_on: date | None
    best_percent: Decimal | None = None
    has_assessment: bool = False
    is_evaluated: bool = False
    has_acknowledged: bool = False
    other_format_credit: Decimal = NOTHING
    council: str = ""
    registration_number: str = ""
    granted: Sequence[Granted] = ()
    event: str = ""
    is_online: bool = True
    cycle_from: date | None = None
    tested_on: date | None = None
    evaluated_on: date | None = None
    began_at: datetime | None = None
    acknowledged_at: datetime | None = None
    copy_credit: Decimal = NOTHING

    def __post_init__(self) -> None:
        if self.format not in FORMATS or self.watched_seconds < 0 or self.media_seconds < 0:
            raise ValueError(f"Impossible evidence: {self.format} {self.watched_seconds} {self.media_seconds}")


@dataclass(frozen=True, slots=True)
class Terms:
    """One accreditation of an activity. `credits` are designated in advance; `minutes` is the time they stand for.

    `released_on`, `reviewed_on` and `ends_on` are what a recording needs. `parameters`: see the pack's `parameters`.
    `done_by`: the last day on which feedback counts, and the test of a live activity; none: any day.
    """

    credits: Decimal
    minutes: int
    format: str
    approval_code: str = ""
    council: str = ""
    starts_on: date | None = None
    ends_on: date | None = None
    released_on: date | None = None
    reviewed_on: date | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    done_by: date | None = None

    @property
    def seconds(self) -> int:
        return self.minutes * 60

    @property
    def tested_by(self) -> date | None:
        """A recording's test is part of the recording; that of a live activity may follow it."""
        return self.ends_on if self.format == ENDURING else self.done_by


@dataclass(frozen=True, slots=True)
class Step:
    """A line of the calculation, in order. `values` are numbers as texts without exponents."""

    code: str
    values: Values = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why not, or why not more."""

    code: str
    values: Values = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """`credit` is what is granted now: nothing while something is missing.

    `is_granted` is apart from it, for attendance is granted without any credit. `waiting` is the credit that comes when
    what is missing is done. `missing`: watch, pass, evaluate, acknowledge, number; empty where nothing can be done.
    What `domain.deciding` adds to it: council. The last of `steps` is the credit.
    """

    credit: Decimal
    is_granted: bool
    steps: tuple[Step, ...]
    reasons: tuple[Reason, ...] = ()
    missing: tuple[str, ...] = ()
    waiting: Decimal = NOTHING

    def as_data(self) -> dict[str, Any]:
        """For JSON, where it is kept with the claim."""
        return {
            "credit": str(self.credit),
            "is_granted": self.is_granted,
            "steps": [[one.code, dict(one.values)] for one in self.steps],
            "reasons": [[one.code, dict(one.values)] for one in self.reasons],
            "missing": list(self.missing),
            "waiting": str(self.waiting),
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Decision":
        return cls(
            credit=Decimal(data["credit"]),
            is_granted=data["is_granted"],
            steps=tuple(Step(code, values) for code, values in data["steps"]),
            reasons=tuple(Reason(code, values) for code, values in data["reasons"]),
            missing=tuple(data["missing"]),
            waiting=Decimal(data["waiting"]),
        )


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a cycle wants of a person: both days are in it. None: the source names no number."""

    credits: Decimal | None
    first: date
    last: date
    unit: str
    credits_per_year: Decimal | None = None
    most_per_year: Decimal | None = None
    most_online: Decimal | None = None
    year_starts: tuple[int, int] = (1, 1)  # month and day


class RulePack(ABC):
    """One version of an authority's rules. Instances keep nothing; a version that has been used is never changed."""

    authority: str
    unit: str
    version: str
    effective_from: date
    effective_until: date | None = None  # the last day; none: still in force
    sources: Sequence[Source]
    to_check: Sequence[str]
    step: Decimal
    retention_years: int
    learner_claims: bool = False  # the doctor asks for the credit, and may take less
    disclosure_months: int = 0  # financial relationships of how many months; 0: none are asked for
    cycle: int | None = None  # months
    parameters: Sequence[Parameter] = ()
    tells_sources: bool = False  # doctors are told before a recording what its content rests on
    certificate_facts: Sequence[str] = ("name", "provider", "title", "format", "date", "serial")
    formats: Sequence[str] = FORMATS

    @abstractmethod
    def evaluate(self, evidence: Evidence, terms: Terms) -> Decision:
        """What this evidence is worth. Raises ParameterError only, where `terms.parameters` were never cleaned."""

    @abstractmethod
    def problems(self, terms: Terms, *, has_assessment: bool, on: date) -> tuple[Reason, ...]:
        """What hinders opening the accreditation on that day. Empty: nothing does."""

    @abstractmethod
    def statement(self, terms: Terms, *, provider: str, title: str, place: str = "", days: str = "") -> str:
        """The authority's fixed sentence. It is never translated: the wording is theirs."""

    def wants_test(self, terms: Terms) -> bool:
        """Whether there is no credit without a passed test. Raises ParameterError."""
        return bool(self.clean(terms.parameters).get("needs_test"))

    def day_of(self, evidence: Evidence, terms: Terms) -> date | None:
        """The day that counts for rules, years and caps. None: the person took no part.

        Of a live activity that of the event. A recording is completed by what came last, watching or its test.
        """
        on = evidence.took_part_on
        if terms.format == ENDURING and on and evidence.tested_on and self.wants_test(terms):
            return max(on, evidence.tested_on)
        return on

    def requirement(self, *, on: date, council: str = "", since: date | None = None) -> Requirement | None:
        """The cycle around that day. None: the authority itself wants no number of credits."""
        return None

    def clean(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters complete and typed. Raises ParameterError."""
        return clean(self.parameters, raw)

    def is_in_force(self, on: date) -> bool:
        return self.effective_from <= on and (self.effective_until is None or on <= self.effective_until)


@dataclass(frozen=True, slots=True)
class Authority:
    key: str
    title: str
    unit: str
    versions: tuple[RulePack, ...]  # the oldest first, without gaps
