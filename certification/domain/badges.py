"""A certificate as an Open Badge, and what others need to check it: the site's keys and whether it was revoked."""

import uuid
from datetime import datetime
from typing import Any

from django.conf import settings

from certification.domain.facts import thaw_printed
from certification.domain.keys import all_keys, key_named, newest_key
from certification.enums import CertificateKind
from certification.models import Certificate
from certification.printing.badge import (
    Achievement,
    Issuer,
    credential,
    did_document,
    linkedin_address,
    sign,
    status_list,
)

CRITERIA = {
    CertificateKind.ACTIVITY: "Took part in this activity as the rules of its authority ask for; the credit is stated.",
    CertificateKind.COURSE: "Completed every required part of the course and filled in its feedback forms.",
    CertificateKind.PROGRAMME: "Completed the courses that the programme asks for.",
}


def badge_of(certificate: Certificate) -> str:
    """The signed token; the same whenever it is asked for. Raises UnknownKeyError."""
    facts = thaw_printed(certificate.facts)
    key = key_named(certificate.key_fingerprint).private
    document = credential(
        facts,
        issuer=_issuer(facts.provider),
        achievement=Achievement(address=_about(certificate), criteria=CRITERIA[CertificateKind(certificate.kind)]),
        address=_address(certificate),
        status_address=status_address(certificate),
        key=key,
    )
    return sign(document, issuer=_issuer(facts.provider), key=key)


def status_of(certificate: Certificate, *, is_valid: bool, now: datetime) -> str:
    """The signed list with one bit in it. Raises NoKeyError."""
    return status_list(
        issuer=_issuer(),
        address=status_address(certificate),
        is_revoked=not is_valid,
        key=newest_key().private,
        now=now,
    )


def keys_document() -> dict[str, Any]:
    return did_document(_issuer(), [key.private.public_key() for key in all_keys()])


def linkedin_of(certificate: Certificate) -> str:
    facts = thaw_printed(certificate.facts)
    return linkedin_address(
        name=facts.title,
        organisation=facts.provider,
        issued_on=facts.issued_on,
        verify_address=facts.verify_address,
        number=facts.number,
    )


def status_address(certificate: Certificate) -> str:
    return f"{_address(certificate)}status/"


def _address(certificate: Certificate) -> str:
    return f"{settings.SITE_URL}/verify/{certificate.public_id}/badge/"


def _issuer(name: str = "") -> Issuer:
    return Issuer(address=settings.SITE_URL, name=name or settings.SITE_NAME)


def _about(certificate: Certificate) -> str:
    """The same for everybody who achieved it; nothing can be read from it, and nobody need look there."""
    subject = {
        CertificateKind.ACTIVITY: certificate.claim.accreditation_id if certificate.claim else 0,
        CertificateKind.COURSE: certificate.course_id,
        CertificateKind.PROGRAMME: certificate.programme_id,
    }[CertificateKind(certificate.kind)]
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{settings.SITE_URL}/{certificate.kind}/{subject}").urn
