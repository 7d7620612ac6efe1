"""Certificates of doctors in every state that a report tells apart."""

from datetime import datetime
from typing import Any

from certification.domain.chain import NewEntry, append, lock_chain
from certification.enums import CertificateKind, EntryKind
from certification.models import Certificate, CertificateTemplate
from courses.models import Course, Enrolment
from tests.factories.certification import CertificateTemplateFactory
from tests.factories.courses import ProgrammeFactory

CERTIFICATES = ("", "given", "replaced", "revoked", "replaced, revoked", "of a course", "elsewhere")


def certify(place: Enrolment, how: str, *, course: Course, at: datetime, later: datetime | None = None) -> None:
    """One of CERTIFICATES, given `at`; what happens to it after that, `later`."""
    if not how:
        return
    programme = ProgrammeFactory.create() if how == "elsewhere" else place.programme
    template = CertificateTemplate.objects.filter(programme=programme).first()
    template = template or CertificateTemplateFactory.create(programme=programme)
    fields: dict[str, Any] = {"kind": CertificateKind.PROGRAMME}
    if how == "of a course":
        fields = {"kind": CertificateKind.COURSE, "course": course}
    made = _certificate(place, template, issued_at=at, **fields)
    if how.startswith("replaced"):
        made = _certificate(place, template, issued_at=later or at, replaces=made, edition=2, **fields)
    if how.endswith("revoked"):
        line = NewEntry(EntryKind.CERTIFICATE_REVOKED, place.user_id, certificate_id=made.pk, reason="A mistake")
        append(chain=lock_chain(programme), entries=[line], now=later or at)


def _certificate(place: Enrolment, template: CertificateTemplate, **fields: Any) -> Certificate:
    serial = Certificate.objects.count() + 1
    return Certificate.objects.create(
        programme=template.programme,
        user=place.user,
        template=template,
        serial=serial,
        number=f"N-{serial}",
        public_id=f"P{serial:025}",
        facts={"n": 1},
        key_fingerprint="0" * 64,
        signature=b"0" * 64,
        **fields,
    )
