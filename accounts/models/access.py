import uuid
from datetime import datetime
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.enums import AUDIT_ACTIONS, DeviceEnd, ImportState, InvitationState, SignInMethod
from core.time import when


class DeviceQuerySet(models.QuerySet["Device"]):
    def open(self) -> Self:
        return self.filter(ended_at=None)


class Device(models.Model):
    """One signed-in browser. Lives as long as its session; the person sees it under "My devices"."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="devices", verbose_name=_("person"))
    session_key = models.CharField(max_length=40, unique=True)
    name = models.CharField(_("device"), max_length=120)
    user_agent = models.CharField(max_length=400, blank=True)
    address = models.GenericIPAddressField(_("address"), null=True)
    method = models.CharField(_("signed in by"), max_length=12, choices=SignInMethod)
    created_at = models.DateTimeField(_("signed in at"))
    last_seen_at = models.DateTimeField(_("last seen at"))
    mfa_at = models.DateTimeField(_("second step passed at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    ended_reason = models.CharField(_("why it ended"), max_length=12, choices=DeviceEnd, blank=True)

    objects: ClassVar = DeviceQuerySet.as_manager()

    class Meta:
        verbose_name = _("device")
        verbose_name_plural = _("devices")
        ordering = ("-last_seen_at",)
        indexes = (
            models.Index(fields=("user", "created_at"), condition=models.Q(ended_at=None), name="accounts_device_open"),
        )
        constraints = (
            models.CheckConstraint(
                condition=models.Q(ended_at=None, ended_reason="")
                | (models.Q(ended_at__isnull=False) & ~models.Q(ended_reason="")),
                name="accounts_device_end_has_reason",
            ),
        )

    def __str__(self) -> str:
        return self.name


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self) -> Self:
        """Neither used nor taken back; an expired one is still open, and the next one replaces it."""
        return self.filter(used_at=None, revoked_at=None)

    def unsent(self) -> Self:
        return self.open().filter(queued_at__isnull=False, sent_at=None)


class Invitation(models.Model):
    """A personal, single-use door. Only the SHA-256 of its token is kept, so a resend makes a new token.

    A queued invitation has no token yet: it is made in the moment of sending, so that a copy of the database opens
    no door. `occasion` is what the e-mail says the person is invited to.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="invitations", verbose_name=_("person")
    )
    token_hash = models.BinaryField(max_length=32, null=True, unique=True)
    occasion = models.CharField(_("invited to"), max_length=200, blank=True)
    next_path = models.CharField(max_length=200, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("invited by")
    )
    created_at = models.DateTimeField(_("created at"))
    queued_at = models.DateTimeField(_("to be sent since"), null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveSmallIntegerField(_("failed attempts to send"), default=0)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires at"))
    used_at = models.DateTimeField(_("used at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("withdrawn at"), null=True, blank=True)

    objects: ClassVar = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering = ("-created_at",)
        indexes = (
            models.Index(
                fields=("queued_at",),
                condition=models.Q(sent_at=None, used_at=None, revoked_at=None, queued_at__isnull=False),
                name="accounts_invitation_unsent",
            ),
        )
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
            models.CheckConstraint(
                condition=models.Q(sent_at=None) | models.Q(token_hash__isnull=False),
                name="accounts_invitation_sent_has_token",
            ),
        )

    def __str__(self) -> str:
        return f"{self.user} ({self.created_at:%Y-%m-%d})"

    def state(self, now: datetime) -> InvitationState:
        if self.used_at:
            return InvitationState.USED
        if self.revoked_at:
            return InvitationState.REVOKED
        if self.expires_at <= now:
            return InvitationState.EXPIRED
        if self.sent_at:
            return InvitationState.SENT
        return InvitationState.QUEUED if self.queued_at else InvitationState.HELD


class SignInRequest(models.Model):
    """One asked-for sign-in: the link and the code of the same e-mail. Either consumes it.

    The code only works in the browser that asked (its session holds the row's id); the link works on any device.
    `user` is empty for an address nobody has, so that both cost the same. The secrets are made in the moment of
    sending: until then their hashes are empty and nothing can match. `is_message`: nobody asked, it stands in a message
    (`domain.message_links`) and has no code. `phone_proved_at`: it went to a telephone whose number was proved then,
    and opens only while that very proof stands.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="sign_in_requests")
    link_hash = models.BinaryField(max_length=32, null=True, unique=True)
    code_hash = models.BinaryField(max_length=32, null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    address = models.GenericIPAddressField(null=True)
    next_path = models.CharField(max_length=500, blank=True)
    is_message = models.BooleanField(default=False, db_default=False)
    phone_proved_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("sign-in request")
        verbose_name_plural = _("sign-in requests")
        indexes = (
            models.Index(fields=("user", "created_at"), name="accounts_signin_by_user"),
            models.Index(
                fields=("created_at",),
                condition=models.Q(sent_at=None, used_at=None, user__isnull=False),
                name="accounts_signin_unsent",
            ),
        )
        constraints = (
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("created_at")), name="accounts_signin_expires_later"
            ),
            models.CheckConstraint(
                condition=models.Q(phone_proved_at=None) | models.Q(is_message=True, code_hash=None),
                name="accounts_signin_phone_by_message",
            ),
        )

    def __str__(self) -> str:
        return f"{self.user or '—'} ({self.created_at:%Y-%m-%d %H:%M})"


class AuditEvent(models.Model):
    """Who did or was refused what. Append-only: a trigger refuses UPDATE, DELETE and TRUNCATE."""

    at = models.DateTimeField(_("at"), db_index=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        null=True,
        related_name="+",
        db_constraint=False,
        verbose_name=_("who"),
    )
    action = models.CharField(_("what"), max_length=60, db_index=True)
    subject_type = models.CharField(_("kind of object"), max_length=60, blank=True)
    subject_id = models.CharField(_("object"), max_length=64, blank=True)
    address = models.GenericIPAddressField(_("address"), null=True)
    request_id = models.CharField(_("request"), max_length=64, blank=True)
    details = models.JSONField(_("details"), default=dict)

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit trail")
        ordering = ("-id",)
        indexes = (models.Index(fields=("subject_type", "subject_id"), name="accounts_audit_subject"),)

    def __str__(self) -> str:
        return f"{AUDIT_ACTIONS.get(self.action, self.action)} · {when(self.at)}"


class LimitCounter(models.Model):
    """Counts hits of a limit while Redis is away; a window opens with its first hit. Old rows are swept."""

    key = models.CharField(max_length=200, primary_key=True)
    hits = models.PositiveIntegerField()
    ends_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("limit counter")
        verbose_name_plural = _("limit counters")

    def __str__(self) -> str:
        return f"{self.key}: {self.hits}"


class PendingImport(models.Model):
    """An uploaded list of people, from its rehearsal to its result. Swept after a day."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    created_at = models.DateTimeField()
    purpose = models.CharField(max_length=100)
    file_name = models.CharField(max_length=200)
    content = models.BinaryField()
    lines = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=10, choices=ImportState.choices, default=ImportState.REHEARSING)
    send = models.BooleanField(default=False)
    report = models.JSONField(null=True)
    reason = models.TextField(blank=True)
    failures = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("pending import")
        verbose_name_plural = _("pending imports")

    def __str__(self) -> str:
        return self.file_name
