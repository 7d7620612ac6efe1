"""The certificates of an evidence pack, and the public keys to check them with.

Those of the activity stand there with all that is printed, and as badges. The certificates of its course and programme
that the same people have rest on it among others. They certify no credit of it, so the pack has their numbers and
hashes, which lines of the ledger in the same pack seal, and not what is printed on them.

The hash of a file stands in a row of its own, signed by the certificate's key. Where that signature does not hold the
pack has no hash but says so: somebody changed the record.
"""

from collections.abc import Iterator
from functools import partial

from django.db.models import Q, QuerySet

from certification.domain.badges import badge_of
from certification.domain.files import Noted, note_on, read_file
from certification.domain.issuing import digest_of
from certification.domain.keys import UnknownKeyError, all_keys
from certification.domain.pack_file import Part, Row, as_json, line, moment, table
from certification.enums import CertificateKind
from certification.models import Activity, Certificate, CertificateFile, Claim

BATCH = 1_000
NOT_MADE = "not made yet"
ALTERED = "altered: its key did not sign this hash"
UNCHECKED = {Noted.UNSIGNED: "not signed", Noted.UNKNOWN_KEY: "its key is not there: cannot be checked"}
NO_HASH = frozenset({NOT_MADE, ALTERED, *UNCHECKED.values()})


def certificate_parts(activity: Activity) -> Iterator[Part]:
    own, others = certificates_of(activity), resting_on(activity)
    count = own.count()
    yield table("certificates.csv", count, lambda: _issued(own))
    yield Part("certificate_facts.jsonl", count, lambda: _facts(own))
    yield Part("badges.jsonl", count, lambda: _badges(own))
    yield table("certificates_resting.csv", others.count(), lambda: _resting(others))
    yield Part("keys.json", 1, lambda: iter([_keys()]))


def pdf_parts(activity: Activity) -> Iterator[Part]:
    """A file for each certificate of the activity that has one: some 50 kB each, so only where they are asked for."""
    rows = CertificateFile.objects.filter(certificate__in=certificates_of(activity)).order_by("certificate__serial")
    for row in rows.select_related("certificate").defer("certificate__facts"):
        yield Part(f"pdf/{row.certificate.number}.pdf", 1, partial(_pdf, row))


def altered_files(activity: Activity) -> list[str]:
    """Numbers of certificates whose file has a record that their key did not sign. Also of those that rest on it."""
    found: list[str] = []
    for rows in (certificates_of(activity), resting_on(activity)):
        files = CertificateFile.objects.filter(certificate__in=rows.order_by()).order_by("certificate__serial")
        read = files.select_related("certificate").defer("certificate__facts").iterator(chunk_size=BATCH)
        found += [row.certificate.number for row in read if note_on(row) == Noted.ALTERED]
    return found


def certificates_of(activity: Activity) -> QuerySet[Certificate]:
    return Certificate.objects.filter(claim__accreditation__activity=activity).order_by("serial")


def resting_on(activity: Activity) -> QuerySet[Certificate]:
    """Of the course and the programme, of everybody who has credit for the activity."""
    course = activity.lesson.course
    people = Claim.objects.filter(accreditation__activity=activity).values("user")
    found = Certificate.objects.filter(
        Q(kind=CertificateKind.COURSE, course=course) | Q(kind=CertificateKind.PROGRAMME),
        programme=course.programme_id,
        user__in=people,
    )
    return found.order_by("serial")


def _issued(rows: QuerySet[Certificate]) -> Iterator[Row]:
    yield (
        "Certificate", "Number", "Public id", "Edition", "Claim", "Person", "Issued at (UTC)", "PDF SHA-256",
        "PDF bytes", "Key", "Signature of the facts",
    )  # fmt: skip
    for one in rows.select_related("file").defer("facts").iterator(chunk_size=BATCH):
        ids = (one.pk, one.number, one.public_id, one.edition, one.claim_id or "", one.user_id)
        yield (*ids, moment(one.issued_at), *_file(one), one.key_fingerprint, bytes(one.signature).hex())


def _facts(rows: QuerySet[Certificate]) -> Iterator[bytes]:
    for number, printed in rows.values_list("number", "facts").iterator(chunk_size=BATCH):
        yield line({"number": number, "facts": printed})


def _badges(rows: QuerySet[Certificate]) -> Iterator[bytes]:
    """Without those whose facts were purged, or whose key is gone: such a badge cannot be signed any more."""
    for one in rows.exclude(facts={}).select_related("claim").iterator(chunk_size=BATCH):
        try:
            yield line({"number": one.number, "badge": badge_of(one)})
        except UnknownKeyError:
            continue


def _resting(rows: QuerySet[Certificate]) -> Iterator[Row]:
    yield (
        "Certificate", "Kind", "Number", "Public id", "Edition", "Person", "Issued at (UTC)", "PDF SHA-256",
        "PDF bytes", "Key", "Signature of the facts", "SHA-256 of the facts",
    )  # fmt: skip
    for one in rows.select_related("file").iterator(chunk_size=BATCH):
        ids = (one.pk, one.kind, one.number, one.public_id, one.edition, one.user_id)
        signed = (one.key_fingerprint, bytes(one.signature).hex(), digest_of(one.facts) if one.facts else "purged")
        yield (*ids, moment(one.issued_at), *_file(one), *signed)


def _file(one: Certificate) -> tuple[str, int | str]:
    file: CertificateFile | None = getattr(one, "file", None)
    if file is None:
        return NOT_MADE, ""
    noted = note_on(file)
    if noted == Noted.ALTERED:
        return ALTERED, ""
    return (bytes(file.sha256).hex(), file.size_bytes) if noted == Noted.HOLDS else (UNCHECKED[noted], "")


def _pdf(row: CertificateFile) -> Iterator[bytes]:
    """Empty where the storage has lost it: the hash beside it says what it was."""
    yield read_file(row) or b""


def _keys() -> bytes:
    """Raw Ed25519 keys, and the fingerprint by which certificates and seals name each."""
    keys = [{"fingerprint": one.fingerprint, "public_key": one.public.hex()} for one in all_keys()]
    return as_json({"keys": keys})
