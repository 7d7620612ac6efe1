"""How a certificate stands today: by its signature, its line of the ledger and the lines that came after.

Nothing here trusts a column. Facts are compared with the signature and with the digest in the ledger, and the line of
the ledger with its own seal; that the lines below it are whole is what `manage.py ledger verify` says.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from certification.domain.chain import NotCanonicalError, canonical, content_of, seal
from certification.domain.issuing import digest_of
from certification.domain.keys import UnknownKeyError, is_signed
from certification.domain.publishing import newest_head
from certification.enums import CertificateState, EntryKind
from certification.models import Certificate, LedgerEntry, PublishedHead
from core.logging import get_logger

log = get_logger("certification")


@dataclass(frozen=True, slots=True)
class Standing:
    """`changed_at`: when it was revoked or replaced. `worth`: what the credit was corrected to afterwards.

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
    if not is_genuine(certificate, line):
        log.error("certification.certificate_altered", certificate=certificate.pk)
        return Standing(CertificateState.ALTERED, **place)
    if revoked := lines.get(EntryKind.CERTIFICATE_REVOKED):
        return Standing(CertificateState.REVOKED, revoked.entered_at, **place)
    if credit is not None and credit.kind == EntryKind.CREDIT_REVOKED:
        return Standing(CertificateState.REVOKED, credit.entered_at, **place)
    newer: Certificate | None = getattr(certificate, "replaced_by", None)
    if newer is not None:
        return Standing(CertificateState.REPLACED, newer.issued_at, **place)
    corrected = credit is not None and line is not None and credit.number > line.number
    return Standing(CertificateState.VALID, worth=credit.credits if corrected and credit else None, **place)


def _lines_of(certificate: Certificate) -> tuple[dict[str, LedgerEntry], LedgerEntry | None]:
    """The lines about it by kind, and the newest one about the credit that it certifies."""
    about = Q(certificate=certificate.pk)
    if certificate.claim_id is not None:
        about |= Q(claim=certificate.claim_id)
    rows = list(LedgerEntry.objects.filter(about).order_by("number"))
    granted = [row for row in rows if row.claim_id is not None]
    return {row.kind: row for row in rows if row.claim_id is None}, granted[-1] if granted else None


def is_genuine(certificate: Certificate, line: LedgerEntry | None) -> bool:
    """Whether facts, columns, signature and line of the ledger say the same. Facts that were purged are not asked."""
    if line is None or line.details.get("number") != certificate.number:
        return False
    if seal(bytes(line.previous), content_of(line)) != bytes(line.hash):
        return False
    if not certificate.facts:
        return True
    try:
        content = canonical(certificate.facts)
        signed = is_signed(
            fingerprint=certificate.key_fingerprint, signature=bytes(certificate.signature), content=content
        )
    except (NotCanonicalError, UnknownKeyError):
        return False
    printed = certificate.facts.get("facts", {})
    named = (printed.get("public_id"), printed.get("number")) == (certificate.public_id, certificate.number)
    return signed and named and line.details.get("facts") == digest_of(certificate.facts)


def with_states(certificates: QuerySet[Certificate]) -> QuerySet[Certificate]:
    """`is_revoked` and `is_replaced` for lists, without looking at signatures."""
    revoked = LedgerEntry.objects.filter(certificate=OuterRef("pk"), kind=EntryKind.CERTIFICATE_REVOKED)
    credit = LedgerEntry.objects.filter(claim=OuterRef("claim")).order_by("-number").values("kind")[:1]
    taken_back = LedgerEntry.objects.filter(claim=OuterRef("claim"), kind=EntryKind.CREDIT_REVOKED).annotate(
        newest=Subquery(credit)
    )
    return certificates.annotate(
        is_replaced=Exists(Certificate.objects.filter(replaces=OuterRef("pk"))),
        is_revoked=Exists(revoked) | Exists(taken_back.filter(newest=EntryKind.CREDIT_REVOKED)),
    )
