import uuid

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import core.db


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("courses", "0001_initial"),
        ("media", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Webinar",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "completion_percent",
                    models.PositiveSmallIntegerField(
                        default=90,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(100),
                        ],
                        verbose_name="percent to watch",
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "lesson",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="webinar", to="courses.lesson"
                    ),
                ),
                (
                    "presenters",
                    models.ManyToManyField(blank=True, related_name="presented_webinars", to=settings.AUTH_USER_MODEL),
                ),
                (
                    "video",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="webinars",
                        to="media.video",
                    ),
                ),
            ],
            options={
                "verbose_name": "webinar",
                "verbose_name_plural": "webinars",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("completion_percent__range", (1, 100))), name="webinars_webinar_percent"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="WatchRecord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("phase", models.CharField(choices=[("live", "Live"), ("on_demand", "On demand")], max_length=10)),
                ("coverage", core.db.IntMultiRangeField(default=tuple)),
                (
                    "excess",
                    core.db.IntMultiRangeField(
                        default=tuple,
                        help_text="Seconds claimed faster than the clock allows: not credited, kept as evidence.",
                    ),
                ),
                ("seen_seconds", models.PositiveIntegerField(default=0)),
                (
                    "required_seconds",
                    models.PositiveIntegerField(help_text="As the play session had it when it was reached."),
                ),
                ("position_seconds", models.FloatField(default=0.0)),
                ("clock", core.db.TimeMultiRangeField(default=tuple)),
                ("first_beat_at", models.DateTimeField()),
                ("last_beat_at", models.DateTimeField()),
                ("reached_at", models.DateTimeField(help_text="When the required seconds were reached.", null=True)),
                (
                    "settled_at",
                    models.DateTimeField(help_text="When the lesson's completion was recorded for it.", null=True),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="watch_records",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "webinar",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="watch_records", to="webinars.webinar"
                    ),
                ),
            ],
            options={
                "verbose_name": "watch record",
                "verbose_name_plural": "watch records",
                "indexes": [
                    models.Index(
                        condition=models.Q(("reached_at__isnull", False), ("settled_at", None)),
                        fields=["reached_at"],
                        name="webinars_watch_unsettled",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("user", "webinar", "phase"), name="webinars_watch_record_once"),
                    models.CheckConstraint(
                        condition=models.Q(("position_seconds__gte", 0)), name="webinars_watch_position"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PlaySession",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("phase", models.CharField(choices=[("live", "Live"), ("on_demand", "On demand")], max_length=10)),
                (
                    "media_seconds",
                    models.PositiveIntegerField(help_text="Length of the timeline; beats outside it are refused."),
                ),
                ("required_seconds", models.PositiveIntegerField(help_text="Unique seconds that complete the lesson.")),
                ("started_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="play_sessions", to="accounts.device"
                    ),
                ),
                (
                    "enrolment",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="play_sessions",
                        to="courses.enrolment",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="play_sessions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "webinar",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="play_sessions", to="webinars.webinar"
                    ),
                ),
            ],
            options={
                "verbose_name": "play session",
                "verbose_name_plural": "play sessions",
                "indexes": [models.Index(fields=["user", "webinar"], name="webinars_session_person")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("required_seconds__gte", 1), ("required_seconds__lte", models.F("media_seconds"))
                        ),
                        name="webinars_session_seconds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ended_at", None), ("ended_at__gte", models.F("started_at")), _connector="OR"
                        ),
                        name="webinars_session_ends_later",
                    ),
                ],
            },
        ),
    ]
