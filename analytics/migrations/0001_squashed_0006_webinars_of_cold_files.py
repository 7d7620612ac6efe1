"""What a new database begins with: all that the migrations which it replaces came to."""

import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import core.db
from core.partitioned import CreatePartitionedModel
from core.together import CreateModels


class Migration(migrations.Migration):
    initial = True

    replaces = [
        ("analytics", "0001_figures"),
        ("analytics", "0002_statements_as_an_outbox"),
        ("analytics", "0003_find_statements"),
        ("analytics", "0004_players_of_cold_months"),
        ("analytics", "0005_sessions_end"),
        ("analytics", "0006_webinars_of_cold_files"),
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
                    name="RollupState",
                    fields=[
                        (
                            "webinar",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                primary_key=True,
                                related_name="+",
                                serialize=False,
                                to="webinars.webinar",
                            ),
                        ),
                        ("seen_through", models.DateTimeField(null=True)),
                        ("quality_through", models.DateTimeField(null=True)),
                        ("ended_at", models.DateTimeField(null=True)),
                        (
                            "changed_at",
                            models.DateTimeField(help_text="When a row of the tables was made last.", null=True),
                        ),
                        ("whole_at", models.DateTimeField(help_text="When all rows were made anew last.", null=True)),
                    ],
                    options={
                        "verbose_name": "state of the figures",
                        "verbose_name_plural": "states of the figures",
                    },
                ),
                CreatePartitionedModel(
                    name="AudienceDay",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "webinar",
                                "phase",
                                "on",
                                "country",
                                "specialty",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        (
                            "phase",
                            models.CharField(choices=[("live", "Live"), ("on_demand", "On demand")], max_length=10),
                        ),
                        ("on", models.DateField()),
                        ("country", models.CharField(blank=True, max_length=2)),
                        ("specialty", models.CharField(blank=True, max_length=120)),
                        ("people", models.PositiveIntegerField()),
                        ("seconds", models.PositiveBigIntegerField()),
                        ("newcomers", models.PositiveIntegerField()),
                        (
                            "webinar",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="webinars.webinar",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "audience of a day",
                        "verbose_name_plural": "audience by day",
                    },
                    by="on",
                ),
                CreatePartitionedModel(
                    name="AudienceHour",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "webinar",
                                "phase",
                                "at",
                                "country",
                                "timezone",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        (
                            "phase",
                            models.CharField(choices=[("live", "Live"), ("on_demand", "On demand")], max_length=10),
                        ),
                        ("at", models.DateTimeField()),
                        ("country", models.CharField(blank=True, max_length=2)),
                        ("timezone", models.CharField(max_length=64)),
                        ("people", models.PositiveIntegerField()),
                        ("seconds", models.PositiveBigIntegerField()),
                        (
                            "webinar",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="webinars.webinar",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "audience of an hour",
                        "verbose_name_plural": "audience by hour",
                    },
                    by="at",
                ),
                CreatePartitionedModel(
                    name="AudienceMinute",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "webinar", "phase", "at", blank=True, editable=False, primary_key=True, serialize=False
                            ),
                        ),
                        (
                            "phase",
                            models.CharField(choices=[("live", "Live"), ("on_demand", "On demand")], max_length=10),
                        ),
                        ("at", models.DateTimeField()),
                        ("people", models.PositiveIntegerField()),
                        ("arrivals", models.PositiveIntegerField()),
                        ("leavings", models.PositiveIntegerField()),
                        (
                            "webinar",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="webinars.webinar",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "audience of a minute",
                        "verbose_name_plural": "audience by minute",
                    },
                    by="at",
                ),
                migrations.CreateModel(
                    name="ColdFile",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("table", models.CharField(max_length=63)),
                        ("month", models.DateField(help_text="Its first day.")),
                        ("key", models.CharField(max_length=300)),
                        ("rows", models.PositiveBigIntegerField()),
                        ("sha256", models.CharField(max_length=64)),
                        ("moved_at", models.DateTimeField()),
                        (
                            "webinars",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.BigIntegerField(),
                                help_text="Which have a row in it. Empty: not known.",
                                null=True,
                                size=None,
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "file in cold storage",
                        "verbose_name_plural": "files in cold storage",
                        "constraints": [models.UniqueConstraint(fields=("table", "month"), name="analytics_cold_once")],
                    },
                ),
                CreatePartitionedModel(
                    name="QualityHour",
                    fields=[
                        ("plays", models.PositiveIntegerField()),
                        ("sessions", models.PositiveIntegerField()),
                        ("starts", models.PositiveIntegerField()),
                        ("start_ms_sum", models.PositiveBigIntegerField()),
                        (
                            "start_buckets",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.PositiveIntegerField(), size=None
                            ),
                        ),
                        ("play_ms", models.PositiveBigIntegerField()),
                        ("stall_ms", models.PositiveBigIntegerField()),
                        ("stalls", models.PositiveIntegerField()),
                        ("kbits", models.PositiveBigIntegerField()),
                        ("errors", models.PositiveIntegerField()),
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "webinar",
                                "phase",
                                "at",
                                "country",
                                "device",
                                "network",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        (
                            "phase",
                            models.CharField(choices=[("live", "Live"), ("on_demand", "On demand")], max_length=10),
                        ),
                        ("at", models.DateTimeField()),
                        ("country", models.CharField(blank=True, max_length=2)),
                        (
                            "device",
                            models.CharField(
                                choices=[
                                    ("phone", "Phone"),
                                    ("tablet", "Tablet"),
                                    ("computer", "Computer"),
                                    ("tv", "Television"),
                                    ("other", "Other device"),
                                ],
                                max_length=8,
                            ),
                        ),
                        (
                            "network",
                            models.CharField(
                                choices=[
                                    ("wired", "Cable"),
                                    ("wifi", "Wi-Fi"),
                                    ("4g", "Fast (4G or better)"),
                                    ("3g", "Medium (3G)"),
                                    ("2g", "Slow (2G)"),
                                    ("slow-2g", "Very slow"),
                                    ("unknown", "Not known"),
                                ],
                                max_length=7,
                            ),
                        ),
                        (
                            "webinar",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="webinars.webinar",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "quality of an hour",
                        "verbose_name_plural": "quality by hour",
                    },
                    by="at",
                ),
                CreatePartitionedModel(
                    name="QualityMinute",
                    fields=[
                        ("plays", models.PositiveIntegerField()),
                        ("sessions", models.PositiveIntegerField()),
                        ("starts", models.PositiveIntegerField()),
                        ("start_ms_sum", models.PositiveBigIntegerField()),
                        (
                            "start_buckets",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.PositiveIntegerField(), size=None
                            ),
                        ),
                        ("play_ms", models.PositiveBigIntegerField()),
                        ("stall_ms", models.PositiveBigIntegerField()),
                        ("stalls", models.PositiveIntegerField()),
                        ("kbits", models.PositiveBigIntegerField()),
                        ("errors", models.PositiveIntegerField()),
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "webinar",
                                "phase",
                                "at",
                                "country",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        (
                            "phase",
                            models.CharField(choices=[("live", "Live"), ("on_demand", "On demand")], max_length=10),
                        ),
                        ("at", models.DateTimeField()),
                        ("country", models.CharField(blank=True, max_length=2)),
                        (
                            "webinar",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="webinars.webinar",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "quality of a minute",
                        "verbose_name_plural": "quality by minute",
                    },
                    by="at",
                ),
                CreatePartitionedModel(
                    name="PlaybackReport",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "session_started_at",
                                "session",
                                "number",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("session_started_at", models.DateTimeField()),
                        ("number", models.PositiveIntegerField()),
                        (
                            "phase",
                            models.CharField(choices=[("live", "Live"), ("on_demand", "On demand")], max_length=10),
                        ),
                        ("received_at", models.DateTimeField()),
                        ("country", models.CharField(blank=True, max_length=2)),
                        (
                            "device",
                            models.CharField(
                                choices=[
                                    ("phone", "Phone"),
                                    ("tablet", "Tablet"),
                                    ("computer", "Computer"),
                                    ("tv", "Television"),
                                    ("other", "Other device"),
                                ],
                                max_length=8,
                            ),
                        ),
                        (
                            "network",
                            models.CharField(
                                choices=[
                                    ("wired", "Cable"),
                                    ("wifi", "Wi-Fi"),
                                    ("4g", "Fast (4G or better)"),
                                    ("3g", "Medium (3G)"),
                                    ("2g", "Slow (2G)"),
                                    ("slow-2g", "Very slow"),
                                    ("unknown", "Not known"),
                                ],
                                max_length=7,
                            ),
                        ),
                        ("start_ms", models.PositiveIntegerField(null=True)),
                        ("play_ms", models.PositiveIntegerField()),
                        ("stall_ms", models.PositiveIntegerField()),
                        ("stalls", models.PositiveIntegerField()),
                        ("kbits", models.PositiveBigIntegerField()),
                        ("errors", models.PositiveIntegerField()),
                        (
                            "error_kind",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("", "None"),
                                    ("network", "The line broke off"),
                                    ("refused", "Access was refused"),
                                    ("broken", "The picture could not be played"),
                                ],
                                max_length=7,
                            ),
                        ),
                        ("replayed", core.db.IntMultiRangeField(default=tuple)),
                        (
                            "session",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="webinars.playsession",
                            ),
                        ),
                        (
                            "webinar",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="webinars.webinar",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "playback report",
                        "verbose_name_plural": "playback reports",
                        "indexes": [
                            models.Index(fields=["webinar", "received_at"], name="analytics_report_webinar"),
                            models.Index(fields=["received_at"], name="analytics_report_received"),
                        ],
                    },
                    by="session_started_at",
                ),
                migrations.CreateModel(
                    name="SharingConsent",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("wording", models.CharField(max_length=500, verbose_name="words agreed to")),
                        ("given_at", models.DateTimeField(verbose_name="given at")),
                        ("withdrawn_at", models.DateTimeField(null=True, verbose_name="withdrawn at")),
                        (
                            "programme",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="courses.programme"
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "consent to sharing",
                        "verbose_name_plural": "consents to sharing",
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("withdrawn_at", None)),
                                fields=("programme", "user"),
                                name="analytics_sharing_one_holds",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("withdrawn_at", None), ("withdrawn_at__gte", models.F("given_at")), _connector="OR"
                                ),
                                name="analytics_sharing_withdrawn_later",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Statement",
                    fields=[
                        ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        (
                            "verb",
                            models.CharField(
                                choices=[
                                    ("initialized", "Opened"),
                                    ("paused", "Watched"),
                                    ("terminated", "Ended"),
                                    ("completed", "Completed"),
                                    ("passed", "Passed"),
                                    ("failed", "Failed"),
                                    ("scored", "Tested"),
                                    ("satisfied", "Met what was asked"),
                                    ("earned", "Earned"),
                                    ("voided", "Took back"),
                                ],
                                max_length=12,
                            ),
                        ),
                        ("happened_at", models.DateTimeField()),
                        ("body", models.JSONField()),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("waiting", "Waits"),
                                    ("sent", "Sent"),
                                    ("refused", "Refused"),
                                    ("given_up", "Given up"),
                                ],
                                default="waiting",
                                max_length=8,
                            ),
                        ),
                        ("attempts", models.PositiveSmallIntegerField(default=0)),
                        ("due_at", models.DateTimeField()),
                        ("ended_at", models.DateTimeField(null=True)),
                        ("error", models.CharField(blank=True, max_length=300)),
                        (
                            "programme",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="courses.programme"
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("claim", models.UUIDField(null=True)),
                        ("claimed_at", models.DateTimeField(null=True)),
                        ("edition", models.CharField(db_default="", default="", max_length=60)),
                        ("source", models.CharField(db_default="", default="", max_length=60)),
                        (
                            "voided_at",
                            models.DateTimeField(
                                help_text="When a statement was made that takes this one back.", null=True
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "statement",
                        "verbose_name_plural": "statements",
                        "indexes": [
                            models.Index(
                                condition=models.Q(("state", "waiting")),
                                fields=["due_at"],
                                name="analytics_statement_due",
                            ),
                            models.Index(
                                condition=models.Q(("state__in", ["given_up", "refused"])),
                                fields=["ended_at"],
                                name="analytics_statement_dead",
                            ),
                            models.Index(fields=["source"], name="analytics_statement_source"),
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("ended_at", None), ("state", "waiting")),
                                    models.Q(
                                        models.Q(("state", "waiting"), _negated=True), ("ended_at__isnull", False)
                                    ),
                                    _connector="OR",
                                ),
                                name="analytics_statement_ended",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Pseudonym",
                    fields=[
                        (
                            "user",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                primary_key=True,
                                related_name="+",
                                serialize=False,
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("name", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                    ],
                    options={
                        "verbose_name": "pseudonym",
                        "verbose_name_plural": "pseudonyms",
                    },
                ),
                migrations.CreateModel(
                    name="StatementFeed",
                    fields=[
                        ("name", models.CharField(max_length=12, primary_key=True, serialize=False)),
                        ("made_through", models.DateTimeField(null=True)),
                        ("paused_until", models.DateTimeField(null=True)),
                        (
                            "failures",
                            models.PositiveIntegerField(
                                default=0, help_text="Calls in a row that the store did not take."
                            ),
                        ),
                        ("problem", models.CharField(blank=True, max_length=300)),
                    ],
                    options={
                        "verbose_name": "feed of statements",
                        "verbose_name_plural": "feeds of statements",
                    },
                ),
                migrations.CreateModel(
                    name="PlayerSummary",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "session", "phase", blank=True, editable=False, primary_key=True, serialize=False
                            ),
                        ),
                        (
                            "phase",
                            models.CharField(choices=[("live", "Live"), ("on_demand", "On demand")], max_length=10),
                        ),
                        ("month", models.DateField(help_text="Its first day.")),
                        (
                            "device",
                            models.CharField(
                                choices=[
                                    ("phone", "Phone"),
                                    ("tablet", "Tablet"),
                                    ("computer", "Computer"),
                                    ("tv", "Television"),
                                    ("other", "Other device"),
                                ],
                                max_length=8,
                            ),
                        ),
                        ("replayed", core.db.IntMultiRangeField(default=tuple)),
                        (
                            "session",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="webinars.playsession",
                            ),
                        ),
                        (
                            "webinar",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="webinars.webinar",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "player of a month in cold storage",
                        "verbose_name_plural": "players of months in cold storage",
                        "indexes": [models.Index(fields=["webinar"], name="analytics_summary_webinar")],
                    },
                ),
            ]
        ),
    ]
