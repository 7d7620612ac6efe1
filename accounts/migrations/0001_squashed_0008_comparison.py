"""What a new database begins with: all that the migrations which it replaces came to."""

import uuid

import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
import django_countries.fields
import phonenumber_field.modelfields
from django.conf import settings
from django.db import migrations, models

from core.together import CreateModels

# The audit trail takes new rows only, whoever asks: application bugs, the admin, a person with SQL.
AUDIT = """
CREATE FUNCTION accounts_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The audit trail is append-only: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER accounts_audit_no_change BEFORE UPDATE OR DELETE ON accounts_auditevent
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_refuse();
CREATE TRIGGER accounts_audit_no_truncate BEFORE TRUNCATE ON accounts_auditevent
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_audit_refuse();
"""
# That a telephone is its person's holds for one number: a change of the number ends it, whoever makes it.
PHONE = """
CREATE FUNCTION accounts_phone_unproved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.phone_proved_at := NULL;
    RETURN NEW;
END
$$;
CREATE TRIGGER accounts_phone_changed BEFORE UPDATE ON accounts_user
    FOR EACH ROW WHEN (OLD.phone IS DISTINCT FROM NEW.phone AND NEW.phone_proved_at IS NOT NULL)
    EXECUTE FUNCTION accounts_phone_unproved();
"""


class Migration(migrations.Migration):
    initial = True

    replaces = [
        ("accounts", "0001_initial"),
        ("accounts", "0002_audit_append_only"),
        ("accounts", "0003_pending_import_states"),
        ("accounts", "0004_look_up_by_number_and_name"),
        ("accounts", "0005_ask_for_erasure"),
        ("accounts", "0006_message_links"),
        ("accounts", "0007_phone_proofs"),
        ("accounts", "0008_comparison"),
    ]

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        CreateModels(
            [
                migrations.CreateModel(
                    name="LimitCounter",
                    fields=[
                        ("key", models.CharField(max_length=200, primary_key=True, serialize=False)),
                        ("hits", models.PositiveIntegerField()),
                        ("ends_at", models.DateTimeField(db_index=True)),
                    ],
                    options={
                        "verbose_name": "limit counter",
                        "verbose_name_plural": "limit counters",
                    },
                ),
                migrations.CreateModel(
                    name="User",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("password", models.CharField(max_length=128, verbose_name="password")),
                        ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                        (
                            "is_superuser",
                            models.BooleanField(
                                default=False,
                                help_text="Designates that this user has all permissions without explicitly assigning them.",
                                verbose_name="superuser status",
                            ),
                        ),
                        ("email", models.EmailField(max_length=254, unique=True, verbose_name="e-mail address")),
                        (
                            "title",
                            models.CharField(
                                blank=True, help_text="For example Dr or Prof.", max_length=30, verbose_name="title"
                            ),
                        ),
                        ("first_name", models.CharField(blank=True, max_length=100, verbose_name="first name")),
                        ("last_name", models.CharField(blank=True, max_length=100, verbose_name="last name")),
                        ("specialty", models.CharField(blank=True, max_length=120, verbose_name="specialty")),
                        (
                            "country",
                            django_countries.fields.CountryField(blank=True, max_length=2, verbose_name="country"),
                        ),
                        ("timezone", models.CharField(default="UTC", max_length=64, verbose_name="time zone")),
                        (
                            "timezone_confirmed_at",
                            models.DateTimeField(blank=True, null=True, verbose_name="time zone confirmed at"),
                        ),
                        ("language", models.CharField(default="en", max_length=12, verbose_name="language")),
                        (
                            "phone",
                            phonenumber_field.modelfields.PhoneNumberField(
                                blank=True, max_length=128, region=None, verbose_name="phone"
                            ),
                        ),
                        (
                            "medical_council",
                            models.CharField(blank=True, max_length=120, verbose_name="medical council"),
                        ),
                        (
                            "registration_number",
                            models.CharField(blank=True, max_length=60, verbose_name="registration number"),
                        ),
                        ("is_active", models.BooleanField(default=True, verbose_name="active")),
                        ("is_staff", models.BooleanField(default=False, verbose_name="may open the admin")),
                        (
                            "created_at",
                            models.DateTimeField(
                                default=django.utils.timezone.now, editable=False, verbose_name="created at"
                            ),
                        ),
                        (
                            "groups",
                            models.ManyToManyField(
                                blank=True,
                                help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                                related_name="user_set",
                                related_query_name="user",
                                to="auth.group",
                                verbose_name="groups",
                            ),
                        ),
                        (
                            "user_permissions",
                            models.ManyToManyField(
                                blank=True,
                                help_text="Specific permissions for this user.",
                                related_name="user_set",
                                related_query_name="user",
                                to="auth.permission",
                                verbose_name="user permissions",
                            ),
                        ),
                        (
                            "erasure_asked_at",
                            models.DateTimeField(editable=False, null=True, verbose_name="asked to be erased at"),
                        ),
                        ("erasure_told_at", models.DateTimeField(editable=False, null=True)),
                        (
                            "phone_proved_at",
                            models.DateTimeField(editable=False, null=True, verbose_name="phone confirmed at"),
                        ),
                        (
                            "compares_progress",
                            models.BooleanField(
                                db_default=False,
                                default=False,
                                editable=False,
                                verbose_name="compares their progress with others",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "person",
                        "verbose_name_plural": "people",
                        "ordering": ("last_name", "first_name", "id"),
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("email", django.db.models.functions.text.Lower("email"))),
                                name="accounts_user_email_lower_case",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("email", ""), _negated=True), name="accounts_user_email_given"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("phone_proved_at", None), models.Q(("phone", ""), _negated=True), _connector="OR"
                                ),
                                name="accounts_user_proof_of_a_number",
                            ),
                        ],
                        "indexes": [
                            models.Index(
                                django.db.models.functions.text.Upper(
                                    models.Func(
                                        models.F("registration_number"),
                                        models.Value(" .-/_\t"),
                                        models.Value(""),
                                        function="translate",
                                    )
                                ),
                                name="accounts_user_loose_number",
                            ),
                            models.Index(
                                django.db.models.functions.text.Lower("last_name"),
                                django.db.models.functions.text.Lower("first_name"),
                                name="accounts_user_lower_name",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="AuditEvent",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("at", models.DateTimeField(db_index=True, verbose_name="at")),
                        ("action", models.CharField(db_index=True, max_length=60, verbose_name="what")),
                        ("subject_type", models.CharField(blank=True, max_length=60, verbose_name="kind of object")),
                        ("subject_id", models.CharField(blank=True, max_length=64, verbose_name="object")),
                        ("address", models.GenericIPAddressField(null=True, verbose_name="address")),
                        ("request_id", models.CharField(blank=True, max_length=64, verbose_name="request")),
                        ("details", models.JSONField(default=dict, verbose_name="details")),
                        (
                            "actor",
                            models.ForeignKey(
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                                verbose_name="who",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "audit event",
                        "verbose_name_plural": "audit trail",
                        "ordering": ("-id",),
                        "indexes": [models.Index(fields=["subject_type", "subject_id"], name="accounts_audit_subject")],
                    },
                ),
                migrations.CreateModel(
                    name="Device",
                    fields=[
                        ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ("session_key", models.CharField(max_length=40, unique=True)),
                        ("name", models.CharField(max_length=120, verbose_name="device")),
                        ("user_agent", models.CharField(blank=True, max_length=400)),
                        ("address", models.GenericIPAddressField(null=True, verbose_name="address")),
                        (
                            "method",
                            models.CharField(
                                choices=[
                                    ("invitation", "Invitation"),
                                    ("link", "One-tap link"),
                                    ("code", "E-mailed code"),
                                    ("password", "Password"),
                                    ("passkey", "Passkey"),
                                ],
                                max_length=12,
                                verbose_name="signed in by",
                            ),
                        ),
                        ("created_at", models.DateTimeField(verbose_name="signed in at")),
                        ("last_seen_at", models.DateTimeField(verbose_name="last seen at")),
                        ("mfa_at", models.DateTimeField(blank=True, null=True, verbose_name="second step passed at")),
                        ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="ended at")),
                        (
                            "ended_reason",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("signed_out", "Signed out"),
                                    ("replaced", "A newer device took its place"),
                                    ("revoked", "Signed out from another device"),
                                    ("disabled", "Account disabled"),
                                    ("password", "Password changed"),
                                    ("expired", "Expired"),
                                ],
                                max_length=12,
                                verbose_name="why it ended",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="devices",
                                to=settings.AUTH_USER_MODEL,
                                verbose_name="person",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "device",
                        "verbose_name_plural": "devices",
                        "ordering": ("-last_seen_at",),
                        "indexes": [
                            models.Index(
                                condition=models.Q(("ended_at", None)),
                                fields=["user", "created_at"],
                                name="accounts_device_open",
                            )
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("ended_at", None), ("ended_reason", "")),
                                    models.Q(
                                        ("ended_at__isnull", False), models.Q(("ended_reason", ""), _negated=True)
                                    ),
                                    _connector="OR",
                                ),
                                name="accounts_device_end_has_reason",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Invitation",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("token_hash", models.BinaryField(max_length=32, null=True, unique=True)),
                        ("occasion", models.CharField(blank=True, max_length=200, verbose_name="invited to")),
                        ("next_path", models.CharField(blank=True, max_length=200)),
                        ("created_at", models.DateTimeField(verbose_name="created at")),
                        ("queued_at", models.DateTimeField(blank=True, null=True, verbose_name="to be sent since")),
                        ("claimed_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "failures",
                            models.PositiveSmallIntegerField(default=0, verbose_name="failed attempts to send"),
                        ),
                        ("sent_at", models.DateTimeField(blank=True, null=True, verbose_name="sent at")),
                        ("expires_at", models.DateTimeField(verbose_name="expires at")),
                        ("used_at", models.DateTimeField(blank=True, null=True, verbose_name="used at")),
                        ("revoked_at", models.DateTimeField(blank=True, null=True, verbose_name="withdrawn at")),
                        (
                            "created_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                                verbose_name="invited by",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="invitations",
                                to=settings.AUTH_USER_MODEL,
                                verbose_name="person",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "invitation",
                        "verbose_name_plural": "invitations",
                        "ordering": ("-created_at",),
                        "indexes": [
                            models.Index(
                                condition=models.Q(
                                    ("queued_at__isnull", False),
                                    ("revoked_at", None),
                                    ("sent_at", None),
                                    ("used_at", None),
                                ),
                                fields=["queued_at"],
                                name="accounts_invitation_unsent",
                            )
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("revoked_at", None), ("used_at", None)),
                                fields=("user",),
                                name="accounts_invitation_one_open",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("expires_at__gt", models.F("created_at"))),
                                name="accounts_invitation_expires_later",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("used_at", None), ("revoked_at", None), _connector="OR"),
                                name="accounts_invitation_used_or_revoked",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("sent_at", None), ("token_hash__isnull", False), _connector="OR"),
                                name="accounts_invitation_sent_has_token",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="PendingImport",
                    fields=[
                        ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ("created_at", models.DateTimeField()),
                        ("purpose", models.CharField(max_length=100)),
                        ("file_name", models.CharField(max_length=200)),
                        ("content", models.BinaryField()),
                        (
                            "created_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("failures", models.PositiveSmallIntegerField(default=0)),
                        ("lines", models.PositiveIntegerField(default=0)),
                        ("reason", models.TextField(blank=True)),
                        ("report", models.JSONField(null=True)),
                        ("send", models.BooleanField(default=False)),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("rehearsing", "Being looked through"),
                                    ("rehearsed", "Waits for a decision"),
                                    ("importing", "Being written"),
                                    ("done", "Written"),
                                    ("failed", "Could not be used"),
                                ],
                                default="rehearsing",
                                max_length=10,
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "pending import",
                        "verbose_name_plural": "pending imports",
                    },
                ),
                migrations.CreateModel(
                    name="SignInRequest",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("link_hash", models.BinaryField(max_length=32, null=True, unique=True)),
                        ("code_hash", models.BinaryField(max_length=32, null=True)),
                        ("attempts", models.PositiveSmallIntegerField(default=0)),
                        ("address", models.GenericIPAddressField(null=True)),
                        ("next_path", models.CharField(blank=True, max_length=500)),
                        ("created_at", models.DateTimeField()),
                        ("claimed_at", models.DateTimeField(blank=True, null=True)),
                        ("sent_at", models.DateTimeField(blank=True, null=True)),
                        ("expires_at", models.DateTimeField()),
                        ("used_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "user",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="sign_in_requests",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("is_message", models.BooleanField(db_default=False, default=False)),
                        ("phone_proved_at", models.DateTimeField(null=True)),
                    ],
                    options={
                        "verbose_name": "sign-in request",
                        "verbose_name_plural": "sign-in requests",
                        "indexes": [
                            models.Index(fields=["user", "created_at"], name="accounts_signin_by_user"),
                            models.Index(
                                condition=models.Q(("sent_at", None), ("used_at", None), ("user__isnull", False)),
                                fields=["created_at"],
                                name="accounts_signin_unsent",
                            ),
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("expires_at__gt", models.F("created_at"))),
                                name="accounts_signin_expires_later",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("phone_proved_at", None),
                                    models.Q(("code_hash", None), ("is_message", True)),
                                    _connector="OR",
                                ),
                                name="accounts_signin_phone_by_message",
                            ),
                        ],
                    },
                ),
            ]
        ),
        migrations.RunSQL(AUDIT, "DROP FUNCTION accounts_audit_refuse() CASCADE"),
        migrations.RunSQL(PHONE, "DROP FUNCTION accounts_phone_unproved() CASCADE"),
    ]
