"""What a new database begins with: all that the migrations which it replaces came to."""

import uuid

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.constraints
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.text
from django.conf import settings
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models

import core.db
import webinars.models.spot
from core.together import CreateModels

# Credits the first `allowed - seconds(have)` seconds of what is new. Only called when a claim is over the allowance.
CREDIT = """
CREATE FUNCTION webinars_credit(have int4multirange, claimed int4multirange, allowed integer)
RETURNS int4multirange LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    result int4multirange := have;
    part int4range;
    room integer;
BEGIN
    SELECT allowed - coalesce(sum(upper(r) - lower(r)), 0) INTO room FROM unnest(have) AS r;
    FOR part IN SELECT r FROM unnest(claimed - have) AS r ORDER BY r LOOP
        EXIT WHEN room <= 0;
        result := result + int4multirange(int4range(lower(part), least(upper(part), lower(part) + room)));
        room := room - (upper(part) - lower(part));
    END LOOP;
    RETURN result;
END
$$
"""

# Multiranges in, multiranges out. Second n of what a version shows is the n-th second of `shown`, counted in order.
UNCUT = """
CREATE FUNCTION webinars_uncut(spans int4multirange, shown int4multirange)
RETURNS int4multirange LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    result int4multirange := '{}';
    piece int4range;
    part int4range;
    passed integer := 0;
    shift integer;
BEGIN
    FOR piece IN SELECT r FROM unnest(shown) AS r ORDER BY r LOOP
        shift := lower(piece) - passed;
        FOR part IN
            SELECT r FROM unnest(spans * int4multirange(int4range(passed, upper(piece) - shift))) AS r
        LOOP
            result := result + int4multirange(int4range(lower(part) + shift, upper(part) + shift));
        END LOOP;
        passed := upper(piece) - shift;
    END LOOP;
    RETURN result;
END
$$
"""

# Behind the end: the end.
UNCUT_POINT = """
CREATE FUNCTION webinars_uncut_point(at double precision, shown int4multirange)
RETURNS double precision LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    piece int4range;
    passed integer := 0;
BEGIN
    FOR piece IN SELECT r FROM unnest(shown) AS r ORDER BY r LOOP
        IF at < passed + upper(piece) - lower(piece) THEN
            RETURN at - passed + lower(piece);
        END IF;
        passed := passed + upper(piece) - lower(piece);
    END LOOP;
    RETURN upper(shown);
END
$$
"""

# Every beat rewrites its row; with room in the page the new version stays beside the old one and no index is touched.
ROOM = "ALTER TABLE webinars_watchrecord SET (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05)"
NO_ROOM = "ALTER TABLE webinars_watchrecord RESET (fillfactor, autovacuum_vacuum_scale_factor)"


class Migration(migrations.Migration):
    initial = True

    replaces = [
        ("webinars", "0001_initial"),
        ("webinars", "0002_functions"),
        ("webinars", "0003_keep_what_was_watched"),
        ("webinars", "0004_live"),
        ("webinars", "0005_editions"),
        ("webinars", "0006_tallies"),
        ("webinars", "0007_look_up_at_the_door"),
        ("webinars", "0008_spot_language"),
        ("webinars", "0009_announcements"),
        ("webinars", "0010_ivs_viewers"),
        ("webinars", "0011_room_checks"),
        ("webinars", "0012_newest_second"),
        ("webinars", "0013_find_sessions_by_start"),
    ]

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("accounts", "0001_squashed_0008_comparison"),
        ("courses", "0001_squashed_0006_lessons_by_their_completion"),
        ("media", "0001_squashed_0002_video_published_source"),
    ]

    operations = [
        TrigramExtension(),
        CreateModels(
            [
                migrations.CreateModel(
                    name="Webinar",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
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
                            models.ManyToManyField(
                                blank=True, related_name="presented_webinars", to=settings.AUTH_USER_MODEL
                            ),
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
                        (
                            "counted_seconds",
                            models.PositiveIntegerField(
                                default=0,
                                editable=False,
                                help_text="Length for which the threshold was applied to what people had watched.",
                            ),
                        ),
                        (
                            "allows_takeover",
                            models.BooleanField(
                                default=False,
                                help_text="Otherwise a second stream is refused while the first one is on.",
                                verbose_name="a second presenter may take over the stream",
                            ),
                        ),
                        ("cancelled_at", models.DateTimeField(editable=False, null=True, verbose_name="cancelled at")),
                        (
                            "capacity",
                            models.PositiveIntegerField(
                                blank=True,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(1)],
                                verbose_name="places",
                            ),
                        ),
                        (
                            "doors_minutes",
                            models.PositiveSmallIntegerField(
                                default=20,
                                validators=[django.core.validators.MaxValueValidator(240)],
                                verbose_name="doors open, minutes before",
                            ),
                        ),
                        ("ended_at", models.DateTimeField(editable=False, null=True, verbose_name="ended at")),
                        (
                            "external_url",
                            models.CharField(
                                blank=True,
                                max_length=500,
                                validators=[django.core.validators.URLValidator(schemes=["https"])],
                                verbose_name="link to the meeting",
                            ),
                        ),
                        (
                            "followup_days",
                            models.PositiveSmallIntegerField(default=7, verbose_name="questions stay open, days"),
                        ),
                        (
                            "ingest",
                            models.CharField(
                                choices=[
                                    ("rtmp", "Built in (RTMP)"),
                                    ("external", "A meeting elsewhere (link)"),
                                    ("ivs", "AWS IVS"),
                                ],
                                default="rtmp",
                                max_length=10,
                                verbose_name="picture comes by",
                            ),
                        ),
                        (
                            "is_rehearsal",
                            models.BooleanField(
                                default=False,
                                help_text="While it is on, only presenters and staff see the stream.",
                                verbose_name="rehearsal",
                            ),
                        ),
                        ("live_at", models.DateTimeField(editable=False, null=True, verbose_name="went live at")),
                        (
                            "moderators",
                            models.ManyToManyField(
                                blank=True, related_name="moderated_webinars", to=settings.AUTH_USER_MODEL
                            ),
                        ),
                        (
                            "needs_registration",
                            models.BooleanField(default=False, verbose_name="doctors register first"),
                        ),
                        (
                            "planned_minutes",
                            models.PositiveSmallIntegerField(
                                default=60,
                                validators=[
                                    django.core.validators.MinValueValidator(5),
                                    django.core.validators.MaxValueValidator(720),
                                ],
                                verbose_name="planned length in minutes",
                            ),
                        ),
                        (
                            "recording_opens_at",
                            models.DateTimeField(blank=True, null=True, verbose_name="recording opens at"),
                        ),
                        (
                            "recording_policy",
                            models.CharField(
                                choices=[
                                    ("automatic", "As soon as it is ready"),
                                    ("on_release", "When it is released"),
                                    ("at_date", "On a date"),
                                ],
                                default="automatic",
                                max_length=10,
                                verbose_name="recording opens",
                            ),
                        ),
                        ("starts_at", models.DateTimeField(blank=True, null=True, verbose_name="starts at")),
                    ],
                    options={
                        "verbose_name": "webinar",
                        "verbose_name_plural": "webinars",
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("completion_percent__range", (1, 100))),
                                name="webinars_webinar_percent",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("planned_minutes__gte", 1)), name="webinars_webinar_has_length"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("capacity", None), ("capacity__gte", 1), _connector="OR"),
                                name="webinars_webinar_capacity",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("ended_at", None), ("live_at", None)),
                                    models.Q(("live_at__isnull", False), ("starts_at__isnull", False)),
                                    _connector="OR",
                                ),
                                name="webinars_webinar_live_was_scheduled",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("ended_at", None), ("ended_at__gte", models.F("live_at")), _connector="OR"
                                ),
                                name="webinars_webinar_ends_later",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("cancelled_at", None),
                                    models.Q(("live_at", None), ("starts_at__isnull", False)),
                                    _connector="OR",
                                ),
                                name="webinars_webinar_cancelled_before_live",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("starts_at", None),
                                    models.Q(("ingest", "external"), _negated=True),
                                    models.Q(("external_url", ""), _negated=True),
                                    _connector="OR",
                                ),
                                name="webinars_webinar_external_has_link",
                                violation_error_message="Give the link to the meeting, beginning with https://.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("recording_policy", "at_date"), _negated=True),
                                    ("recording_opens_at__isnull", False),
                                    _connector="OR",
                                ),
                                name="webinars_webinar_recording_date",
                                violation_error_message="Give the date on which the recording opens.",
                            ),
                        ],
                        "indexes": [
                            models.Index(
                                condition=models.Q(
                                    ("cancelled_at", None), ("ended_at", None), ("starts_at__isnull", False)
                                ),
                                fields=["starts_at"],
                                name="webinars_webinar_coming",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="WatchRecord",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "phase",
                            models.CharField(choices=[("live", "Live"), ("on_demand", "On demand")], max_length=10),
                        ),
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
                        (
                            "reached_at",
                            models.DateTimeField(help_text="When the required seconds were reached.", null=True),
                        ),
                        (
                            "settled_at",
                            models.DateTimeField(
                                help_text="When the lesson's completion was recorded for it.", null=True
                            ),
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
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="watch_records",
                                to="webinars.webinar",
                            ),
                        ),
                        (
                            "shown",
                            core.db.IntMultiRangeField(  # type: ignore[misc]
                                help_text="Of the latest play session, like the next one.", null=True
                            ),
                        ),
                        (
                            "carried",
                            core.db.IntMultiRangeField(  # type: ignore[misc]
                                help_text="Seconds that count for completion besides the coverage.", null=True
                            ),
                        ),
                        (
                            "grew_at",
                            models.DateTimeField(help_text="Of the latest beat that brought a new second.", null=True),
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
                            models.UniqueConstraint(
                                fields=("user", "webinar", "phase"), name="webinars_watch_record_once"
                            ),
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
                        (
                            "phase",
                            models.CharField(choices=[("live", "Live"), ("on_demand", "On demand")], max_length=10),
                        ),
                        (
                            "media_seconds",
                            models.PositiveIntegerField(
                                help_text="Length of the timeline; beats outside it are refused."
                            ),
                        ),
                        (
                            "required_seconds",
                            models.PositiveIntegerField(help_text="Unique seconds that complete the lesson."),
                        ),
                        ("started_at", models.DateTimeField()),
                        ("ended_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "device",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="play_sessions",
                                to="accounts.device",
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
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="play_sessions",
                                to="webinars.webinar",
                            ),
                        ),
                        (
                            "carried",
                            core.db.IntMultiRangeField(  # type: ignore[misc]
                                help_text="What the person had seen live, in seconds of the uncut recording: counts for completion, not as watched.",
                                null=True,
                            ),
                        ),
                        (
                            "epoch",
                            models.DateTimeField(
                                help_text="Program time 0 of the broadcast watched: nobody has seen more than has been since.",
                                null=True,
                            ),
                        ),
                        (
                            "shown",
                            core.db.IntMultiRangeField(  # type: ignore[misc]
                                help_text="Which seconds of the uncut recording of a broadcast this version shows; beats count within it.",
                                null=True,
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "play session",
                        "verbose_name_plural": "play sessions",
                        "indexes": [
                            models.Index(fields=["user", "webinar"], name="webinars_session_person"),
                            models.Index(fields=["started_at"], include=("webinar",), name="webinars_session_started"),
                        ],
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
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("epoch__isnull", False), ("phase", "live")),
                                    models.Q(("epoch", None), ("phase", "on_demand")),
                                    _connector="OR",
                                ),
                                name="webinars_session_live_has_epoch",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("carried", None), ("shown", None)),
                                    models.Q(
                                        ("carried__isnull", False), ("phase", "on_demand"), ("shown__isnull", False)
                                    ),
                                    _connector="OR",
                                ),
                                name="webinars_session_shown_and_carried",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Broadcast",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("key", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                        ("is_rehearsal", models.BooleanField(default=False)),
                        ("started_at", models.DateTimeField()),
                        ("epoch", models.DateTimeField(blank=True, null=True)),
                        ("ended_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "program_seconds",
                            models.FloatField(default=0.0, help_text="Program time of the end of the latest segment."),
                        ),
                        (
                            "recorded_at",
                            models.DateTimeField(
                                blank=True, help_text="When the recording was put together.", null=True
                            ),
                        ),
                        (
                            "lease_until",
                            models.DateTimeField(blank=True, help_text="A worker is putting it together.", null=True),
                        ),
                        (
                            "recording",
                            models.OneToOneField(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="broadcast",
                                to="media.video",
                            ),
                        ),
                        (
                            "webinar",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="broadcasts",
                                to="webinars.webinar",
                            ),
                        ),
                        (
                            "opened_at",
                            models.DateTimeField(
                                blank=True,
                                help_text="When open pages were told that the recording can be watched.",
                                null=True,
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "broadcast",
                        "verbose_name_plural": "broadcasts",
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("is_rehearsal", False)),
                                fields=("webinar",),
                                name="webinars_broadcast_one_real",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("ended_at", None)),
                                fields=("webinar",),
                                name="webinars_broadcast_one_open",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("ended_at", None), ("ended_at__gte", models.F("started_at")), _connector="OR"
                                ),
                                name="webinars_broadcast_ends_later",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("program_seconds__gte", 0)), name="webinars_broadcast_seconds"
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="CannedReply",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("title", models.CharField(max_length=60, verbose_name="short name")),
                        ("text", models.CharField(max_length=1000, verbose_name="text")),
                        (
                            "programme",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="courses.programme",
                                verbose_name="programme",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "canned reply",
                        "verbose_name_plural": "canned replies",
                        "ordering": ("title",),
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("programme", "title"), name="webinars_canned_once", nulls_distinct=False
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Chapter",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("at_seconds", models.FloatField(verbose_name="at, in seconds")),
                        ("title", models.CharField(max_length=120, verbose_name="title")),
                        (
                            "webinar",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="chapters",
                                to="webinars.webinar",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "chapter",
                        "verbose_name_plural": "chapters",
                        "ordering": ("webinar", "at_seconds"),
                        "constraints": [
                            models.UniqueConstraint(fields=("webinar", "at_seconds"), name="webinars_chapter_once"),
                            models.CheckConstraint(
                                condition=models.Q(("at_seconds__gte", 0), models.Q(("title", ""), _negated=True)),
                                name="webinars_chapter_named",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Cut",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("start", models.FloatField(verbose_name="from")),
                        ("end", models.FloatField(verbose_name="to")),
                        ("reason", models.CharField(blank=True, max_length=200, verbose_name="reason")),
                        ("created_at", models.DateTimeField()),
                        (
                            "applied_at",
                            models.DateTimeField(
                                blank=True,
                                help_text="When a recording without this part was published; until then it counts not.",
                                null=True,
                            ),
                        ),
                        (
                            "broadcast",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="cuts",
                                to="webinars.broadcast",
                            ),
                        ),
                        (
                            "created_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "cut",
                        "verbose_name_plural": "cuts",
                        "ordering": ("broadcast", "start"),
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("end__gt", models.F("start")), ("start__gte", 0)),
                                name="webinars_cut_is_a_part",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="LaneAccess",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "lane",
                            models.CharField(
                                choices=[
                                    ("attendee", "Doctor and moderator"),
                                    ("presenter", "Moderator and presenter"),
                                    ("published", "Published for all"),
                                ],
                                max_length=10,
                                verbose_name="lane",
                            ),
                        ),
                        ("role", models.CharField(blank=True, max_length=12, verbose_name="role")),
                        (
                            "level",
                            models.CharField(
                                choices=[("none", "Closed"), ("read", "May read"), ("write", "May read and write")],
                                max_length=5,
                                verbose_name="access",
                            ),
                        ),
                        ("set_at", models.DateTimeField(editable=False)),
                        (
                            "set_by",
                            models.ForeignKey(
                                editable=False,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                                verbose_name="person",
                            ),
                        ),
                        (
                            "webinar",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="lane_access",
                                to="webinars.webinar",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "lane access",
                        "verbose_name_plural": "lane access",
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("webinar", "lane", "role", "user"),
                                name="webinars_lane_access_once",
                                nulls_distinct=False,
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(models.Q(("role", ""), _negated=True), ("user", None)),
                                    models.Q(("role", ""), ("user__isnull", False)),
                                    _connector="OR",
                                ),
                                name="webinars_lane_access_of_one",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="PersonRestriction",
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
                                    ("muted", "Muted: may watch, may not write"),
                                    ("removed", "Removed from the live webinar"),
                                ],
                                max_length=8,
                            ),
                        ),
                        ("reason", models.CharField(blank=True, max_length=200)),
                        ("at", models.DateTimeField()),
                        ("lifted_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "by",
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
                                related_name="webinar_restrictions",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "webinar",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="restrictions",
                                to="webinars.webinar",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "restriction",
                        "verbose_name_plural": "restrictions",
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("lifted_at", None)),
                                fields=("webinar", "user", "kind"),
                                name="webinars_restriction_one_open",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("lifted_at", None), ("lifted_at__gte", models.F("at")), _connector="OR"
                                ),
                                name="webinars_restriction_lifted_later",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Pin",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("title", models.CharField(max_length=120, verbose_name="text")),
                        ("url", models.URLField(max_length=500, verbose_name="link")),
                        ("created_at", models.DateTimeField()),
                        ("removed_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "created_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "webinar",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="pins", to="webinars.webinar"
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "pinned link",
                        "verbose_name_plural": "pinned links",
                        "ordering": ("webinar", "-created_at"),
                    },
                ),
                migrations.CreateModel(
                    name="Poll",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("position", models.PositiveSmallIntegerField(default=1, verbose_name="position")),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("single", "One answer"),
                                    ("multiple", "Several answers"),
                                    ("scale", "Scale"),
                                    ("words", "Word cloud"),
                                ],
                                default="single",
                                max_length=8,
                                verbose_name="kind",
                            ),
                        ),
                        ("question", models.CharField(max_length=300, verbose_name="question")),
                        (
                            "most_choices",
                            models.PositiveSmallIntegerField(
                                default=1,
                                help_text="For several answers and for word clouds.",
                                verbose_name="most answers",
                            ),
                        ),
                        ("scale_from", models.SmallIntegerField(default=1, verbose_name="scale from")),
                        ("scale_to", models.SmallIntegerField(default=5, verbose_name="scale to")),
                        (
                            "state",
                            models.CharField(
                                choices=[("draft", "Prepared"), ("open", "Open"), ("closed", "Closed")],
                                default="draft",
                                editable=False,
                                max_length=6,
                            ),
                        ),
                        (
                            "is_shown",
                            models.BooleanField(
                                default=False, editable=False, help_text="The results are shown to everybody."
                            ),
                        ),
                        ("opened_at", models.DateTimeField(editable=False, null=True)),
                        ("closed_at", models.DateTimeField(editable=False, null=True)),
                        (
                            "opened_seconds",
                            models.FloatField(editable=False, help_text="Program time when it was opened.", null=True),
                        ),
                        (
                            "created_by",
                            models.ForeignKey(
                                editable=False,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "webinar",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="polls", to="webinars.webinar"
                            ),
                        ),
                        (
                            "hidden_words",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=40),
                                blank=True,
                                default=list,
                                editable=False,
                                help_text="Words of a cloud that a moderator keeps from the others.",
                                size=None,
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "poll",
                        "verbose_name_plural": "polls",
                        "ordering": ("webinar", "position", "id"),
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("state", "open")),
                                fields=("webinar",),
                                name="webinars_poll_one_open",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("opened_at", None), ("state", "draft")),
                                    models.Q(models.Q(("state", "draft"), _negated=True), ("opened_at__isnull", False)),
                                    _connector="OR",
                                ),
                                name="webinars_poll_opened_has_date",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("scale_to__gt", models.F("scale_from")),
                                    (
                                        "scale_to__lte",
                                        django.db.models.expressions.CombinedExpression(
                                            models.F("scale_from"), "+", models.Value(10)
                                        ),
                                    ),
                                ),
                                name="webinars_poll_scale",
                                violation_error_message="A scale has 2 to 11 steps.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("most_choices__range", (1, 20))), name="webinars_poll_most_choices"
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="PollOption",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("position", models.PositiveSmallIntegerField(verbose_name="position")),
                        ("text", models.CharField(max_length=200, verbose_name="text")),
                        (
                            "poll",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="options", to="webinars.poll"
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "answer",
                        "verbose_name_plural": "answers",
                        "ordering": ("poll", "position"),
                        "constraints": [
                            models.UniqueConstraint(
                                deferrable=django.db.models.constraints.Deferrable["DEFERRED"],
                                fields=("poll", "position"),
                                name="webinars_option_once",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="PollVote",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "choices",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.SmallIntegerField(), default=list, size=None
                            ),
                        ),
                        (
                            "words",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=40), default=list, size=None
                            ),
                        ),
                        ("at", models.DateTimeField()),
                        (
                            "poll",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="votes", to="webinars.poll"
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
                        "verbose_name": "vote",
                        "verbose_name_plural": "votes",
                        "constraints": [
                            models.UniqueConstraint(fields=("poll", "user"), name="webinars_poll_vote_once"),
                            models.CheckConstraint(
                                condition=models.Q(("choices__len__gt", 0), ("words__len__gt", 0), _connector="OR"),
                                name="webinars_poll_vote_not_empty",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Presence",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("process", models.CharField(max_length=40)),
                        ("people", models.PositiveIntegerField()),
                        (
                            "countries",
                            models.JSONField(default=dict, help_text="Number of people by ISO country code."),
                        ),
                        ("at", models.DateTimeField()),
                        (
                            "webinar",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="presences",
                                to="webinars.webinar",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "presence",
                        "verbose_name_plural": "presences",
                        "constraints": [
                            models.UniqueConstraint(fields=("webinar", "process"), name="webinars_presence_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Question",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("client_key", models.UUIDField(default=uuid.uuid4)),
                        ("text", models.CharField(max_length=1000)),
                        ("edited_text", models.CharField(blank=True, max_length=1000)),
                        (
                            "is_anonymous",
                            models.BooleanField(
                                default=False, help_text="Presenters and everybody else do not see the name."
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("new", "New"),
                                    ("forwarded", "With the presenter"),
                                    ("answered", "Answered"),
                                    ("published", "Published"),
                                    ("dismissed", "Put aside"),
                                    ("merged", "Merged into another"),
                                ],
                                default="new",
                                max_length=10,
                            ),
                        ),
                        ("is_priority", models.BooleanField(default=False)),
                        (
                            "phase",
                            models.CharField(
                                choices=[("live", "Live"), ("on_demand", "On demand")], default="live", max_length=10
                            ),
                        ),
                        ("asked_at", models.DateTimeField()),
                        (
                            "asked_seconds",
                            models.FloatField(
                                help_text="Program time when asked live, time of the recording when asked there.",
                                null=True,
                            ),
                        ),
                        ("claimed_until", models.DateTimeField(blank=True, null=True)),
                        ("forwarded_at", models.DateTimeField(blank=True, null=True)),
                        ("answer_text", models.CharField(blank=True, max_length=4000)),
                        ("answered_at", models.DateTimeField(blank=True, null=True)),
                        ("is_answered_live", models.BooleanField(default=False)),
                        (
                            "answered_seconds",
                            models.FloatField(
                                help_text="Program time of the answer given in the broadcast.", null=True
                            ),
                        ),
                        ("published_at", models.DateTimeField(blank=True, null=True)),
                        ("votes", models.PositiveIntegerField(default=0)),
                        (
                            "version",
                            models.PositiveIntegerField(
                                default=1, help_text="Raised by every change: two desks cannot overwrite."
                            ),
                        ),
                        (
                            "answered_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "author",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="questions",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "claimed_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "merged_into",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="merged",
                                to="webinars.question",
                            ),
                        ),
                        (
                            "webinar",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="questions",
                                to="webinars.webinar",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "question",
                        "verbose_name_plural": "questions",
                        "ordering": ("webinar", "asked_at", "id"),
                        "indexes": [
                            models.Index(fields=["webinar", "state", "asked_at"], name="webinars_question_queue"),
                            models.Index(fields=["author", "webinar"], name="webinars_question_mine"),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("author", "client_key"), name="webinars_question_sent_once"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("text", ""), _negated=True), name="webinars_question_has_text"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("published_at__isnull", False), ("state", "published")),
                                    models.Q(models.Q(("state", "published"), _negated=True), ("published_at", None)),
                                    _connector="OR",
                                ),
                                name="webinars_question_published_has_date",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("merged_into__isnull", False), ("state", "merged")),
                                    models.Q(models.Q(("state", "merged"), _negated=True), ("merged_into", None)),
                                    _connector="OR",
                                ),
                                name="webinars_question_merged_has_target",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("merged_into", models.F("id")), _negated=True),
                                name="webinars_question_not_into_itself",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("claimed_by", None), ("claimed_until", None)),
                                    ("claimed_until__isnull", False),
                                    _connector="OR",
                                ),
                                name="webinars_question_claim_expires",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="QuestionMessage",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "lane",
                            models.CharField(
                                choices=[
                                    ("attendee", "Doctor and moderator"),
                                    ("presenter", "Moderator and presenter"),
                                    ("published", "Published for all"),
                                ],
                                max_length=10,
                            ),
                        ),
                        ("client_key", models.UUIDField(default=uuid.uuid4)),
                        ("text", models.CharField(max_length=2000)),
                        ("at", models.DateTimeField()),
                        (
                            "author",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "question",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="messages",
                                to="webinars.question",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "message",
                        "verbose_name_plural": "messages",
                        "ordering": ("question", "id"),
                        "constraints": [
                            models.UniqueConstraint(fields=("author", "client_key"), name="webinars_message_sent_once"),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("text", ""), _negated=True),
                                    models.Q(("lane", "published"), _negated=True),
                                ),
                                name="webinars_message_is_said",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="QuestionVote",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("at", models.DateTimeField()),
                        (
                            "question",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="question_votes",
                                to="webinars.question",
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
                        "verbose_name": "vote for a question",
                        "verbose_name_plural": "votes for questions",
                        "constraints": [
                            models.UniqueConstraint(fields=("question", "user"), name="webinars_question_vote_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Registration",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("registered_at", models.DateTimeField()),
                        ("cancelled_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="webinar_registrations",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "webinar",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="registrations",
                                to="webinars.webinar",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "registration",
                        "verbose_name_plural": "registrations",
                        "constraints": [
                            models.UniqueConstraint(fields=("webinar", "user"), name="webinars_registration_once"),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("cancelled_at", None),
                                    ("cancelled_at__gte", models.F("registered_at")),
                                    _connector="OR",
                                ),
                                name="webinars_registration_cancelled_later",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Room",
                    fields=[
                        (
                            "webinar",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                primary_key=True,
                                related_name="room",
                                serialize=False,
                                to="webinars.webinar",
                            ),
                        ),
                        ("last_number", models.PositiveBigIntegerField(default=0)),
                        (
                            "first_kept",
                            models.PositiveBigIntegerField(
                                default=1,
                                help_text="Older events were removed: who asks for them has to load the page again.",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "room",
                        "verbose_name_plural": "rooms",
                    },
                ),
                migrations.CreateModel(
                    name="RoomEvent",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("number", models.PositiveBigIntegerField()),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("state", "The webinar's state changed"),
                                    ("announcement", "Announcement"),
                                    ("pinned", "Pinned link"),
                                    ("question", "A question changed, for moderators"),
                                    ("forwarded", "A forwarded question changed, for presenters"),
                                    ("own_question", "A person's own question changed"),
                                    ("message", "A message about a question"),
                                    ("published", "A published question changed"),
                                    ("poll", "A poll changed"),
                                    ("poll_results", "Results of a poll"),
                                    ("check", "A check was opened or closed"),
                                    ("restricted", "A person was muted, removed or let back"),
                                    ("spot_queue", "The queue at the door changed"),
                                    ("lanes", "Who may ask and read changed"),
                                    ("desk", "Something a moderator did"),
                                ],
                                max_length=14,
                            ),
                        ),
                        (
                            "audience",
                            models.CharField(
                                choices=[
                                    ("all", "Everybody in the room"),
                                    ("presenters", "Presenters and moderators"),
                                    ("moderators", "Moderators"),
                                    ("person", "One person"),
                                ],
                                max_length=10,
                            ),
                        ),
                        ("payload", models.JSONField(default=dict)),
                        ("at", models.DateTimeField()),
                        (
                            "person",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "webinar",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="events",
                                to="webinars.webinar",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "room event",
                        "verbose_name_plural": "room events",
                        "ordering": ("webinar", "number"),
                        "constraints": [
                            models.UniqueConstraint(fields=("webinar", "number"), name="webinars_event_number_once"),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("audience", "person"), ("person__isnull", False)),
                                    models.Q(models.Q(("audience", "person"), _negated=True), ("person", None)),
                                    _connector="OR",
                                ),
                                name="webinars_event_person_is_named",
                            ),
                        ],
                        "indexes": [
                            models.Index(
                                condition=models.Q(("kind", "announcement")),
                                fields=["webinar", "-number"],
                                name="webinars_event_announcement",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SpotWindow",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "slug",
                            models.CharField(
                                default=webinars.models.spot.new_slug, editable=False, max_length=24, unique=True
                            ),
                        ),
                        ("opens_at", models.DateTimeField(verbose_name="opens at")),
                        ("closes_at", models.DateTimeField(verbose_name="closes at")),
                        ("capacity", models.PositiveIntegerField(verbose_name="places")),
                        (
                            "country_quota",
                            models.JSONField(
                                blank=True,
                                default=dict,
                                help_text='For example {"IN": 200, "KE": 50}.',
                                verbose_name="places by country",
                            ),
                        ),
                        (
                            "email_domains",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=253),
                                blank=True,
                                default=list,
                                size=None,
                                verbose_name="allowed e-mail domains",
                            ),
                        ),
                        (
                            "approval",
                            models.CharField(
                                choices=[
                                    ("manual", "A moderator decides"),
                                    ("domain", "Let in by itself who has a listed e-mail domain"),
                                    ("everybody", "Let everybody in while there is room"),
                                ],
                                default="manual",
                                max_length=10,
                                verbose_name="who decides",
                            ),
                        ),
                        ("approved_count", models.PositiveIntegerField(default=0, editable=False)),
                        ("created_at", models.DateTimeField(editable=False)),
                        (
                            "created_by",
                            models.ForeignKey(
                                editable=False,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "webinar",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="spot_windows",
                                to="webinars.webinar",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "spot registration",
                        "verbose_name_plural": "spot registrations",
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("closes_at__gt", models.F("opens_at"))),
                                name="webinars_spot_window",
                                violation_error_message="The door must close after it opens.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("approved_count__lte", models.F("capacity"))),
                                name="webinars_spot_capacity",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SpotRequest",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("email", models.EmailField(max_length=254)),
                        ("first_name", models.CharField(max_length=150)),
                        ("last_name", models.CharField(max_length=150)),
                        ("country", models.CharField(max_length=2)),
                        ("medical_council", models.CharField(max_length=120)),
                        ("registration_number", models.CharField(max_length=60)),
                        ("time_zone", models.CharField(blank=True, max_length=64)),
                        (
                            "state",
                            models.CharField(
                                choices=[("pending", "Waiting"), ("approved", "Let in"), ("denied", "Not let in")],
                                default="pending",
                                max_length=8,
                            ),
                        ),
                        ("duplicate_reason", models.CharField(blank=True, max_length=200)),
                        ("ticket", models.CharField(max_length=64, unique=True)),
                        ("decided_at", models.DateTimeField(blank=True, null=True)),
                        ("decision_note", models.CharField(blank=True, max_length=200)),
                        ("created_at", models.DateTimeField()),
                        (
                            "decided_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "duplicate_of",
                            models.ForeignKey(
                                help_text="A person who may be the same.",
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="spot_requests",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "window",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="requests",
                                to="webinars.spotwindow",
                            ),
                        ),
                        (
                            "language",
                            models.CharField(blank=True, help_text="In which the page was read.", max_length=12),
                        ),
                    ],
                    options={
                        "verbose_name": "request at the door",
                        "verbose_name_plural": "requests at the door",
                        "ordering": ("window", "created_at", "id"),
                        "indexes": [
                            models.Index(fields=["window", "state", "created_at"], name="webinars_spot_queue"),
                            models.Index(
                                models.F("window"),
                                django.db.models.functions.text.Upper(
                                    models.Func(
                                        models.F("registration_number"),
                                        models.Value(" .-/_\t"),
                                        models.Value(""),
                                        function="translate",
                                    )
                                ),
                                name="webinars_spot_loose_number",
                            ),
                            models.Index(
                                models.F("window"),
                                django.db.models.functions.text.Lower("last_name"),
                                django.db.models.functions.text.Lower("first_name"),
                                name="webinars_spot_lower_name",
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(fields=("window", "email"), name="webinars_spot_request_once"),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("decided_at", None), ("state", "pending")),
                                    models.Q(
                                        models.Q(("state", "pending"), _negated=True), ("decided_at__isnull", False)
                                    ),
                                    _connector="OR",
                                ),
                                name="webinars_spot_decided_has_date",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="StreamKey",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("digest", models.CharField(editable=False, max_length=64, unique=True)),
                        (
                            "ending",
                            models.CharField(help_text="The last characters, to tell keys apart.", max_length=4),
                        ),
                        ("created_at", models.DateTimeField()),
                        ("used_at", models.DateTimeField(blank=True, null=True)),
                        ("revoked_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "presenter",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="stream_keys",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "webinar",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="stream_keys",
                                to="webinars.webinar",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "stream key",
                        "verbose_name_plural": "stream keys",
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("revoked_at", None)),
                                fields=("webinar", "presenter"),
                                name="webinars_stream_key_one_valid",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="PublishSession",
                    fields=[
                        ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        (
                            "number",
                            models.PositiveIntegerField(
                                help_text="Within the broadcast, from 1: the discontinuity counter."
                            ),
                        ),
                        ("started_at", models.DateTimeField()),
                        ("lease_until", models.DateTimeField()),
                        ("ended_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "ended_because",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("wrong_key", "The stream key is wrong or was withdrawn."),
                                    ("not_time_yet", "This webinar does not take a stream now."),
                                    ("already_live", "Somebody else is streaming to this webinar already."),
                                    ("taken_over", "Another presenter took over the stream."),
                                    ("wrong_video", "The picture is not in H.264."),
                                    ("wrong_sound", "The sound is not in AAC."),
                                    ("no_video", "There is no picture in the stream."),
                                    ("no_sound", "There is no sound in the stream."),
                                    ("bitrate_too_high", "The stream sends more than the server takes."),
                                    ("bitrate_low", "Very little arrives: the picture may be poor."),
                                    ("keyframes_rare", "Key frames come too seldom."),
                                    ("interrupted", "The stream was interrupted."),
                                    ("packager_failed", "The server could not process the stream."),
                                ],
                                max_length=20,
                            ),
                        ),
                        (
                            "must_end",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("wrong_key", "The stream key is wrong or was withdrawn."),
                                    ("not_time_yet", "This webinar does not take a stream now."),
                                    ("already_live", "Somebody else is streaming to this webinar already."),
                                    ("taken_over", "Another presenter took over the stream."),
                                    ("wrong_video", "The picture is not in H.264."),
                                    ("wrong_sound", "The sound is not in AAC."),
                                    ("no_video", "There is no picture in the stream."),
                                    ("no_sound", "There is no sound in the stream."),
                                    ("bitrate_too_high", "The stream sends more than the server takes."),
                                    ("bitrate_low", "Very little arrives: the picture may be poor."),
                                    ("keyframes_rare", "Key frames come too seldom."),
                                    ("interrupted", "The stream was interrupted."),
                                    ("packager_failed", "The server could not process the stream."),
                                ],
                                help_text="Somebody took over, or withdrew the key.",
                                max_length=20,
                            ),
                        ),
                        (
                            "shift_seconds",
                            models.FloatField(
                                default=0.0,
                                help_text="Added to the packager's clock where that lagged behind the segments before.",
                            ),
                        ),
                        (
                            "health",
                            models.JSONField(
                                default=dict,
                                help_text="The latest report: bitrate, frames, dropped frames, key frames, codecs, time.",
                            ),
                        ),
                        ("reported_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "broadcast",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="publish_sessions",
                                to="webinars.broadcast",
                            ),
                        ),
                        (
                            "presenter",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "stream_key",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="publish_sessions",
                                to="webinars.streamkey",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "publish session",
                        "verbose_name_plural": "publish sessions",
                        "ordering": ("broadcast", "number"),
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("broadcast", "number"), name="webinars_publish_number_once"
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("ended_at", None)),
                                fields=("broadcast",),
                                name="webinars_publish_one_open",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("ended_at", None), ("ended_at__gte", models.F("started_at")), _connector="OR"
                                ),
                                name="webinars_publish_ends_later",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Segment",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "number",
                            models.PositiveIntegerField(
                                help_text="Within the broadcast, from 0: the media sequence number."
                            ),
                        ),
                        ("program_start", models.FloatField(help_text="Seconds since the broadcast's epoch.")),
                        ("seconds", models.FloatField()),
                        ("renditions", models.JSONField(default=dict)),
                        (
                            "broadcast",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="segments",
                                to="webinars.broadcast",
                            ),
                        ),
                        (
                            "publish_session",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="segments",
                                to="webinars.publishsession",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "segment",
                        "verbose_name_plural": "segments",
                        "ordering": ("broadcast", "number"),
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("broadcast", "number"), name="webinars_segment_number_once"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("program_start__gte", 0), ("seconds__gt", 0)),
                                name="webinars_segment_times",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="StreamNotice",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "problem",
                            models.CharField(
                                choices=[
                                    ("wrong_key", "The stream key is wrong or was withdrawn."),
                                    ("not_time_yet", "This webinar does not take a stream now."),
                                    ("already_live", "Somebody else is streaming to this webinar already."),
                                    ("taken_over", "Another presenter took over the stream."),
                                    ("wrong_video", "The picture is not in H.264."),
                                    ("wrong_sound", "The sound is not in AAC."),
                                    ("no_video", "There is no picture in the stream."),
                                    ("no_sound", "There is no sound in the stream."),
                                    ("bitrate_too_high", "The stream sends more than the server takes."),
                                    ("bitrate_low", "Very little arrives: the picture may be poor."),
                                    ("keyframes_rare", "Key frames come too seldom."),
                                    ("interrupted", "The stream was interrupted."),
                                    ("packager_failed", "The server could not process the stream."),
                                ],
                                max_length=20,
                            ),
                        ),
                        (
                            "detail",
                            models.CharField(blank=True, help_text="A figure or a name; never a key.", max_length=200),
                        ),
                        ("at", models.DateTimeField()),
                        (
                            "webinar",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="stream_notices",
                                to="webinars.webinar",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "stream notice",
                        "verbose_name_plural": "stream notices",
                        "indexes": [models.Index(fields=["webinar", "-at"], name="webinars_notice_latest")],
                    },
                ),
                migrations.CreateModel(
                    name="Visit",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("joined_at", models.DateTimeField()),
                        ("seen_at", models.DateTimeField(help_text="The page said last that it is still open.")),
                        ("left_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="webinar_visits",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "webinar",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="visits",
                                to="webinars.webinar",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "visit",
                        "verbose_name_plural": "visits",
                        "indexes": [
                            models.Index(fields=["webinar", "user", "joined_at"], name="webinars_visit_person")
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("left_at", None)),
                                fields=("webinar", "user"),
                                name="webinars_visit_one_open",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("seen_at__gte", models.F("joined_at"))),
                                name="webinars_visit_seen_later",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("left_at", None), ("left_at__gte", models.F("joined_at")), _connector="OR"
                                ),
                                name="webinars_visit_left_later",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Edition",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("number", models.PositiveIntegerField()),
                        (
                            "cuts",
                            models.JSONField(
                                default=list, help_text="Pairs of whole seconds of the uncut recording, in order."
                            ),
                        ),
                        (
                            "spans",
                            models.JSONField(
                                default=list, help_text="Program start, program end, second of the uncut recording."
                            ),
                        ),
                        ("uncut_seconds", models.FloatField(default=0.0)),
                        ("source_key", models.CharField(blank=True, max_length=255)),
                        (
                            "version",
                            models.CharField(
                                blank=True, help_text="Of the video, once it was published.", max_length=16
                            ),
                        ),
                        ("attempts", models.PositiveSmallIntegerField(default=0)),
                        (
                            "problem",
                            models.CharField(blank=True, help_text="Why it could not be put together.", max_length=300),
                        ),
                        ("created_at", models.DateTimeField()),
                        (
                            "handed_at",
                            models.DateTimeField(
                                blank=True, help_text="When its file went into the pipeline.", null=True
                            ),
                        ),
                        ("published_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "broadcast",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="editions",
                                to="webinars.broadcast",
                            ),
                        ),
                        (
                            "created_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "edition",
                        "verbose_name_plural": "editions",
                        "ordering": ("broadcast", "number"),
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("broadcast", "number"), name="webinars_edition_number_once"
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("source_key", ""), _negated=True),
                                fields=("source_key",),
                                name="webinars_edition_source_once",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("handed_at", None), ("source_key", "")),
                                    models.Q(("handed_at__isnull", False), models.Q(("source_key", ""), _negated=True)),
                                    _connector="OR",
                                ),
                                name="webinars_edition_handed_has_source",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Tally",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("due_at", models.DateTimeField()),
                        (
                            "poll",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="webinars.poll",
                            ),
                        ),
                        (
                            "question",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="webinars.question",
                            ),
                        ),
                        (
                            "webinar",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="webinars.webinar"
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("webinar", "question", "poll"), name="webinars_tally_once", nulls_distinct=False
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("poll__isnull", False), ("question", None)),
                                    models.Q(("poll", None), ("question__isnull", False)),
                                    _connector="OR",
                                ),
                                name="webinars_tally_of_one",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="IvsViewer",
                    fields=[
                        ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ("made_at", models.DateTimeField()),
                        (
                            "withdrawn_at",
                            models.DateTimeField(
                                help_text="What was let in up to then is to be cut off; empty while the person may watch.",
                                null=True,
                            ),
                        ),
                        ("told_at", models.DateTimeField(help_text="When AWS had taken it.", null=True)),
                        (
                            "device",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="accounts.device",
                            ),
                        ),
                        (
                            "webinar",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="webinars.webinar",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "viewer at AWS IVS",
                        "verbose_name_plural": "viewers at AWS IVS",
                        "constraints": [
                            models.UniqueConstraint(fields=("webinar", "device"), name="webinars_ivs_viewer_once"),
                            models.CheckConstraint(
                                condition=models.Q(("told_at", None), ("withdrawn_at__isnull", False), _connector="OR"),
                                name="webinars_ivs_told_what_was_withdrawn",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="RoomCheck",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("opened_at", models.DateTimeField()),
                        ("opened_seconds", models.FloatField(help_text="Program time when it was opened.", null=True)),
                        ("closed_at", models.DateTimeField(null=True)),
                        (
                            "closed_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "lesson",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="courses.lesson"
                            ),
                        ),
                        (
                            "opened_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "webinar",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="checks",
                                to="webinars.webinar",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "check in a room",
                        "verbose_name_plural": "checks in a room",
                        "ordering": ("webinar", "opened_at"),
                        "constraints": [
                            models.UniqueConstraint(fields=("webinar", "lesson"), name="webinars_check_once"),
                            models.UniqueConstraint(
                                condition=models.Q(("closed_at", None)),
                                fields=("webinar",),
                                name="webinars_check_one_open",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("closed_at", None), ("closed_at__gte", models.F("opened_at")), _connector="OR"
                                ),
                                name="webinars_check_closes_later",
                            ),
                        ],
                    },
                ),
            ]
        ),
        migrations.RunSQL(CREDIT, "DROP FUNCTION webinars_credit(int4multirange, int4multirange, integer)"),
        migrations.RunSQL(UNCUT, "DROP FUNCTION webinars_uncut(int4multirange, int4multirange)"),
        migrations.RunSQL(UNCUT_POINT, "DROP FUNCTION webinars_uncut_point(double precision, int4multirange)"),
        migrations.RunSQL(ROOM, NO_ROOM),
    ]
