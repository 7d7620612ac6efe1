import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.enums import DeviceEnd, SignInMethod


class Device(models.Model):
    """One signed-in browser. Lives as long as its session; the person sees it under "My devices"."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="devices")
    session_key = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    user_agent = models.CharField(max_length=400, blank=True)
    address = models.GenericIPAddressField(null=True)
    method = models.CharField(max_length=12, choices=SignInMethod)
    created_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_reason = models.CharField(max_length=12, choices=DeviceEnd, blank=True)

    class Meta:
        verbose_name = _("device")
        verbose_name_plural = _("devices")
        ordering = ("-last_seen_at",)
        indexes = (
            models.Index(fields=("user", "created_at"), condition=models.Q(ended_at=None), name="accounts_device_open"),
        )
        constraints = (
            models.CheckConstraint(
                condition=models.Q(ended_at=None, ended_reason="") | (models.Q(ended_at__isnull=False) & ~models.Q(ended_reason="")),
                name="accounts_device_end_has_reason",
            ),
        )

    def __str__(self) -> str:
        return self.name


class Invitation(models.Model):
    """A personal, single-use door. Only the SHA-256 of its token is kept, so a resend makes a new token."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="invitations")
    token_hash = models.BinaryField(max_length=32, unique=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("user",), condition=models.Q(used_at=None, revoked_at=None), name="accounts_invitation_one_open"
            ),
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("created_at")), name="accounts_invitation_expires_later"
            ),
            models.CheckConstraint(
                condition=models.Q(used_at=None) | models.Q(revoked_at=None), name="accounts_invitation_used_or_revoked"
            ),
        )

    def __str__(self) -> str:
        return f"{self.user} ({self.created_at:%Y-%m-%d})"


class SignInRequest(models.Model):
    """One asked-for sign-in: the link and the code of the same e-mail. Either consumes it.

    The code only works in the browser that asked (`request_hash` is of a secret kept in that browser's session);
    the link works on any device. `user` is empty for an address nobody has, so both cost the same.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="sign_in_requests")
    link_hash = models.BinaryField(max_length=32, unique=True)
    code_hash = models.BinaryField(max_length=32)
    request_hash = models.BinaryField(max_length=32, unique=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    address = models.GenericIPAddressField(null=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("sign-in request")
        verbose_name_plural = _("sign-in requests")
        indexes = (models.Index(fields=("user", "created_at"), name="accounts_signin_by_user"),)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("created_at")), name="accounts_signin_expires_later"
            ),
        )

    def __str__(self) -> str:
        return f"{self.user or '—'} ({self.created_at:%Y-%m-%d %H:%M})"


class AuditEvent(models.Model):
    """Who did or was refused what. Append-only: a trigger refuses UPDATE, DELETE and TRUNCATE."""

    at = models.DateTimeField(db_index=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.DO_NOTHING, null=True, related_name="+", db_constraint=False)
    action = models.CharField(max_length=60, db_index=True)
    subject_type = models.CharField(max_length=60, blank=True)
    subject_id = models.CharField(max_length=64, blank=True)
    address = models.GenericIPAddressField(null=True)
    request_id = models.CharField(max_length=64, blank=True)
    details = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit trail")
        ordering = ("-id",)
        indexes = (models.Index(fields=("subject_type", "subject_id"), name="accounts_audit_subject"),)

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.action}"
