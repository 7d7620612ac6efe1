"""The admin of credit: one module for each part of the work."""

from certification.admin.activities import ActivityAdmin
from certification.admin.certificates import CertificateAdmin, CertificateTemplateAdmin
from certification.admin.claims import ClaimAdmin
from certification.admin.disclosers import DiscloserAdmin

__all__ = ["ActivityAdmin", "CertificateAdmin", "CertificateTemplateAdmin", "ClaimAdmin", "DiscloserAdmin"]
