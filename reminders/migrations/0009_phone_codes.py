import datetime as dt
import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reminders", "0008_lost_claims"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PhoneCode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
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
                        condition=models.Q(("ended_at", None)), fields=("user",), name="reminders_phonecode_one_open"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("number__regex", "^\\+[1-9][0-9]{6,14}$")),
                        name="reminders_phonecode_number",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("via__in", ("sms", "whatsapp"))), name="reminders_phonecode_via"
                    ),
                    models.CheckConstraint(condition=models.Q(("tries__lte", 5)), name="reminders_phonecode_tries"),
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
