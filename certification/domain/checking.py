"""A file that somebody brings: is it a certificate as it was issued here?"""

import hashlib
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from certification.domain.keys import all_keys
from certification.models import Certificate
from certification.printing.signature import TRANSCRIPT, inspect

MOST_BYTES = 5 * 2**20


class Verdict(StrEnum):
    """`SEALED`: whole and sealed by us, but no file of which a record is kept; it was made by an older engine.

    `TRANSCRIPT`: a doctor's list of credits as it was on the day of its seal. No record is kept of those.
    `UNKNOWN_KEY`: whole, and sealed by a key of ours that is not in CERTIFICATE_KEYS any more.
    """

    ISSUED = "issued"
    SEALED = "sealed"
    TRANSCRIPT = "transcript"
    UNKNOWN_KEY = "unknown_key"
    ALTERED = "altered"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Checked:
    verdict: Verdict
    certificate: Certificate | None = None
    sealed_on: date | None = None


def check_file(pdf: bytes) -> Checked:
    """Never raises, whatever the bytes are. Altered is only what carries a seal: of the rest nobody can say."""
    digest = hashlib.sha256(pdf).digest()
    certificate = Certificate.objects.filter(file__sha256=digest).select_related("programme").first()
    if certificate is not None:
        return Checked(Verdict.ISSUED, certificate)
    seal = inspect(pdf)
    if not seal.is_sealed:
        return Checked(Verdict.FOREIGN)
    ours = {key.fingerprint for key in all_keys()}
    if seal.is_intact and seal.covers_all:
        if seal.fingerprint not in ours:
            was_ours = Certificate.objects.filter(key_fingerprint=seal.fingerprint).exists()
            return Checked(Verdict.UNKNOWN_KEY if was_ours else Verdict.FOREIGN)
        verdict = Verdict.TRANSCRIPT if seal.purpose == TRANSCRIPT else Verdict.SEALED
        return Checked(verdict, sealed_on=seal.sealed_on)
    return Checked(Verdict.ALTERED)
