"""The PDF of a certificate: made in a worker, kept in the private storage, the same bytes whenever it is made."""

import hashlib
import re
import unicodedata
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.db.models import QuerySet

from certification.domain.chain import canonical
from certification.domain.facts import NotPrintableError, thaw
from certification.domain.keys import UnknownKeyError, is_signed, key_named
from certification.models import Certificate, CertificateFile
from certification.printing.document import engine, render
from certification.printing.signature import seal
from core.logging import get_logger
from media.storages import media_storage

log = get_logger("certification")
BATCH = 200
LOCK = 0x43455254  # "CERT": of the advisory locks of certificates whose file is being made


class DifferentBytesError(Exception):
    """Made again by the same engine, the file is another one: somebody changed the facts, or the engine is broken."""


def pdf_of(certificate: Certificate) -> bytes:
    """Some 40 ms of a core. Raises NotPrintableError, UnknownKeyError, DocumentError, SealError."""
    if not certificate.facts:
        raise NotPrintableError("The facts of this certificate were purged.")
    facts, look = thaw(certificate.facts, template=certificate.template)
    key = key_named(certificate.key_fingerprint).private
    return seal(render(facts, look), key=key, organisation=facts.provider, sealed_on=facts.issued_on)


def make_file(*, certificate_id: int, now: datetime) -> CertificateFile | None:
    """Idempotent; None when the certificate is gone or purged. A kept file that is whole is left alone.

    The name follows from the content, so that two workers, or one that was killed in between, write the same file once.
    """
    certificate = Certificate.objects.select_related("template").filter(pk=certificate_id).first()
    if certificate is None or not certificate.facts:
        return None
    row = CertificateFile.objects.filter(certificate=certificate).first()
    if row is not None and read_file(row) is not None:
        return row
    return _keep(certificate_id, pdf_of(certificate), now=now)


@transaction.atomic
def _keep(certificate_id: int, pdf: bytes, *, now: datetime) -> CertificateFile | None:
    """Under the lock for which a purge waits too: of what was purged while it was drawn, nothing is kept."""
    certificate = Certificate.objects.select_for_update(no_key=True).get(pk=certificate_id)
    if not certificate.facts:
        return None
    row = CertificateFile.objects.filter(certificate=certificate).first()
    digest = hashlib.sha256(pdf).digest()
    if row is not None and bytes(row.sha256) != digest:
        if (row.engine or certificate.facts["engine"]) == engine():
            raise DifferentBytesError(certificate.number)
        log.warning("certification.file_made_by_another_engine", certificate=certificate.pk, engine=engine())
    name = _store(pdf, digest)
    values = {
        "sha256": digest, "size_bytes": len(pdf), "stored_as": name, "made_at": now, "engine": engine(),
        "signature": key_named(certificate.key_fingerprint).private.sign(note_of(certificate, sha256=digest)),
    }  # fmt: skip
    made, _ = CertificateFile.objects.update_or_create(certificate=certificate, defaults=values)
    return made


def make_missing(*, now: datetime, progress: Callable[[int], None] | None = None) -> int:
    """Of certificates without a file, the oldest first. One that cannot be made does not hold up the others.

    Several workers share the work: each takes what no other one has in hand. `progress` is told how many more were gone
    through, whoever made them. Returns how many were made here.
    """
    made = after = 0
    while ids := list(without_file().filter(pk__gt=after).values_list("pk", flat=True)[:BATCH]):
        for certificate_id in ids:
            try:
                made += _make_if_missing(certificate_id, now=now)
            except Exception:  # each means work for an operator, none may stop the sweep
                log.exception("certification.file_not_made", certificate=certificate_id)
        after = ids[-1]
        if progress is not None:
            progress(len(ids))
    return made


def _make_if_missing(certificate_id: int, *, now: datetime) -> bool:
    """The lock goes with the transaction, so a worker that is killed leaves its certificate to the others."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s, hashint8(%s))", [LOCK, certificate_id])
            (is_ours,) = cursor.fetchone()
        if not is_ours or not without_file().filter(pk=certificate_id).exists():
            return False
        return make_file(certificate_id=certificate_id, now=now) is not None


def without_file() -> QuerySet[Certificate]:
    return Certificate.objects.filter(file=None).exclude(facts={}).order_by("pk")


def read_file(row: CertificateFile) -> bytes | None:
    """None when the storage has lost it, or it is not what was stored."""
    try:
        with media_storage().open(row.stored_as) as file:
            data: bytes = file.read()
    except OSError:
        return None
    if hashlib.sha256(data).digest() == bytes(row.sha256):
        return data
    log.error("certification.file_damaged", certificate=row.certificate_id)
    return None


def note_of(certificate: Certificate, *, sha256: bytes) -> bytes:
    """What the certificate's key signs of its file. Nothing else that it signs has this form."""
    return canonical({"file_of": certificate.public_id, "sha256": sha256.hex()})


class Noted(StrEnum):
    """What the key of a certificate says of its file's record. `UNSIGNED`: older than signatures of records."""

    HOLDS = "holds"
    ALTERED = "altered"
    UNSIGNED = "unsigned"
    UNKNOWN_KEY = "unknown key"


def note_on(row: CertificateFile) -> Noted:
    of, digest = row.certificate, bytes(row.sha256)
    if row.signature is None:
        return Noted.UNSIGNED
    try:
        holds = is_signed(
            fingerprint=of.key_fingerprint, signature=bytes(row.signature), content=note_of(of, sha256=digest)
        )
    except UnknownKeyError:
        return Noted.UNKNOWN_KEY
    return Noted.HOLDS if holds else Noted.ALTERED


def is_noted(row: CertificateFile) -> bool:
    """Whether the key of the certificate says that a file with this hash is its file."""
    return note_on(row) == Noted.HOLDS


def _store(pdf: bytes, digest: bytes) -> str:
    """A file that a crash left half written has this name too: it is taken away first."""
    storage = media_storage()
    name = f"certificates/{digest.hex()[:2]}/{digest.hex()}.pdf"
    if storage.exists(name):
        with storage.open(name) as file:
            if file.read() == pdf:
                return name
        storage.delete(name)
    content = ContentFile(pdf)
    content.content_type = "application/pdf"  # type: ignore[attr-defined]  # read by S3Storage
    kept: str = storage.save(name, content)
    if kept != name:  # another worker was first: these bytes are there, and a second copy would be nobody's
        storage.delete(kept)
    return name


def file_name(certificate: Certificate) -> str:
    """To find it again among downloads: title and number, in letters that every system takes."""
    title = str(certificate.facts.get("facts", {}).get("title", ""))
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    words = re.sub(r"[^A-Za-z0-9]+", "-", plain).strip("-")[:60].strip("-")
    return f"{words or 'Certificate'}-{certificate.number}.pdf"
