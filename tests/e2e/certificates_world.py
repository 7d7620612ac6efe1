"""Certificates for browsers to look at: one that stands, one that was revoked, and published heads."""

from typing import Any


def build_certificates(programme: Any, holder: dict[str, str] | None) -> dict[str, str]:
    """Public ids by state. Without a holder somebody else's."""
    from django.utils.timezone import now

    from accounts.models import User
    from certification.domain.files import make_file
    from certification.domain.issuing import issue, revoke
    from certification.domain.publishing import publish_heads
    from tests.certification.earned import claim_of
    from tests.factories.accounts import UserFactory
    from tests.factories.certification import CertificateTemplateFactory
    from tests.factories.courses import CourseFactory, ProgrammeFactory

    user = User.objects.get(pk=holder["id"]) if holder else UserFactory.create()
    apart = ProgrammeFactory.create(slug="certified", title="Endometriosis: from guideline to practice")
    CourseFactory.create(programme=apart)
    signatories = [{"name": "Prof. Maria Lindqvist", "role": "Chair, Education Committee"}]
    CertificateTemplateFactory.create(programme=apart, heading="", signatories=signatories)
    valid, revoked = (issue(of=claim_of(apart, user=user), now=now()) for _ in range(2))
    make_file(certificate_id=valid.pk, now=now())
    publish_heads(now=now())
    revoke(certificate=revoked, reason="Granted to somebody else", actor=None, now=now())
    return {"certificate": valid.public_id, "certificate_revoked": revoked.public_id}
