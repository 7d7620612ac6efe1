"""What a new database begins with: all that the migrations which it replaces came to."""

import datetime as dt
import uuid

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

from core.together import CreateModels

# What somebody said about being written to stays as it was said, whoever asks.
CONSENTS = """
CREATE FUNCTION reminders_consent_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Consents are append-only: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER reminders_consent_no_change BEFORE UPDATE OR DELETE ON reminders_consentrecord
    FOR EACH ROW EXECUTE FUNCTION reminders_consent_refuse();
CREATE TRIGGER reminders_consent_no_truncate BEFORE TRUNCATE ON reminders_consentrecord
    FOR EACH STATEMENT EXECUTE FUNCTION reminders_consent_refuse();
"""


class Migration(migrations.Migration):
    initial = True

    replaces = [
        ("reminders", "0001_initial"),
        ("reminders", "0002_consent_append_only"),
        ("reminders", "0003_outcome_started"),
        ("reminders", "0004_deliveries_by_their_end"),
        ("reminders", "0005_deliveries_of_a_person_about"),
        ("reminders", "0006_more_reasons_not_to_send"),
        ("reminders", "0007_campaign_next_channel"),
        ("reminders", "0008_lost_claims"),
        ("reminders", "0009_phone_codes"),
        ("reminders", "0010_sponsors_and_freed_addresses"),
    ]

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("accounts", "0001_squashed_0008_comparison"),
        ("courses", "0001_squashed_0006_lessons_by_their_completion"),
        ("webinars", "0001_squashed_0013_find_sessions_by_start"),
    ]

    operations = [
        CreateModels(
            [
                migrations.CreateModel(
                    name="MessageTemplate",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("invitation", "Invitation"),
                                    ("invitation_nudge", "Invitation, first nudge"),
                                    ("invitation_last", "Invitation, last nudge"),
                                    ("registered", "Registration confirmed"),
                                    ("week_before", "A week before"),
                                    ("day_before", "A day before"),
                                    ("hour_before", "An hour before"),
                                    ("soon", "Ten minutes before"),
                                    ("live", "We are live"),
                                    ("moved", "The webinar was moved"),
                                    ("cancelled", "The webinar is cancelled"),
                                    ("recording_ready", "Missed it: the recording is ready"),
                                    ("left_early", "You left early: go on where you stopped"),
                                    ("evaluation", "Feedback asked for"),
                                    ("course_completed", "Course completed"),
                                    ("weekly_progress", "Progress of the week"),
                                    ("certificate_ready", "Certificate ready"),
                                    ("programme_closing", "The programme closes soon"),
                                    ("campaign", "Campaign"),
                                    ("test", "Test"),
                                ],
                                max_length=20,
                                verbose_name="message",
                            ),
                        ),
                        (
                            "channel",
                            models.CharField(
                                choices=[
                                    ("email", "E-mail"),
                                    ("whatsapp", "WhatsApp"),
                                    ("sms", "SMS"),
                                    ("inbox", "Messages on this site"),
                                    ("push", "Notices in the browser"),
                                ],
                                max_length=8,
                                verbose_name="channel",
                            ),
                        ),
                        ("language", models.CharField(max_length=12, verbose_name="language")),
                        ("version", models.PositiveSmallIntegerField(default=1, editable=False)),
                        ("is_current", models.BooleanField(default=True, editable=False)),
                        ("subject", models.CharField(blank=True, max_length=200, verbose_name="subject")),
                        (
                            "preheader",
                            models.CharField(blank=True, max_length=200, verbose_name="line shown beside the subject"),
                        ),
                        ("body", models.TextField(blank=True, max_length=8000, verbose_name="text")),
                        ("button", models.CharField(blank=True, max_length=60, verbose_name="words on the button")),
                        (
                            "approved_name",
                            models.CharField(blank=True, max_length=120, verbose_name="approved template"),
                        ),
                        (
                            "approved_places",
                            models.JSONField(blank=True, default=list, verbose_name="placeholders in order"),
                        ),
                        ("used_at", models.DateTimeField(editable=False, null=True, verbose_name="first used at")),
                        (
                            "template_set",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="templates",
                                to="reminders.templateset",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "message template",
                        "verbose_name_plural": "message templates",
                        "ordering": ("template_set", "kind", "channel", "language", "-version"),
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("template_set", "kind", "channel", "language", "version"),
                                name="reminders_template_version",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("is_current", True)),
                                fields=("template_set", "kind", "channel", "language"),
                                name="reminders_template_one_current",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("approved_name__gt", ""), ("channel", "whatsapp")),
                                    models.Q(("channel", "whatsapp"), _negated=True),
                                    _connector="OR",
                                ),
                                name="reminders_template_whatsapp_approved",
                                violation_error_message="WhatsApp sends only templates that were approved there: give its name.",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="TemplateSet",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("title", models.CharField(max_length=120, unique=True, verbose_name="title")),
                        (
                            "is_builtin",
                            models.BooleanField(default=False, editable=False, verbose_name="comes with the product"),
                        ),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        "verbose_name": "template set",
                        "verbose_name_plural": "template sets",
                        "ordering": ("title",),
                    },
                ),
                migrations.CreateModel(
                    name="CalendarFeed",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("token_hash", models.BinaryField(max_length=32, unique=True)),
                        ("made_at", models.DateTimeField()),
                        ("read_at", models.DateTimeField(null=True)),
                        (
                            "user",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="calendar_feed",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "calendar feed",
                        "verbose_name_plural": "calendar feeds",
                    },
                ),
                migrations.CreateModel(
                    name="Campaign",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("title", models.CharField(max_length=120, verbose_name="title")),
                        ("audience", models.JSONField(default=dict, verbose_name="audience")),
                        ("texts", models.JSONField(default=dict, verbose_name="texts")),
                        ("path", models.CharField(blank=True, max_length=200, verbose_name="page it leads to")),
                        (
                            "channels",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(
                                    choices=[
                                        ("email", "E-mail"),
                                        ("whatsapp", "WhatsApp"),
                                        ("sms", "SMS"),
                                        ("inbox", "Messages on this site"),
                                        ("push", "Notices in the browser"),
                                    ],
                                    max_length=8,
                                ),
                                size=None,
                                verbose_name="channels, in order",
                            ),
                        ),
                        (
                            "local_at",
                            models.CharField(
                                blank=True, max_length=16, verbose_name="at this hour of the doctor's day"
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("draft", "Draft"),
                                    ("scheduled", "Scheduled"),
                                    ("running", "Being sent"),
                                    ("done", "Done"),
                                    ("stopped", "Stopped"),
                                ],
                                default="draft",
                                max_length=9,
                                verbose_name="state",
                            ),
                        ),
                        ("made_at", models.DateTimeField(verbose_name="made at")),
                        ("scheduled_at", models.DateTimeField(editable=False, null=True, verbose_name="scheduled at")),
                        ("started_at", models.DateTimeField(editable=False, null=True, verbose_name="started at")),
                        ("ended_at", models.DateTimeField(editable=False, null=True, verbose_name="ended at")),
                        (
                            "made_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "programme",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="campaigns",
                                to="courses.programme",
                            ),
                        ),
                        (
                            "fallback_minutes",
                            models.PositiveIntegerField(
                                blank=True, null=True, verbose_name="minutes until the next channel"
                            ),
                        ),
                        (
                            "why_stopped",
                            models.CharField(
                                blank=True, db_default="", default="", max_length=300, verbose_name="why it was stopped"
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "campaign",
                        "verbose_name_plural": "campaigns",
                        "ordering": ("-made_at",),
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("channels__len__gte", 1)), name="reminders_campaign_has_channel"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("state__in", ("done", "stopped")), _negated=True),
                                    ("ended_at__isnull", False),
                                    _connector="OR",
                                ),
                                name="reminders_campaign_ended",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ChannelChoice",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "channel",
                            models.CharField(
                                choices=[
                                    ("email", "E-mail"),
                                    ("whatsapp", "WhatsApp"),
                                    ("sms", "SMS"),
                                    ("inbox", "Messages on this site"),
                                    ("push", "Notices in the browser"),
                                ],
                                max_length=8,
                                verbose_name="channel",
                            ),
                        ),
                        ("is_on", models.BooleanField(verbose_name="wanted")),
                        ("changed_at", models.DateTimeField(verbose_name="changed at")),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="channel_choices",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "channel choice",
                        "verbose_name_plural": "channel choices",
                        "constraints": [
                            models.UniqueConstraint(fields=("user", "channel"), name="reminders_choice_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ConsentRecord",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "channel",
                            models.CharField(
                                choices=[
                                    ("email", "E-mail"),
                                    ("whatsapp", "WhatsApp"),
                                    ("sms", "SMS"),
                                    ("inbox", "Messages on this site"),
                                    ("push", "Notices in the browser"),
                                ],
                                max_length=8,
                                verbose_name="channel",
                            ),
                        ),
                        ("is_on", models.BooleanField(verbose_name="wanted")),
                        (
                            "source",
                            models.CharField(
                                choices=[
                                    ("default", "With the invitation"),
                                    ("profile", "On the profile page"),
                                    ("unsubscribe", "By the link in a message"),
                                    ("stop", "By answering STOP"),
                                    ("start", "By answering START"),
                                    ("complaint", "Marked as unwanted at the mail provider"),
                                    ("office", "By the office"),
                                ],
                                max_length=12,
                                verbose_name="how",
                            ),
                        ),
                        ("wording", models.CharField(blank=True, max_length=500, verbose_name="words agreed to")),
                        ("at", models.DateTimeField(verbose_name="at")),
                        (
                            "actor",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="consent_records",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "consent",
                        "verbose_name_plural": "consents",
                        "ordering": ("-at", "-pk"),
                        "indexes": [models.Index(fields=["user", "channel", "-at"], name="reminders_consent_person")],
                    },
                ),
                migrations.CreateModel(
                    name="Delivery",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("key", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("invitation", "Invitation"),
                                    ("invitation_nudge", "Invitation, first nudge"),
                                    ("invitation_last", "Invitation, last nudge"),
                                    ("registered", "Registration confirmed"),
                                    ("week_before", "A week before"),
                                    ("day_before", "A day before"),
                                    ("hour_before", "An hour before"),
                                    ("soon", "Ten minutes before"),
                                    ("live", "We are live"),
                                    ("moved", "The webinar was moved"),
                                    ("cancelled", "The webinar is cancelled"),
                                    ("recording_ready", "Missed it: the recording is ready"),
                                    ("left_early", "You left early: go on where you stopped"),
                                    ("evaluation", "Feedback asked for"),
                                    ("course_completed", "Course completed"),
                                    ("weekly_progress", "Progress of the week"),
                                    ("certificate_ready", "Certificate ready"),
                                    ("programme_closing", "The programme closes soon"),
                                    ("campaign", "Campaign"),
                                    ("test", "Test"),
                                ],
                                max_length=20,
                                verbose_name="message",
                            ),
                        ),
                        ("subject", models.CharField(max_length=60, verbose_name="about")),
                        ("slot", models.CharField(blank=True, max_length=40)),
                        (
                            "channel",
                            models.CharField(
                                choices=[
                                    ("email", "E-mail"),
                                    ("whatsapp", "WhatsApp"),
                                    ("sms", "SMS"),
                                    ("inbox", "Messages on this site"),
                                    ("push", "Notices in the browser"),
                                ],
                                max_length=8,
                                verbose_name="channel",
                            ),
                        ),
                        ("is_urgent", models.BooleanField(default=False)),
                        ("due_at", models.DateTimeField(verbose_name="due at")),
                        ("expires_at", models.DateTimeField(verbose_name="of no use after")),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("planned", "Planned"),
                                    ("claimed", "About to be sent"),
                                    ("sending", "Being handed over"),
                                    ("sent", "Sent"),
                                    ("failed", "Failed"),
                                    ("unknown", "Not known whether sent"),
                                    ("skipped", "Not sent, for a reason"),
                                ],
                                default="planned",
                                max_length=8,
                                verbose_name="state",
                            ),
                        ),
                        (
                            "skip_reason",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("cancelled", "The webinar was cancelled"),
                                    ("moved", "The webinar was moved"),
                                    ("done", "The doctor has done it already"),
                                    ("gone", "It does not hold for the doctor any more"),
                                    ("switched_off", "The journey was switched off"),
                                    ("no_way", "This site does not send by this channel"),
                                    ("not_enrolled", "The doctor has no place any more"),
                                    ("opted_out", "The doctor does not want this channel"),
                                    ("suppressed", "The address does not take messages"),
                                    ("no_address", "No address for this channel"),
                                    ("no_template", "No template for this channel"),
                                    ("too_late", "Its time had passed"),
                                    ("capped", "Enough messages for now"),
                                    ("stopped", "Stopped by the office"),
                                    ("sponsor", "Its words name a sponsor"),
                                    ("not_needed", "An earlier channel reached the doctor"),
                                ],
                                max_length=14,
                                verbose_name="why not",
                            ),
                        ),
                        ("claim", models.UUIDField(editable=False, null=True)),
                        ("claimed_at", models.DateTimeField(editable=False, null=True)),
                        ("tries", models.PositiveSmallIntegerField(default=0, verbose_name="tries")),
                        ("error", models.CharField(blank=True, max_length=300, verbose_name="last error")),
                        ("ended_at", models.DateTimeField(null=True, verbose_name="ended at")),
                        ("address_digest", models.BinaryField(max_length=32, null=True)),
                        ("transport", models.CharField(blank=True, max_length=20, verbose_name="sent by")),
                        (
                            "provider_id",
                            models.CharField(blank=True, max_length=200, verbose_name="number at the provider"),
                        ),
                        ("segments", models.PositiveSmallIntegerField(null=True, verbose_name="parts")),
                        ("delivered_at", models.DateTimeField(null=True, verbose_name="delivered at")),
                        ("bounced_at", models.DateTimeField(null=True, verbose_name="bounced at")),
                        ("read_at", models.DateTimeField(null=True, verbose_name="opened at")),
                        ("followed_at", models.DateTimeField(null=True, verbose_name="link followed at")),
                        (
                            "campaign",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="deliveries",
                                to="reminders.campaign",
                            ),
                        ),
                        (
                            "fallback_of",
                            models.OneToOneField(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="fallback",
                                to="reminders.delivery",
                            ),
                        ),
                        (
                            "programme",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="deliveries",
                                to="courses.programme",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="deliveries",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "template",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="deliveries",
                                to="reminders.messagetemplate",
                            ),
                        ),
                        ("lost_claim", models.UUIDField(editable=False, null=True)),
                        ("ask_at", models.DateTimeField(editable=False, null=True)),
                    ],
                    options={
                        "verbose_name": "delivery",
                        "verbose_name_plural": "deliveries",
                        "ordering": ("-due_at", "-pk"),
                        "indexes": [
                            models.Index(
                                condition=models.Q(("state", "planned")),
                                fields=["due_at", "id"],
                                name="reminders_delivery_due",
                            ),
                            models.Index(
                                condition=models.Q(("state__in", ("claimed", "sending"))),
                                fields=["claimed_at"],
                                name="reminders_delivery_leased",
                            ),
                            models.Index(fields=["user", "due_at"], name="reminders_delivery_person"),
                            models.Index(
                                condition=models.Q(("ended_at__isnull", False)),
                                fields=["ended_at"],
                                name="reminders_delivery_ended_at",
                            ),
                            models.Index(fields=["subject", "kind", "user"], name="reminders_delivery_about"),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("kind", "subject", "user", "channel", "slot"), name="reminders_delivery_once"
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("provider_id", ""), _negated=True),
                                fields=("transport", "provider_id"),
                                name="reminders_delivery_provider_id",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("expires_at__gt", models.F("due_at"))),
                                name="reminders_delivery_expires_later",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("claim__isnull", False),
                                        ("claimed_at__isnull", False),
                                        ("state__in", ("claimed", "sending")),
                                    ),
                                    models.Q(
                                        models.Q(("state__in", ("claimed", "sending")), _negated=True), ("claim", None)
                                    ),
                                    _connector="OR",
                                ),
                                name="reminders_delivery_claim",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("ended_at__isnull", False),
                                        ("state__in", ("sent", "failed", "unknown", "skipped")),
                                    ),
                                    models.Q(
                                        models.Q(
                                            ("state__in", ("sent", "failed", "unknown", "skipped")), _negated=True
                                        ),
                                        ("ended_at", None),
                                    ),
                                    _connector="OR",
                                ),
                                name="reminders_delivery_ended",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("state", "skipped"), models.Q(("skip_reason", ""), _negated=True)),
                                    models.Q(models.Q(("state", "skipped"), _negated=True), ("skip_reason", "")),
                                    _connector="OR",
                                ),
                                name="reminders_delivery_skipped_why",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="InboxItem",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("subject", models.CharField(max_length=200, verbose_name="subject")),
                        ("body", models.TextField(max_length=8000, verbose_name="text")),
                        ("button", models.CharField(blank=True, max_length=60)),
                        ("path", models.CharField(blank=True, max_length=200)),
                        ("made_at", models.DateTimeField()),
                        ("read_at", models.DateTimeField(null=True)),
                        (
                            "delivery",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="inbox_item",
                                to="reminders.delivery",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="inbox_items",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("label", models.CharField(blank=True, db_default="", default="", max_length=300)),
                    ],
                    options={
                        "verbose_name": "message on the site",
                        "verbose_name_plural": "messages on the site",
                        "ordering": ("-made_at", "-pk"),
                        "indexes": [
                            models.Index(fields=["user", "-made_at"], name="reminders_inbox_person"),
                            models.Index(
                                condition=models.Q(("read_at", None)), fields=["user"], name="reminders_inbox_unread"
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Journey",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("invitation", "Invitation"),
                                    ("invitation_nudge", "Invitation, first nudge"),
                                    ("invitation_last", "Invitation, last nudge"),
                                    ("registered", "Registration confirmed"),
                                    ("week_before", "A week before"),
                                    ("day_before", "A day before"),
                                    ("hour_before", "An hour before"),
                                    ("soon", "Ten minutes before"),
                                    ("live", "We are live"),
                                    ("moved", "The webinar was moved"),
                                    ("cancelled", "The webinar is cancelled"),
                                    ("recording_ready", "Missed it: the recording is ready"),
                                    ("left_early", "You left early: go on where you stopped"),
                                    ("evaluation", "Feedback asked for"),
                                    ("course_completed", "Course completed"),
                                    ("weekly_progress", "Progress of the week"),
                                    ("certificate_ready", "Certificate ready"),
                                    ("programme_closing", "The programme closes soon"),
                                    ("campaign", "Campaign"),
                                    ("test", "Test"),
                                ],
                                max_length=20,
                                verbose_name="message",
                            ),
                        ),
                        ("is_on", models.BooleanField(default=True, verbose_name="on")),
                        ("offset_minutes", models.IntegerField(default=0, verbose_name="minutes from the event")),
                        (
                            "local_time",
                            models.TimeField(blank=True, null=True, verbose_name="at this hour of the doctor's day"),
                        ),
                        (
                            "channels",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(
                                    choices=[
                                        ("email", "E-mail"),
                                        ("whatsapp", "WhatsApp"),
                                        ("sms", "SMS"),
                                        ("inbox", "Messages on this site"),
                                        ("push", "Notices in the browser"),
                                    ],
                                    max_length=8,
                                ),
                                size=None,
                                verbose_name="channels, in order",
                            ),
                        ),
                        (
                            "fallback_minutes",
                            models.PositiveIntegerField(
                                blank=True, null=True, verbose_name="minutes until the next channel"
                            ),
                        ),
                        (
                            "is_urgent",
                            models.BooleanField(default=False, verbose_name="may break quiet hours and limits"),
                        ),
                        (
                            "programme",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="journeys",
                                to="courses.programme",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "journey",
                        "verbose_name_plural": "journeys",
                        "ordering": ("programme", "kind"),
                        "constraints": [
                            models.UniqueConstraint(fields=("programme", "kind"), name="reminders_journey_once"),
                            models.CheckConstraint(
                                condition=models.Q(("channels__len__gte", 1)), name="reminders_journey_has_channel"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("fallback_minutes", None), ("fallback_minutes__gte", 1), _connector="OR"
                                ),
                                name="reminders_journey_fallback",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ProviderEvent",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("transport", models.CharField(max_length=20)),
                        ("event_id", models.CharField(max_length=200)),
                        (
                            "outcome",
                            models.CharField(
                                choices=[
                                    ("accepted", "Accepted"),
                                    ("delivered", "Delivered"),
                                    ("bounced", "Bounced"),
                                    ("failed", "Failed"),
                                    ("read", "Opened"),
                                    ("clicked", "Link followed"),
                                    ("complained", "Marked as unwanted"),
                                    ("stopped", "Answered STOP"),
                                    ("started", "Answered START"),
                                ],
                                max_length=10,
                            ),
                        ),
                        ("happened_at", models.DateTimeField()),
                        ("received_at", models.DateTimeField()),
                        ("details", models.JSONField(default=dict)),
                        (
                            "delivery",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="events",
                                to="reminders.delivery",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "provider's event",
                        "verbose_name_plural": "provider's events",
                        "indexes": [models.Index(fields=["received_at"], name="reminders_event_received")],
                        "constraints": [
                            models.UniqueConstraint(fields=("transport", "event_id"), name="reminders_event_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="PushSubscription",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("endpoint", models.URLField(max_length=1000)),
                        ("endpoint_digest", models.BinaryField(max_length=32, unique=True)),
                        ("p256dh", models.CharField(max_length=120)),
                        ("auth", models.CharField(max_length=40)),
                        ("device", models.CharField(blank=True, max_length=120)),
                        ("made_at", models.DateTimeField()),
                        ("ended_at", models.DateTimeField(null=True)),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="push_subscriptions",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "signed_in",
                            models.ForeignKey(
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="accounts.device",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "browser for notices",
                        "verbose_name_plural": "browsers for notices",
                        "indexes": [
                            models.Index(
                                condition=models.Q(("ended_at", None)), fields=["user"], name="reminders_push_person"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ScheduleRevision",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("number", models.PositiveIntegerField()),
                        ("title", models.CharField(max_length=200)),
                        ("starts_at", models.DateTimeField()),
                        ("minutes", models.PositiveSmallIntegerField()),
                        ("is_cancelled", models.BooleanField(default=False)),
                        ("noticed_at", models.DateTimeField()),
                        (
                            "webinar",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="schedule_revisions",
                                to="webinars.webinar",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "announced date",
                        "verbose_name_plural": "announced dates",
                        "ordering": ("webinar", "-number"),
                        "constraints": [
                            models.UniqueConstraint(fields=("webinar", "number"), name="reminders_revision_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Suppression",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "channel",
                            models.CharField(
                                choices=[
                                    ("email", "E-mail"),
                                    ("whatsapp", "WhatsApp"),
                                    ("sms", "SMS"),
                                    ("inbox", "Messages on this site"),
                                    ("push", "Notices in the browser"),
                                ],
                                max_length=8,
                                verbose_name="channel",
                            ),
                        ),
                        ("address_digest", models.BinaryField(max_length=32)),
                        (
                            "reason",
                            models.CharField(
                                choices=[
                                    ("hard_bounce", "The address does not exist"),
                                    ("complaint", "Marked as unwanted"),
                                    ("stop", "Answered STOP"),
                                    ("invalid", "Refused as no valid address"),
                                ],
                                max_length=12,
                                verbose_name="why",
                            ),
                        ),
                        ("since", models.DateTimeField(verbose_name="since")),
                        ("lifted_at", models.DateTimeField(null=True, verbose_name="lifted at")),
                        (
                            "keyed_with",
                            models.CharField(blank=True, db_default="", default="", editable=False, max_length=8),
                        ),
                        (
                            "lifted_by",
                            models.ForeignKey(
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                                verbose_name="lifted by",
                            ),
                        ),
                        (
                            "lifted_why",
                            models.CharField(
                                blank=True, db_default="", default="", max_length=200, verbose_name="why lifted"
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "suppressed address",
                        "verbose_name_plural": "suppressed addresses",
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("lifted_at", None)),
                                fields=("channel", "address_digest"),
                                name="reminders_suppressed_once",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="MessagePolicy",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("is_on", models.BooleanField(default=False, verbose_name="messages are sent")),
                        ("sender_name", models.CharField(blank=True, max_length=80, verbose_name="sender's name")),
                        ("reply_to", models.EmailField(blank=True, max_length=254, verbose_name="answers go to")),
                        ("quiet_from", models.TimeField(default=dt.time(21, 0), verbose_name="quiet from")),
                        ("quiet_until", models.TimeField(default=dt.time(8, 0), verbose_name="quiet until")),
                        (
                            "most_a_day",
                            models.PositiveSmallIntegerField(
                                default=3,
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(20),
                                ],
                                verbose_name="messages a day at most",
                            ),
                        ),
                        (
                            "most_a_week",
                            models.PositiveSmallIntegerField(
                                default=8,
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(70),
                                ],
                                verbose_name="messages a week at most",
                            ),
                        ),
                        (
                            "programme",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="message_policy",
                                to="courses.programme",
                            ),
                        ),
                        (
                            "template_set",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="policies",
                                to="reminders.templateset",
                            ),
                        ),
                        (
                            "may_name_sponsors",
                            models.BooleanField(
                                db_default=False,
                                default=False,
                                help_text="Off: no message names a sponsor. On: e-mails and messages on the site say it in a line of its own.",
                                verbose_name="messages say who supports the programme",
                            ),
                        ),
                        (
                            "sponsors",
                            models.TextField(
                                blank=True,
                                db_default="",
                                default="",
                                help_text="A name a line. The words of messages may not name them, whether the box above is ticked or not.",
                                max_length=1000,
                                verbose_name="who supports the programme",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "messages of a programme",
                        "verbose_name_plural": "messages of programmes",
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("most_a_day__gte", 1), ("most_a_week__gte", 1)),
                                name="reminders_policy_caps",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="PhoneCode",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("key", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                        ("number", models.CharField(max_length=16)),
                        (
                            "via",
                            models.CharField(
                                choices=[
                                    ("email", "E-mail"),
                                    ("whatsapp", "WhatsApp"),
                                    ("sms", "SMS"),
                                    ("inbox", "Messages on this site"),
                                    ("push", "Notices in the browser"),
                                ],
                                max_length=8,
                            ),
                        ),
                        (
                            "channels",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(
                                    choices=[
                                        ("email", "E-mail"),
                                        ("whatsapp", "WhatsApp"),
                                        ("sms", "SMS"),
                                        ("inbox", "Messages on this site"),
                                        ("push", "Notices in the browser"),
                                    ],
                                    max_length=8,
                                ),
                                default=list,
                                size=None,
                            ),
                        ),
                        ("code_hash", models.BinaryField(max_length=32, null=True)),
                        ("tries", models.PositiveSmallIntegerField(default=0)),
                        ("asked_at", models.DateTimeField()),
                        ("sent_at", models.DateTimeField(null=True)),
                        ("expires_at", models.DateTimeField()),
                        ("ended_at", models.DateTimeField(null=True)),
                        (
                            "ending",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("proved", "The number is confirmed"),
                                    ("replaced", "Another code was asked for"),
                                    ("tries", "Too many wrong codes"),
                                    ("failed", "It could not be sent"),
                                    ("left", "Given up"),
                                ],
                                max_length=8,
                            ),
                        ),
                        ("told_at", models.DateTimeField(null=True)),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="phone_codes",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "code for a phone number",
                        "verbose_name_plural": "codes for phone numbers",
                        "indexes": [
                            models.Index(fields=["asked_at"], name="reminders_phonecode_asked"),
                            models.Index(
                                condition=models.Q(("code_hash", None), ("ended_at", None)),
                                fields=["asked_at"],
                                name="reminders_phonecode_wait",
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("ended_at", None)),
                                fields=("user",),
                                name="reminders_phonecode_one_open",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("number__regex", "^\\+[1-9][0-9]{6,14}$")),
                                name="reminders_phonecode_number",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("via__in", ("sms", "whatsapp"))), name="reminders_phonecode_via"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("tries__lte", 5)), name="reminders_phonecode_tries"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("expires_at__gt", models.F("asked_at")),
                                    (
                                        "expires_at__lte",
                                        django.db.models.expressions.CombinedExpression(
                                            models.F("asked_at"), "+", models.Value(dt.timedelta(seconds=600))
                                        ),
                                    ),
                                ),
                                name="reminders_phonecode_short_lived",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("ended_at", None), ("ending", "")),
                                    models.Q(
                                        ("code_hash", None),
                                        ("ended_at__isnull", False),
                                        models.Q(("ending", ""), _negated=True),
                                    ),
                                    _connector="OR",
                                ),
                                name="reminders_phonecode_ended_opens_nothing",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("sent_at", None),
                                    ("code_hash__isnull", False),
                                    ("ended_at__isnull", False),
                                    _connector="OR",
                                ),
                                name="reminders_phonecode_sent_has_hash",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("told_at", None), ("ending", "proved"), _connector="OR"),
                                name="reminders_phonecode_told_of_proof",
                            ),
                        ],
                    },
                ),
            ]
        ),
        migrations.RunSQL(CONSENTS, "DROP FUNCTION reminders_consent_refuse() CASCADE"),
    ]
