from certification.models.activity import Accreditation, Acknowledgement, Activity
from certification.models.certificate import Certificate, CertificateFile, CertificateTemplate, SignatureImage
from certification.models.disclosure import (
    Contributor,
    Discloser,
    Disclosure,
    DisclosureRequest,
    DisclosureReview,
    DisclosureSheet,
)
from certification.models.kept_name import KeptName
from certification.models.ledger import Chain, Claim, ClaimEvidence, LedgerEntry, PublishedHead
from certification.models.pack import EvidencePack
from certification.models.reason_text import ReasonText

__all__ = (
    "Accreditation",
    "Acknowledgement",
    "Activity",
    "Certificate",
    "CertificateFile",
    "CertificateTemplate",
    "Chain",
    "Claim",
    "ClaimEvidence",
    "Contributor",
    "Discloser",
    "Disclosure",
    "DisclosureRequest",
    "DisclosureReview",
    "DisclosureSheet",
    "EvidencePack",
    "KeptName",
    "LedgerEntry",
    "PublishedHead",
    "ReasonText",
    "SignatureImage",
)
