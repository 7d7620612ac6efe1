"""The certificate of a credit, as its doctor's pages speak of it: where it is, or when it comes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, cast

from django.db.models import Q

from accounts.models import User
from certification.domain.standing import with_states
from certification.enums import AuthorityKey, EntryKind
from certification.models import Certificate, CertificateTemplate, Claim, LedgerEntry


class DocumentState(StrEnum):
    """`making`: issued, without its file yet. `soon`: not issued yet. `nameless`: waits for the doctor's name."""

    THERE = "there"
    MAKING = "making"
    SOON = "soon"
    NAMELESS = "nameless"
    REVOKED = "revoked"
    PURGED = "purged"


@dataclass(frozen=True, slots=True)
class Document:
    """`public_id` and `number` once it is issued."""

    state: DocumentState
    public_id: str = ""
    number: str = ""


class _Stated(Protocol):
    """A certificate as `with_states` reads it, and whether what is printed on it was removed."""

    claim_id: int | None
    public_id: str
    number: str
    is_purged: bool
    is_revoked: bool


def documents_of(
    claims: Iterable[Claim], *, lines: Mapping[int, Sequence[LedgerEntry]], holder: User
) -> dict[int, Document]:
    """By claim, the newest edition. None for credit of a programme that issues no certificates. Two queries."""
    claims = list(claims)
    if not claims:
        return {}
    issued = with_states(Certificate.objects.filter(claim__in=claims, replaced_by=None)).annotate(is_purged=Q(facts={}))
    rows = cast("Iterable[_Stated]", issued.select_related("file").defer("facts", "signature"))
    found = {one.claim_id or 0: Document(_state(one), one.public_id, one.number) for one in rows}
    programmes = {one.programme_id for one in claims}
    issuing = set(
        CertificateTemplate.objects.filter(programme__in=programmes).order_by().values_list("programme", flat=True)
    )
    waits = DocumentState.SOON if holder.first_name.strip() or holder.last_name.strip() else DocumentState.NAMELESS
    coming = (one for one in claims if one.programme_id in issuing and _is_worth_one(one, lines.get(one.pk, ())))
    return {one.pk: Document(waits) for one in coming} | found


def _state(certificate: _Stated) -> DocumentState:
    if certificate.is_purged:
        return DocumentState.PURGED
    if certificate.is_revoked:
        return DocumentState.REVOKED
    return DocumentState.THERE if hasattr(certificate, "file") else DocumentState.MAKING


def _is_worth_one(claim: Claim, lines: Sequence[LedgerEntry]) -> bool:
    """As `issuing.due_claims` has it."""
    if not lines or lines[-1].kind == EntryKind.CREDIT_REVOKED:
        return False
    return claim.authority == AuthorityKey.ATTENDANCE or bool(lines[-1].credits)
