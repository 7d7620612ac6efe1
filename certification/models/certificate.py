"""Certificates: the facts, fixed as they are issued, and the file made of them."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from certification.enums import CertificateKind, Paper
from certification.models.ledger import Claim
from courses.models import Course, Programme


class CertificateTemplate(models.Model):
    """How a programme's certificates look and what they say around the facts. Fixed once one was issued with it."""

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="certificate_templates")
    version = models.PositiveSmallIntegerField()
    paper = models.CharField(_("paper"), max_length=6, choices=Paper, default=Paper.A4)
    accent = models.CharField(_("colour"), max_length=7, default="#0b5d66")
    language = models.CharField(_("language"), max_length=12, default="en")
    heading = models.CharField(_("heading"), max_length=80, blank=True)
    above_name = models.CharField(_("line above the name"), max_length=160, blank=True)
    below_name = models.CharField(_("line below the name"), max_length=300, blank=True)
    logo = models.BinaryField(null=True, editable=False)
    signatories: Any = models.JSONField(_("signatures"), default=list, help_text=_('[{"name", "role"}], in order.'))
    used_at = models.DateTimeField(_("first used at"), null=True, editable=False)

    class Meta:
        verbose_name = _("certificate template")
        verbose_name_plural = _("certificate templates")
        ordering = ("programme", "-version")
        constraints = (
            models.UniqueConstraint(fields=("programme", "version"), name="certification_template_version"),
            models.CheckConstraint(condition=Q(accent__regex=r"^#[0-9a-f]{6}$"), name="certification_template_accent"),
        )

    def __str__(self) -> str:
        return f"{self.programme} · {self.version}"


class SignatureImage(models.Model):
    """A signature's picture, by its place among a template's signatories."""

    template = models.ForeignKey(CertificateTemplate, models.CASCADE, related_name="images")
    position = models.PositiveSmallIntegerField()
    image = models.BinaryField(editable=False)

    class Meta:
        verbose_name = _("signature")
        verbose_name_plural = _("signatures")
        constraints = (models.UniqueConstraint(fields=("template", "position"), name="certification_signature_place"),)

    def __str__(self) -> str:
        return f"{self.template_id}/{self.position}"


class Certificate(models.Model):
    """One document. Nothing of it is ever changed; when a name is corrected, edition 2 replaces edition 1.

    `public_id` is its address for the world, 128 random bits in base32; `number` is for people. `facts` is all that is
    printed, `signature` is made over their canonical form by the key of that fingerprint. Whether it was revoked says
    the ledger.
    """

    kind = models.CharField(_("kind"), max_length=9, choices=CertificateKind)
    programme = models.ForeignKey(Programme, models.PROTECT, related_name="certificates")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="certificates")
    claim = models.ForeignKey(Claim, models.PROTECT, null=True, related_name="certificates")
    course = models.ForeignKey(Course, models.PROTECT, null=True, related_name="+")
    edition = models.PositiveSmallIntegerField(default=1)
    replaces = models.OneToOneField("self", models.PROTECT, null=True, related_name="replaced_by")
    public_id = models.CharField(max_length=26, unique=True)
    serial = models.PositiveIntegerField()
    number = models.CharField(_("number"), max_length=40, unique=True)
    template = models.ForeignKey(CertificateTemplate, models.PROTECT, related_name="certificates")
    facts: Any = models.JSONField()
    key_fingerprint = models.CharField(max_length=64)
    signature = models.BinaryField(max_length=64)
    issued_at = models.DateTimeField(_("issued at"))

    class Meta:
        verbose_name = _("certificate")
        verbose_name_plural = _("certificates")
        ordering = ("-issued_at", "-pk")
        constraints = (
            models.UniqueConstraint(fields=("programme", "serial"), name="certification_certificate_serial"),
            models.UniqueConstraint(fields=("claim", "edition"), name="certification_one_for_a_claim"),
            models.UniqueConstraint(fields=("user", "course", "edition"), name="certification_one_for_a_course"),
            models.UniqueConstraint(
                fields=("user", "programme", "edition"),
                condition=Q(kind=CertificateKind.PROGRAMME),
                name="certification_one_for_a_programme",
            ),
            models.CheckConstraint(
                condition=Q(kind=CertificateKind.ACTIVITY, claim__isnull=False, course=None)
                | Q(kind=CertificateKind.COURSE, claim=None, course__isnull=False)
                | Q(kind=CertificateKind.PROGRAMME, claim=None, course=None),
                name="certification_certificate_kind",
            ),
            models.CheckConstraint(
                condition=Q(edition=1, replaces=None) | Q(edition__gt=1, replaces__isnull=False),
                name="certification_edition_replaces",
            ),
            models.CheckConstraint(condition=~Q(replaces=F("pk")), name="certification_replaces_another"),
        )
        indexes = (
            models.Index(fields=("user", "programme"), name="certification_cert_person"),
            models.Index(fields=("key_fingerprint",), name="certification_cert_key"),
        )

    def __str__(self) -> str:
        return self.number


class CertificateFile(models.Model):
    """The PDF as it was first made: where it is kept, its SHA-256, by which engine. Made again, it has the same bytes.

    `signature` is the certificate's key over its address and the hash (`domain.files.note_of`): a row alone makes no
    file a certificate. Rows that are older than it have none.
    """

    certificate = models.OneToOneField(Certificate, models.CASCADE, primary_key=True, related_name="file")
    sha256 = models.BinaryField(max_length=32)
    size_bytes = models.PositiveIntegerField()
    stored_as = models.CharField(max_length=300)
    made_at = models.DateTimeField()
    engine = models.CharField(max_length=100, blank=True, default="", db_default="")
    signature = models.BinaryField(max_length=64, null=True)

    class Meta:
        verbose_name = _("certificate file")
        verbose_name_plural = _("certificate files")
        indexes = (models.Index(fields=("sha256",), name="certification_file_sha256"),)

    def __str__(self) -> str:
        return self.stored_as
