"""The admin of credit: one module for each part of the work."""

from certification.admin.activities import ActivityAdmin
from certification.admin.certificate_templates import CertificateTemplateAdmin
from certification.admin.certificates import CertificateAdmin
from certification.admin.claims import ClaimAdmin
from certification.admin.disclosers import DiscloserAdmin
from certification.admin.ledger import LedgerEntryAdmin
from certification.admin.of_lessons import accreditation_of

__all__ = [
    "ActivityAdmin", "CertificateAdmin", "CertificateTemplateAdmin", "ClaimAdmin", "DiscloserAdmin", "LedgerEntryAdmin",
    "accreditation_of",
]  # fmt: skip
