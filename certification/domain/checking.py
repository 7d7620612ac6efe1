"""A file that somebody brings: is it a certificate as it was issued here?

The file itself is asked first: it carries a seal by a key of this site, of which not one byte is changed. Only then the
records say of which certificate it is, and no record is believed that this certificate's key has not signed.
"""

import hashlib
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from certification.domain.files import is_noted
from certification.domain.keys import all_keys
from certification.models import Certificate, CertificateFile
from certification.printing.signature import TRANSCRIPT, inspect
from core.logging import get_logger

log = get_logger("certification")
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
    seal = inspect(pdf)
    if not seal.is_sealed:
        return Checked(Verdict.FOREIGN)
    if not (seal.is_intact and seal.covers_all):
        return Checked(Verdict.ALTERED)
    if seal.fingerprint not in {key.fingerprint for key in all_keys()}:
        was_ours = Certificate.objects.filter(key_fingerprint=seal.fingerprint).exists()
        return Checked(Verdict.UNKNOWN_KEY if was_ours else Verdict.FOREIGN)
    if seal.purpose == TRANSCRIPT:
        return Checked(Verdict.TRANSCRIPT, sealed_on=seal.sealed_on)
    certificate = _recorded(hashlib.sha256(pdf).digest(), sealed_by=seal.fingerprint)
    return Checked(Verdict.SEALED if certificate is None else Verdict.ISSUED, certificate, seal.sealed_on)


def _recorded(digest: bytes, *, sealed_by: str) -> Certificate | None:
    rows = CertificateFile.objects.filter(sha256=digest).select_related("certificate__programme")
    for row in rows.order_by("pk"):
        if row.certificate.key_fingerprint == sealed_by and is_noted(row):
            return row.certificate
        log.error("certification.file_record_altered", certificate=row.certificate_id)
    return None
