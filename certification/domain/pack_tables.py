"""The files of an activity's evidence pack, read row by row: the people of one file are never in memory together.

Texts are English, whoever asks, and times are UTC: an auditor's copy reads the same everywhere. People are named in
`people.csv` only; elsewhere stands their number. Certificates have their names as they were printed.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet

from accounts.models import User
from assessments.domain.evaluation_results import MIN_GROUP, results_of
from assessments.models import Attempt, Evaluation, EvaluationAnswer, EvaluationReceipt
from certification.authorities import AUTHORITIES, NoPackError, pack
from certification.domain.chain import content_of
from certification.domain.pack_certificates import certificate_parts, resting_on
from certification.domain.pack_file import Part, Row, as_json, moment
from certification.domain.pack_file import line as _line
from certification.domain.pack_file import table as _table
from certification.enums import Format
from certification.models import (
    Accreditation,
    Acknowledgement,
    Activity,
    Claim,
    ClaimEvidence,
    Contributor,
    Disclosure,
    DisclosureReview,
    DisclosureSheet,
    KeptName,
    LedgerEntry,
)
from core.db import Intervals
from core.ranges import Ranges
from webinars.domain.attendance import attendance_of, count_attendance
from webinars.enums import Phase
from webinars.models import Visit, WatchRecord, Webinar

BATCH = 1_000
MAKERS: list[Callable[[Activity], Iterator[Part]]] = []


def parts_of(activity: Activity) -> list[Part]:
    """In the order of the pack."""
    return [part for make in MAKERS for part in make(activity)]


def _maker(make: Callable[[Activity], Iterator[Part]]) -> Callable[[Activity], Iterator[Part]]:
    MAKERS.append(make)
    return make


@_maker
def _terms(activity: Activity) -> Iterator[Part]:
    yield Part("activity.json", 1, lambda: iter([as_json(terms_data(activity))]))


@_maker
def _people(activity: Activity) -> Iterator[Part]:
    people = people_of(activity)

    def rows() -> Iterator[Row]:
        yield ("Person", "Name", "E-mail", "Country", "Specialty", "Medical council", "Registration number")
        kept = KeptName.objects.filter(claim__accreditation__activity=activity).order_by("-pk")
        outlived = {one.claim.user_id: one for one in kept.select_related("claim")}
        for one in people.order_by("pk").iterator(chunk_size=BATCH):
            known = outlived.get(one.pk)
            name, council = (known.name, known.council) if known else (one.get_full_name(), one.medical_council)
            number = (known or one).registration_number
            yield (one.pk, name, one.email, one.country.code or "", one.specialty, council, number)

    yield _table("people.csv", people.count(), rows)


@_maker
def _watched(activity: Activity) -> Iterator[Part]:
    webinar = Webinar.objects.filter(lesson=activity.lesson_id).first()
    if webinar is None:
        return
    if activity.format == Format.LIVE:
        yield _table("attendance.csv", count_attendance(webinar), lambda: _attendance(webinar))
    records = WatchRecord.objects.filter(webinar=webinar, phase=_phase(activity)).order_by("user")
    yield _table("watched.csv", records.count(), lambda: _records(records))


def _attendance(webinar: Webinar) -> Iterator[Row]:
    """By name, as the attendance page has it."""
    yield ("Person", "First join (UTC)", "Last leave (UTC)", "Seconds seen", "Seconds present", "Intervals (UTC)")
    for one in attendance_of(webinar):
        first, last = moment(one.first_join), moment(one.last_leave)
        yield (one.user.pk, first, last, one.seen_seconds, one.present_seconds, _intervals(one.intervals))


def _records(records: QuerySet[WatchRecord]) -> Iterator[Row]:
    yield (
        "Person", "First beat (UTC)", "Last beat (UTC)", "Newest second (UTC)", "Seconds seen", "Which seconds",
        "While (UTC)", "Refused as too fast",
    )  # fmt: skip
    for one in records.iterator(chunk_size=BATCH):
        yield (
            one.user_id,
            moment(one.first_beat_at),
            moment(one.last_beat_at),
            moment(one.grew_at),
            one.seen_seconds,
            _ranges(one.coverage),
            _intervals(one.clock),
            _ranges(one.excess),
        )


@_maker
def _test(activity: Activity) -> Iterator[Part]:
    if activity.assessment_id is None:
        return
    attempts = Attempt.objects.filter(quiz__lesson=activity.assessment_id).order_by("user", "number")

    def rows() -> Iterator[Row]:
        yield ("Person", "Attempt", "State", "Started (UTC)", "Handed in (UTC)", "Points", "Of", "Passed", "Counts")
        for one in attempts.defer("paper").iterator(chunk_size=BATCH):
            yield (
                one.user_id,
                one.number,
                one.state,
                moment(one.started_at),
                moment(one.submitted_at),
                _number(one.score),
                _number(one.most_points),
                _truth(one.is_passed),
                _truth(one.counts),
            )

    yield _table("test_results.csv", attempts.count(), rows)


@_maker
def _feedback(activity: Activity) -> Iterator[Part]:
    """Who answered is evidence of credit; what was said stands with a name only where the form said so beforehand."""
    evaluation = Evaluation.objects.filter(lesson=activity.evaluation_id).first() if activity.evaluation_id else None
    if evaluation is None:
        return
    receipts = EvaluationReceipt.objects.filter(evaluation=evaluation).order_by("user")

    def given() -> Iterator[Row]:
        yield ("Person", "Feedback given on")
        for user_id, on in receipts.values_list("user", "answered_on").iterator(chunk_size=BATCH):
            yield (user_id, on.isoformat())

    yield _table("evaluation.csv", 1, lambda: _results(evaluation))
    yield _table("evaluation_given.csv", receipts.count(), given)
    if not evaluation.is_anonymous:
        answers = EvaluationAnswer.objects.filter(response__evaluation=evaluation, response__user__isnull=False)
        yield _table("evaluation_named.csv", answers.count(), lambda: _named_answers(answers))


def _results(evaluation: Evaluation) -> Iterator[Row]:
    """Counts and means. Fewer anonymous answers than MIN_GROUP are not told, as on the page of the results."""
    found = results_of(evaluation=evaluation)
    yield ("Dimension", "Question", "Answered", "Mean", "Answer", "Times")
    yield ("", "All", found.answered, "", f"fewer than {MIN_GROUP}: not told" if found.is_suppressed else "", "")
    for dimension in found.dimensions:
        yield (dimension.label, "", "", _number(dimension.mean), "", "")
        for one in dimension.questions:
            head = (dimension.label, one.question.text)
            if one.is_suppressed:
                yield (*head, "", "", f"fewer than {MIN_GROUP}: not told", "")
                continue
            yield (*head, one.answered, _number(one.mean), "", "")
            for share in one.shares:
                yield (*head, "", "", share.label, share.count)


def _named_answers(answers: QuerySet[EvaluationAnswer]) -> Iterator[Row]:
    yield ("Person", "Question", "Step or choice", "Choices", "Text")
    rows = answers.order_by("response__user", "question__position", "pk").values_list(
        "response__user", "question__text", "number", "chosen", "text"
    )
    for user_id, question, number, chosen, text in rows.iterator(chunk_size=BATCH):
        yield (user_id, question, "" if number is None else number, " ".join(map(str, chosen)), text)


@_maker
def _disclosures(activity: Activity) -> Iterator[Part]:
    people = Contributor.objects.filter(activity=activity).values("person")  # also those who left it
    statements = Disclosure.objects.filter(person__in=people).select_related("person").order_by("pk")
    reviews = DisclosureReview.objects.filter(disclosure__person__in=people).order_by("pk")
    sheets = DisclosureSheet.objects.filter(activity=activity).order_by("pk")
    shown = Acknowledgement.objects.filter(sheet__activity=activity).order_by("user", "sheet")

    def stated() -> Iterator[Row]:
        yield (
            "Statement",
            "Discloser",
            "Name",
            "Covers from",
            "Until",
            "Stated at (UTC)",
            "Signed by",
            "Relationships",
        )
        for one in statements.iterator(chunk_size=BATCH):
            days = (one.covers_from.isoformat(), one.covers_until.isoformat())
            text = json.dumps(one.interests, sort_keys=True, ensure_ascii=False)
            yield (one.pk, one.person_id, one.person.name, *days, moment(one.made_at), one.signed_name, text)

    def reviewed() -> Iterator[Row]:
        yield ("Statement", "Decision", "What was done", "Reviewed by", "Reviewed at (UTC)")
        for one in reviews.select_related("reviewed_by").iterator(chunk_size=BATCH):
            by = one.reviewed_by.get_full_name() if one.reviewed_by else ""
            yield (one.disclosure_id, one.decision, one.mitigation, by, moment(one.reviewed_at))

    def wordings() -> Iterator[bytes]:
        for one in sheets.iterator(chunk_size=BATCH):
            made = {"sheet": one.pk, "digest": bytes(one.digest).hex(), "made_at": moment(one.made_at)}
            yield _line({**made, "content": one.content})

    def acknowledged() -> Iterator[Row]:
        yield ("Person", "Sheet", "Shown at (UTC)", "Acknowledged at (UTC)")
        for one in shown.iterator(chunk_size=BATCH):
            yield (one.user_id, one.sheet_id, moment(one.shown_at), moment(one.acknowledged_at))

    yield _table("disclosures.csv", statements.count(), stated)
    yield _table("disclosure_reviews.csv", reviews.count(), reviewed)
    yield Part("disclosure_sheets.jsonl", sheets.count(), wordings)
    yield _table("disclosures_shown.csv", shown.count(), acknowledged)


@_maker
def _credit(activity: Activity) -> Iterator[Part]:
    claims = Claim.objects.filter(accreditation__activity=activity).order_by("pk")
    evidence = ClaimEvidence.objects.filter(entry__claim__accreditation__activity=activity)
    lines = entries_of(activity).select_related("reason_text").order_by("number")

    def claimed() -> Iterator[Row]:
        yield ("Claim", "Person", "Authority", "Council", "Took part on", "Made at (UTC)")
        for one in claims.iterator(chunk_size=BATCH):
            day = one.took_part_on.isoformat()
            yield (one.pk, one.user_id, one.authority, one.council, day, moment(one.made_at))

    def why() -> Iterator[bytes]:
        rows = evidence.select_related("entry").order_by("entry__number")
        for one in rows.iterator(chunk_size=BATCH):
            kept = {"line": one.entry.number, "claim": one.entry.claim_id}
            yield _line({**kept, "evidence": one.evidence, "decision": one.decision})

    def read() -> Iterator[Row]:
        yield ("Line", "At (UTC)", "What", "Person", "Claim", "Certificate", "Credits", "Reason", "Hash")
        for one in lines.iterator(chunk_size=BATCH):
            ids = (one.user_id, one.claim_id or "", one.certificate_id or "")
            hashed = bytes(one.hash).hex()
            yield (one.number, moment(one.entered_at), one.kind, *ids, _number(one.credits), one.why, hashed)

    def sealed() -> Iterator[bytes]:
        """SHA-256 over the bytes of `previous` and the canonical form of `content` gives `hash`; over `salt` and
        `text` the reason that stands in `content`.
        """
        for one in lines.iterator(chunk_size=BATCH):
            links: dict[str, Any] = {"previous": bytes(one.previous).hex(), "hash": bytes(one.hash).hex()}
            kept = getattr(one, "reason_text", None)
            if kept is not None:
                links["reason"] = {"salt": bytes(kept.salt).hex(), "text": kept.text}
            yield _line({"content": content_of(one), **links})

    yield _table("claims.csv", claims.count(), claimed)
    yield Part("claim_evidence.jsonl", evidence.count(), why)
    yield _table("ledger.csv", lines.count(), read)
    yield Part("ledger.jsonl", lines.count(), sealed)


@_maker
def _certificates(activity: Activity) -> Iterator[Part]:
    yield from certificate_parts(activity)


# What they are made of


def people_of(activity: Activity) -> QuerySet[User]:
    """Everybody in a file of the pack: watched, sat the test, gave feedback, read disclosures, has credit."""
    watched = WatchRecord.objects.filter(webinar__lesson=activity.lesson_id, phase=_phase(activity)).values("user")
    found = [
        watched,
        Acknowledgement.objects.filter(sheet__activity=activity).values("user"),
        Claim.objects.filter(accreditation__activity=activity).values("user"),
    ]
    if activity.format == Format.LIVE:
        found.append(Visit.objects.filter(webinar__lesson=activity.lesson_id).values("user"))
    if activity.assessment_id:
        found.append(Attempt.objects.filter(quiz__lesson=activity.assessment_id).order_by().values("user"))
    if activity.evaluation_id:
        found.append(EvaluationReceipt.objects.filter(evaluation__lesson=activity.evaluation_id).values("user"))
    return User.objects.filter(pk__in=found[0].union(*found[1:]))


def entries_of(activity: Activity) -> QuerySet[LedgerEntry]:
    """Also those about the certificates of course and programme that rest on it."""
    return LedgerEntry.objects.filter(
        Q(claim__accreditation__activity=activity)
        | Q(certificate__claim__accreditation__activity=activity)
        | Q(certificate__in=resting_on(activity))
    )


def terms_data(activity: Activity) -> dict[str, Any]:
    """What was announced, by whom it was taught, and the rules: each version that decided a claim, with its sources."""
    lesson = activity.lesson
    contributors = Contributor.objects.filter(activity=activity).select_related("person").order_by("pk")
    accreditations = list(activity.accreditations.order_by("authority", "council"))
    return {
        "activity": {
            "number": activity.pk,
            "title": activity.title,
            "format": activity.format,
            "state": activity.state,
            "programme": lesson.course.programme.title,
            "time_zone": lesson.course.programme.timezone,
            "course": lesson.course.title,
            "webinar": lesson.title,
            "starts_at": moment(activity.starts_at),
            "ends_at": moment(activity.ends_at),
            "reviewed_on": activity.reviewed_on.isoformat() if activity.reviewed_on else "",
            "minutes": activity.minutes,
            "test": activity.assessment.title if activity.assessment else "",
            "feedback_form": activity.evaluation.title if activity.evaluation else "",
            "same_content_as": activity.same_as.title if activity.same_as else "",
            "objectives": activity.objectives,
            "sources": activity.sources,
            "opened_at": moment(activity.opened_at),
            "closed_at": moment(activity.closed_at),
        },
        "contributors": [
            {"discloser": one.person_id, "name": one.person.name, "role": one.role, "until": moment(one.left_at)}
            for one in contributors
        ],
        "accreditations": [_accreditation(one) for one in accreditations],
        "rules": [_rules(authority, version) for authority, version in _versions(activity, accreditations)],
    }


def _accreditation(one: Accreditation) -> dict[str, Any]:
    return {
        "number": one.pk,
        "authority": one.authority,
        "council": one.council,
        "version": one.version,
        "credits": f"{one.credits:.2f}",
        "approval_code": one.approval_code,
        "provider": one.provider,
        "valid_from": one.valid_from.isoformat() if one.valid_from else "",
        "valid_until": one.valid_until.isoformat() if one.valid_until else "",
        "parameters": one.parameters,
    }


def _versions(activity: Activity, accreditations: Sequence[Accreditation]) -> list[tuple[str, str]]:
    used = LedgerEntry.objects.filter(claim__accreditation__activity=activity, details__has_key="version")
    found = set(used.order_by().values_list("claim__authority", "details__version").distinct())
    return sorted(found | {(one.authority, one.version) for one in accreditations})


def _rules(authority: str, version: str) -> dict[str, Any]:
    try:
        rules = pack(authority, version=version)
    except NoPackError:
        return {"authority": authority, "version": version, "known": False}
    return {
        "authority": authority,
        "title": AUTHORITIES[authority].title,
        "version": version,
        "known": True,
        "unit": rules.unit,
        "effective_from": rules.effective_from.isoformat(),
        "effective_until": rules.effective_until.isoformat() if rules.effective_until else "",
        "step": str(rules.step),
        "retention_years": rules.retention_years,
        "sources": [asdict(one) for one in rules.sources],
        "to_check": list(rules.to_check),
    }


def _phase(activity: Activity) -> Phase:
    return Phase.LIVE if activity.format == Format.LIVE else Phase.ON_DEMAND


def _intervals(intervals: Intervals) -> str:
    return "; ".join(f"{moment(start)} – {moment(end)}" for start, end in intervals)


def _ranges(ranges: Ranges) -> str:
    return "; ".join(f"{start}–{end}" for start, end in ranges)


def _number(value: Decimal | None) -> str:
    return "" if value is None else f"{value:f}"


def _truth(value: bool | None) -> str:
    return "" if value is None else "yes" if value else "no"
