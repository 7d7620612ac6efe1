"""What lies beside a ledger, compared with its lines: claims, certificates, and why they were decided as they were.

Lines are sealed (`domain.chain`), the rows they speak of are not. Who points a claim or certificate elsewhere, or
writes its evidence or a reason anew, leaves all seals whole; so lines name person, credit and course, and have digests
of the rest.
Who takes a whole ledger away with what was published of it leaves rows of which no line speaks.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from functools import reduce
from operator import or_
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from certification.domain.chain import BATCH, Flaw, NotCanonicalError, Verified, canonical, reason_digest
from certification.enums import EntryKind
from certification.models import Certificate, Chain, Claim, LedgerEntry, PublishedHead, ReasonText
from courses.models import Programme

LEAVES_TRACES = (Chain, LedgerEntry, PublishedHead, Claim, Certificate)
ISSUED = (EntryKind.CERTIFICATE_ISSUED, EntryKind.CERTIFICATE_REISSUED)
# Lines of one hour may stand in any order: see the trigger.
TIME = """
SELECT number FROM (
    SELECT number, entered_at, lag(entered_at) OVER (ORDER BY number) AS before
    FROM certification_ledgerentry WHERE programme_id = %s
) line WHERE entered_at < before - interval '1 hour' ORDER BY number LIMIT 1
"""
# What a line does not name, an older line or one of another kind, is not compared: hence each coalesce.
CLAIM = """
SELECT line.number FROM certification_ledgerentry line JOIN certification_claim one ON one.id = line.claim_id
WHERE line.programme_id = %s AND ((one.user_id, one.programme_id) <> (line.user_id, line.programme_id)
    OR coalesce(line.details->>'authority', one.authority) <> one.authority
    OR coalesce(line.details->>'council', one.council) <> one.council
    OR coalesce((line.details->>'accreditation')::bigint, one.accreditation_id) <> one.accreditation_id
    OR coalesce((line.details->>'lesson')::bigint, one.lesson_id) <> one.lesson_id
    OR coalesce((line.details->>'took_part_on')::date, one.took_part_on) <> one.took_part_on)
ORDER BY line.number LIMIT 1
"""
CERTIFICATE = """
SELECT line.number FROM certification_ledgerentry line
JOIN certification_certificate one ON one.id = line.certificate_id
LEFT JOIN certification_certificate before ON before.id = one.replaces_id
WHERE line.programme_id = %s AND ((one.user_id, one.programme_id) <> (line.user_id, line.programme_id)
    OR coalesce(line.details->>'number', one.number) <> one.number
    OR coalesce((line.details->>'edition')::int, one.edition) <> one.edition
    OR jsonb_exists(line.details, 'claim') AND (line.details->>'claim')::bigint IS DISTINCT FROM one.claim_id
    OR jsonb_exists(line.details, 'course') AND (line.details->>'course')::bigint IS DISTINCT FROM one.course_id
    OR jsonb_exists(line.details, 'edition') AND line.details->>'replaces' IS DISTINCT FROM before.number)
ORDER BY line.number LIMIT 1
"""
# What left before its years were over: `retention.LEAST_YEARS`.
GONE = """
SELECT line.number FROM certification_ledgerentry line
WHERE line.programme_id = %s AND line.kind = 'credit_granted' AND jsonb_exists(line.details, 'evidence')
    AND line.entered_at > now() - interval '6 years'
    AND NOT EXISTS (SELECT FROM certification_claimevidence WHERE entry_id = line.id)
ORDER BY line.number LIMIT 1
"""
SILENT = """
SELECT line.number FROM certification_ledgerentry line
WHERE line.programme_id = %s AND line.reason ~ '^sha256:[0-9a-f]{64}$'
    AND line.entered_at > now() - interval '6 years'
    AND NOT EXISTS (SELECT FROM certification_reasontext WHERE entry_id = line.id)
ORDER BY line.number LIMIT 1
"""
EMPTIED = """
SELECT line.number FROM certification_ledgerentry line
JOIN certification_certificate one ON one.id = line.certificate_id AND one.facts = '{}'
WHERE line.programme_id = %s AND line.kind IN ('certificate_issued', 'certificate_reissued') AND NOT EXISTS (
    SELECT FROM certification_ledgerentry gone
    WHERE gone.certificate_id = one.id AND gone.kind = 'certificate_purged'
        AND (line.entered_at AT TIME ZONE 'UTC')::date
            <= (gone.entered_at AT TIME ZONE 'UTC')::date - interval '6 years')
ORDER BY line.number LIMIT 1
"""


def programmes_with_traces() -> QuerySet[Programme]:
    """Where anything says that there is a ledger, or was one."""
    traces = (Q(Exists(one.objects.filter(programme=OuterRef("pk")))) for one in LEAVES_TRACES)
    return Programme.objects.filter(reduce(or_, traces))


def compared(found: Verified) -> Verified:
    """The same, or with the first line that says something else than what lies beside it.

    Where the lines themselves do not hold nothing else is asked. A million digests take minutes, and little memory.
    """
    if found.flaw is not None:
        return found
    programme_id = found.programme_id
    flaws = [
        Flaw(programme_id, number, what)
        for what, number in (
            ("time", _first(TIME, programme_id)),
            ("claim", _first(CLAIM, programme_id)),
            ("certificate", _first(CERTIFICATE, programme_id)),
            ("gone", _first(GONE, programme_id)),
            ("silent", _first(SILENT, programme_id)),
            ("emptied", _first(EMPTIED, programme_id)),
            ("printed", next(_wrongly_printed(programme_id), None)),
            ("evidence", next(_wrongly_decided(programme_id), None)),
            ("reason", next(_wrongly_said(programme_id), None)),
            ("unsaid", found.length + 1 if _is_unsaid(programme_id) else None),
        )
        if number is not None
    ]
    first = min(flaws, key=lambda flaw: flaw.number, default=None)
    return replace(found, length=min(found.length, first.number - 1), flaw=first) if first else found


def is_digest(told: Any, content: Any) -> bool:
    """Whether a line's digest is of this content. Nothing is told by lines that are older than the digest."""
    if told is None:
        return True
    try:
        return bool(told == hashlib.sha256(canonical(content)).hexdigest())
    except NotCanonicalError:
        return False


def _first(statement: str, programme_id: int) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, [programme_id])
        row = cursor.fetchone()
    return row[0] if row else None


def _wrongly_printed(programme_id: int) -> Iterator[int]:
    """Numbers of lines. Facts that left after their years are not asked."""
    lines = LedgerEntry.objects.filter(programme=programme_id, kind__in=ISSUED).exclude(certificate__facts={})
    rows = lines.order_by("number").values_list("number", "details", "certificate__facts")
    for number, details, facts in rows.iterator(chunk_size=BATCH):
        if not is_digest(details.get("facts"), facts):
            yield number


def _wrongly_decided(programme_id: int) -> Iterator[int]:
    lines = LedgerEntry.objects.filter(programme=programme_id, evidence__isnull=False).order_by("number")
    rows = lines.values_list("number", "details", "evidence__evidence", "evidence__decision")
    for number, details, evidence, decision in rows.iterator(chunk_size=BATCH):
        if not (is_digest(details.get("evidence"), evidence) and is_digest(details.get("decision"), decision)):
            yield number


def _wrongly_said(programme_id: int) -> Iterator[int]:
    rows = ReasonText.objects.filter(entry__programme=programme_id).order_by("entry__number")
    kept = rows.values_list("entry__number", "entry__reason", "salt", "text")
    for number, digest, salt, text in kept.iterator(chunk_size=BATCH):
        if reason_digest(salt=bytes(salt), text=text) != digest:
            yield number


def _is_unsaid(programme_id: int) -> bool:
    granted = LedgerEntry.objects.filter(claim=OuterRef("pk"), kind=EntryKind.CREDIT_GRANTED)
    said = LedgerEntry.objects.filter(certificate=OuterRef("pk"), kind__in=ISSUED)
    claims = Claim.objects.filter(~Exists(granted), programme=programme_id)
    certificates = Certificate.objects.filter(~Exists(said), programme=programme_id)
    return claims.exists() or certificates.exists()
