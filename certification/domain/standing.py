"""How a certificate stands today: by its signature, its line of the ledger and the lines that came after.

Nothing here trusts a column. Facts are compared with the signature and with the digest in the ledger, and the line of
the ledger with its own seal; that the lines below it are whole is what `manage.py ledger verify` says.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from certification.domain.chain import NotCanonicalError, canonical, content_of, seal
from certification.domain.issuing import digest_of
from certification.domain.keys import UnknownKeyError, is_known, is_signed
from certification.domain.publishing import newest_head
from certification.domain.retention import is_due
from certification.enums import CREDIT_ENTRIES, CertificateState, EntryKind
from certification.models import Certificate, LedgerEntry, PublishedHead
from core.logging import get_logger

log = get_logger("certification")


@dataclass(frozen=True, slots=True)
class Standing:
    """`changed_at`: when it was revoked, replaced or corrected. `worth`: today's credit, where another one is printed.

    `position`: the line of the ledger that says it was issued, in the chain of that public id.
    """

    state: CertificateState
    changed_at: datetime | None = None
    worth: Decimal | None = None
    position: int | None = None
    chain: str = ""
    head: PublishedHead | None = None
    is_purged: bool = False

    @property
    def is_valid(self) -> bool:
        return self.state == CertificateState.VALID


def standing_of(certificate: Certificate) -> Standing:
    """Two queries for one that was read with its chain and successor. What was altered is nothing else any more."""
    lines, credit = _lines_of(certificate)
    line = lines.get(EntryKind.CERTIFICATE_ISSUED) or lines.get(EntryKind.CERTIFICATE_REISSUED)
    chain = getattr(certificate.programme, "chain", None)
    place: dict[str, Any] = {"position": line.number if line else None, "chain": str(chain or "")}
    place["is_purged"] = not certificate.facts
    if line is not None:
        place["head"] = newest_head(certificate.programme_id, from_line=line.number)
    if flaw := flaw_of(certificate, line, purged=lines.get(EntryKind.CERTIFICATE_PURGED)):
        log.error("certification.certificate_not_confirmed", certificate=certificate.pk, flaw=flaw.value)
        return Standing(flaw, **place)
    if revoked := lines.get(EntryKind.CERTIFICATE_REVOKED):
        return Standing(CertificateState.REVOKED, revoked.entered_at, **place)
    if credit is not None and credit.kind == EntryKind.CREDIT_REVOKED:
        return Standing(CertificateState.REVOKED, credit.entered_at, **place)
    place["worth"] = overtaken_by(certificate, credit.credits if credit else None)
    newer: Certificate | None = getattr(certificate, "replaced_by", None)
    if newer is not None:
        return Standing(CertificateState.REPLACED, newer.issued_at, **place)
    if place["worth"] is not None and credit is not None:
        return Standing(CertificateState.CORRECTED, credit.entered_at, **place)
    return Standing(CertificateState.VALID, **place)


def overtaken_by(certificate: Certificate, credit: Decimal | None) -> Decimal | None:
    """Today's credit, where the certificate prints another one; None where it prints this one, or none."""
    printed = certificate.facts.get("facts", {}).get("credits", ()) if certificate.facts else ()
    if credit is None or not printed:
        return None
    return credit if [row["amount"] for row in printed] != [f"{credit:.2f}"] else None


def _lines_of(certificate: Certificate) -> tuple[dict[str, LedgerEntry], LedgerEntry | None]:
    """The lines about it by kind, and the newest one about the credit that it certifies."""
    about = Q(certificate=certificate.pk)
    if certificate.claim_id is not None:
        about |= Q(claim=certificate.claim_id)
    rows = list(LedgerEntry.objects.filter(about).order_by("number"))
    granted = [row for row in rows if row.claim_id is not None]
    return {row.kind: row for row in rows if row.claim_id is None}, granted[-1] if granted else None


def is_about(line: LedgerEntry, certificate: Certificate) -> bool:
    """Whether the line names this certificate, person, credit and course: else another credit would vouch for it."""
    said, claim, course = line.details, certificate.claim_id, certificate.course_id
    return (
        (line.programme_id, line.user_id, said.get("number"), said.get("claim", claim), said.get("course", course))
        == (certificate.programme_id, certificate.user_id, certificate.number, claim, course)
    )  # fmt: skip


def is_sealed(line: LedgerEntry) -> bool:
    return seal(bytes(line.previous), content_of(line)) == bytes(line.hash)


def flaw_of(
    certificate: Certificate, line: LedgerEntry | None, *, purged: LedgerEntry | None = None
) -> CertificateState | None:
    """Whether facts, columns, signature and line of the ledger say the same.

    Facts that are gone are not asked where a line says that they were `purged`, and their years were over then. A key
    that is not there excuses nothing else: whatever can be checked without it is checked first.
    """
    if line is None or not is_about(line, certificate) or not is_sealed(line):
        return CertificateState.ALTERED
    if not certificate.facts:
        left = purged is not None and is_sealed(purged) and is_due(line.entered_at, at=purged.entered_at)
        return None if left else CertificateState.ALTERED
    try:
        content = canonical(certificate.facts)
    except NotCanonicalError:
        return CertificateState.ALTERED
    printed = certificate.facts.get("facts", {})
    named = (printed.get("public_id"), printed.get("number")) == (certificate.public_id, certificate.number)
    if not named or line.details.get("facts") != digest_of(certificate.facts):
        return CertificateState.ALTERED
    signature = bytes(certificate.signature)
    try:
        signed = is_signed(fingerprint=certificate.key_fingerprint, signature=signature, content=content)
    except UnknownKeyError:
        return CertificateState.UNKNOWN_KEY
    return None if signed else CertificateState.ALTERED


def with_states(certificates: QuerySet[Certificate]) -> QuerySet[Certificate]:
    """`is_revoked`, `is_replaced` and `worth` (today's credit) for lists, without looking at signatures."""
    revoked = LedgerEntry.objects.filter(certificate=OuterRef("pk"), kind=EntryKind.CERTIFICATE_REVOKED)
    about = LedgerEntry.objects.filter(claim=OuterRef("claim"), kind__in=sorted(CREDIT_ENTRIES)).order_by("-number")
    credit = about.values("kind")[:1]
    taken_back = LedgerEntry.objects.filter(claim=OuterRef("claim"), kind=EntryKind.CREDIT_REVOKED).annotate(
        newest=Subquery(credit)
    )
    return certificates.annotate(
        is_replaced=Exists(Certificate.objects.filter(replaces=OuterRef("pk"))),
        worth=Subquery(about.values("credits")[:1]),
        is_revoked=Exists(revoked) | Exists(taken_back.filter(newest=EntryKind.CREDIT_REVOKED)),
    )


def state_in_list(row: Any) -> CertificateState:
    """Of a row `with_states`. Whether it was altered says only its own page: that takes its signature."""
    if row.is_revoked:
        return CertificateState.REVOKED
    if row.is_replaced:
        return CertificateState.REPLACED
    if row.facts and not is_known(row.key_fingerprint):
        return CertificateState.UNKNOWN_KEY
    return CertificateState.VALID if overtaken_by(row, row.worth) is None else CertificateState.CORRECTED


# One step of the index for each key there ever was, whatever the number of certificates.
USED_KEYS = """
WITH RECURSIVE used(fingerprint) AS (
    (SELECT min(key_fingerprint) FROM certification_certificate)
    UNION ALL
    SELECT (SELECT min(key_fingerprint) FROM certification_certificate WHERE key_fingerprint > used.fingerprint)
    FROM used WHERE used.fingerprint IS NOT NULL
)
SELECT fingerprint FROM used WHERE fingerprint IS NOT NULL
"""


def unknown_keys() -> list[str]:
    """Fingerprints of keys that sealed certificates of this site and are not in CERTIFICATE_KEYS. One query."""
    with connection.cursor() as cursor:
        cursor.execute(USED_KEYS)
        return [fingerprint for (fingerprint,) in cursor.fetchall() if not is_known(fingerprint)]
