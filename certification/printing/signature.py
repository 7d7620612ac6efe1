"""The seal of a certificate: a PDF signature (PAdES, Ed25519) whose bytes follow from the document and the key alone.

pyHanko writes the PDF update; the signed container is built here, so that `inspect` can build it again and compare:
there is exactly one valid file for a document, a day and a key, and any other byte anywhere is noticed. Readers that
know Ed25519 in PDF (ISO/TS 32002) show the document as certified, with no changes allowed.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache

from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

FIELD = "Seal"
DIGEST = "sha512"  # RFC 8419 wants it beside Ed25519
# A certificate of a key says nothing about time: the key list of the site does. RFC 5280 4.1.2.5: "no known end".
FIRST_DAY, NO_END = datetime(2020, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
LARGEST = 4096  # bytes of a certificate: `certificate_of` makes some 500
RANGE = re.compile(rb"/ByteRange \[(\d+) (\d+) (\d+) (\d+)\]")
DAY = re.compile(rb"/M \(D(?::|\\072)(\d{4})(\d{2})(\d{2})000000Z\)")
TRANSCRIPT = "Transcript"
# What a seal was made for: other signs than letters are written as codes, so no name beside it can look like this.
PURPOSE = re.compile(rb"/Reason \(([A-Za-z]{1,40})\)")


UNREADABLE = (
    InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError,
)  # fmt: skip


class SealError(Exception):
    """The document could not be sealed; the text is for an operator."""


@dataclass(frozen=True, slots=True)
class Seal:
    """What a file's seal says. Whether `fingerprint` is one of this site's keys is for the caller to ask."""

    is_sealed: bool = False  # there is something that looks like a seal
    is_intact: bool = False  # not one byte was changed since
    covers_all: bool = False  # and nothing was added behind it
    fingerprint: str = ""
    sealed_on: date | None = None
    purpose: str = ""  # empty: a certificate


NONE = Seal()


def fingerprint(key: Ed25519PublicKey) -> str:
    """SHA-256 of the public key's 32 bytes, 64 hexadecimal digits: the one name of a key, in files and records."""
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()


@lru_cache(maxsize=32)
def certificate_of(key: Ed25519PrivateKey, organisation: str) -> x509.Certificate:
    """The key's self-signed certificate; always the same bytes. Readers want one, and show its names."""
    public = key.public_key()
    digest = fingerprint(public)
    name = x509.Name([
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation[:64] or "Certificates"),
        x509.NameAttribute(NameOID.COMMON_NAME, f"Certificate seal {digest[:16]}"),
    ])  # fmt: skip
    others = ("key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign")
    usage = dict.fromkeys((*others, "encipher_only", "decipher_only"), False)
    builder = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=public)
        .serial_number(int(digest[:30], 16))
        .not_valid_before(FIRST_DAY)
        .not_valid_after(NO_END)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(digital_signature=True, content_commitment=True, **usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
    return builder.sign(key, algorithm=None)


def seal(pdf: bytes, *, key: Ed25519PrivateKey, organisation: str, sealed_on: date, purpose: str = "") -> bytes:
    """The document with its seal appended. Some 2 ms of a core; safe in threads and under an event loop.

    `purpose`: letters only, within what is signed; a certificate has none.
    """
    if purpose and not re.fullmatch("[A-Za-z]{1,40}", purpose):
        raise SealError(f"A purpose is one word of letters, not {purpose!r}")
    from certification.printing.update import begin  # pyHanko is a sixth of all that a start reads

    certificate = certificate_of(key, organisation).public_bytes(Encoding.DER)
    frame = frame_of(certificate)
    room = len(frame.container(bytes(64), bytes(64)))
    moment = datetime(sealed_on.year, sealed_on.month, sealed_on.day, tzinfo=UTC)
    try:
        steps, output, digest = begin(
            pdf, field=FIELD, digest=DIGEST, room=room, at=moment, by=organisation, why=purpose
        )
    except Exception as error:
        raise SealError(f"This PDF could not be sealed: {error}") from error
    signature = key.sign(frame.signed(digest))
    steps.send(frame.container(digest, signature))
    return output.getvalue()


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around digest and signature: both are of 64 bytes, so the rest follows from the certificate alone."""

    around_digest: tuple[bytes, bytes]
    around_both: tuple[bytes, bytes, bytes]

    def signed(self, digest: bytes) -> bytes:
        return digest.join(self.around_digest)

    def container(self, digest: bytes, signature: bytes) -> bytes:
        before, between, after = self.around_both
        return b"".join((before, digest, between, signature, after))


@lru_cache(maxsize=32)
def frame_of(certificate: bytes) -> Frame:
    """To build the containers of one certificate anew each time is most of a seal, and of a look at one."""
    digest, signature = (hashlib.sha512(word + certificate).digest() for word in (b"digest", b"signature"))
    signed = _attributes(certificate, digest).untag().dump().partition(digest)
    before, _, rest = _container(certificate, digest, signature).partition(digest)
    between, _, after = rest.partition(signature)
    return Frame((signed[0], signed[2]), (before, between, after))


def _attributes(certificate: bytes, digest: bytes) -> cms.CMSAttributes:
    """What is signed: the document's digest, and whose certificate belongs to it (PAdES baseline, EN 319 142-1)."""
    certificate_hash = tsp.ESSCertIDv2({
        "hash_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}),
        "cert_hash": hashlib.sha256(certificate).digest(),
    })  # fmt: skip
    return cms.CMSAttributes([
        cms.CMSAttribute({"type": "content_type", "values": ["data"]}),
        cms.CMSAttribute({"type": "message_digest", "values": [core.OctetString(digest)]}),
        cms.CMSAttribute({
            "type": "signing_certificate_v2", "values": [tsp.SigningCertificateV2({"certs": [certificate_hash]})],
        }),
    ])  # fmt: skip


def _container(certificate: bytes, digest: bytes, signature: bytes) -> bytes:
    """The one CMS SignedData (RFC 5652, with Ed25519 as RFC 8419 says) for these three."""
    parsed = asn1_x509.Certificate.load(certificate)
    algorithm = algos.DigestAlgorithm({"algorithm": DIGEST})
    identifier = cms.IssuerAndSerialNumber({"issuer": parsed.issuer, "serial_number": parsed.serial_number})
    signer = cms.SignerInfo({
        "version": "v1",
        "sid": cms.SignerIdentifier(name="issuer_and_serial_number", value=identifier),
        "digest_algorithm": algorithm,
        "signed_attrs": _attributes(certificate, digest),
        "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": "ed25519"}),
        "signature": signature,
    })  # fmt: skip
    signed = cms.SignedData({
        "version": "v1",
        "digest_algorithms": cms.DigestAlgorithms((algorithm,)),
        "encap_content_info": {"content_type": "data"},
        "certificates": [parsed],
        "signer_infos": [signer],
    })  # fmt: skip
    return bytes(cms.ContentInfo({"content_type": "signed_data", "content": signed}).dump())


def inspect(pdf: bytes) -> Seal:
    """Look at a file somebody brings. Never raises: whatever cannot be read is not intact. Some 0.4 ms."""
    found = list(RANGE.finditer(pdf))
    if not found:
        return NONE
    start, before, after, length = (int(number) for number in found[-1].groups())
    whole = start == 0 and after + length == len(pdf)
    seal_of = Seal(is_sealed=True)
    if start != 0 or not 0 < before < after <= after + length <= len(pdf):
        return seal_of
    try:
        container = bytes.fromhex(pdf[before + 1 : after - 1].decode("ascii"))
        info = cms.ContentInfo.load(container, strict=True)["content"]
        certificate = bytes(info["certificates"][0].chosen.dump())
        if len(certificate) > LARGEST:  # none of a seal, and nothing to remember
            return seal_of
        signature = bytes(info["signer_infos"][0]["signature"].native)
        authority = x509.load_der_x509_certificate(certificate)
        key = authority.public_key()
        if not isinstance(key, Ed25519PublicKey):
            return seal_of
        digest = hashlib.sha512(pdf[:before] + pdf[after : after + length]).digest()
        frame = frame_of(certificate)
        only = frame.container(digest, signature)
        key.verify(signature, frame.signed(digest))
        key.verify(authority.signature, authority.tbs_certificate_bytes)
        is_intact = pdf[before:after] == b"<" + only.hex().upper().encode() + b">"
        beside = pdf[found[-1].end() : found[-1].end() + 1000]  # in the same dictionary, as `seal` writes it
        day, purpose = DAY.search(beside), PURPOSE.search(beside)
        on = date(*(int(part) for part in day.groups())) if day else None
    except UNREADABLE:
        return seal_of
    return Seal(
        is_sealed=True,
        is_intact=is_intact and whole,
        covers_all=whole,
        fingerprint=fingerprint(key),
        sealed_on=on,
        purpose=purpose[1].decode() if purpose else "",
    )
