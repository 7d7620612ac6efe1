"""A correction of credit and the certificate that follows from it, in one transaction: nobody looks in between."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.http import HttpRequest

from accounts.models import User
from certification.domain.claiming import correct_claim
from certification.domain.issuing import reissue
from certification.domain.standing import overtaken_by
from certification.enums import EntryKind
from certification.models import Certificate, LedgerEntry


@dataclass(frozen=True, slots=True)
class Corrected:
    """`certificate`: the new edition, where there had to be one."""

    line: LedgerEntry
    certificate: Certificate | None = None


def certificate_of(claim_id: int) -> Certificate | None:
    """The newest edition. One that was revoked by itself is nobody's to bring back by the way, and to an account that
    was closed or emptied nothing is issued any more.
    """
    revoked = LedgerEntry.objects.filter(certificate=OuterRef("pk"), kind=EntryKind.CERTIFICATE_REVOKED)
    newest = Certificate.objects.filter(~Exists(revoked), claim=claim_id, replaced_by=None)
    return newest.filter(user__is_active=True).first()


def correct(
    *,
    claim_id: int,
    credit: Decimal,
    reason: str,
    is_reissued: bool,
    actor: User,
    now: datetime,
    request: HttpRequest | None = None,
) -> Corrected:
    """Without a new edition the certificate says that its credit was corrected; so it does when nothing is left of it.

    Raises ClaimError, IssuingError or NoKeyError, and then nothing was written.
    """
    with transaction.atomic():
        line = correct_claim(claim_id=claim_id, credit=credit, reason=reason, actor=actor, now=now, request=request)
        certificate = certificate_of(claim_id) if is_reissued and credit else None
        if certificate is None or overtaken_by(certificate, credit) is None:
            return Corrected(line)
        return Corrected(line, reissue(certificate=certificate, reason=line.why, actor=actor, now=now))
