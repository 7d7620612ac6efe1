"""What lies beside a ledger, compared with its lines: the claims and certificates they speak of.

Lines are sealed (`domain.chain`). Whoever takes a whole ledger away, its lines, its chain and the heads that were
published of it, leaves all seals whole: there are none. What was granted and issued is still there and has no line.
"""

from dataclasses import replace
from functools import reduce
from operator import or_

from django.db.models import Exists, OuterRef, Q, QuerySet

from certification.domain.chain import Flaw, Verified
from certification.enums import EntryKind
from certification.models import Certificate, Chain, Claim, LedgerEntry, PublishedHead
from courses.models import Programme

LEAVES_TRACES = (Chain, LedgerEntry, PublishedHead, Claim, Certificate)


def programmes_with_traces() -> QuerySet[Programme]:
    """Where anything says that there is a ledger, or was one."""
    traces = (Q(Exists(one.objects.filter(programme=OuterRef("pk")))) for one in LEAVES_TRACES)
    return Programme.objects.filter(reduce(or_, traces))


def compared(found: Verified) -> Verified:
    """The same, or with what the lines do not say. Where the lines themselves do not hold, nothing else is asked."""
    if found.flaw is None and _is_unsaid(found.programme_id):
        return replace(found, flaw=Flaw(found.programme_id, found.length + 1, "unsaid"))
    return found


def _is_unsaid(programme_id: int) -> bool:
    granted = LedgerEntry.objects.filter(claim=OuterRef("pk"), kind=EntryKind.CREDIT_GRANTED)
    issued = (EntryKind.CERTIFICATE_ISSUED, EntryKind.CERTIFICATE_REISSUED)
    said = LedgerEntry.objects.filter(certificate=OuterRef("pk"), kind__in=issued)
    claims = Claim.objects.filter(~Exists(granted), programme=programme_id)
    certificates = Certificate.objects.filter(~Exists(said), programme=programme_id)
    return claims.exists() or certificates.exists()
