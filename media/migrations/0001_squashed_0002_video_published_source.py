"""What a new database begins with: all that the migrations which it replaces came to."""

import uuid

import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

from core.together import CreateModels


class Migration(migrations.Migration):
    initial = True

    replaces = [
        ("media", "0001_initial"),
        ("media", "0002_video_published_source"),
    ]

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateModels(
            [
                migrations.CreateModel(
                    name="Video",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("key", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                        ("title", models.CharField(max_length=200, verbose_name="title")),
                        (
                            "status",
                            models.CharField(
                                choices=[
                                    ("empty", "No file yet"),
                                    ("uploading", "Uploading"),
                                    ("queued", "Waiting to be prepared"),
                                    ("transcoding", "Being prepared"),
                                    ("ready", "Ready"),
                                    ("failed", "Needs attention"),
                                ],
                                default="empty",
                                editable=False,
                                max_length=12,
                                verbose_name="status",
                            ),
                        ),
                        (
                            "source_name",
                            models.CharField(blank=True, editable=False, max_length=255, verbose_name="file name"),
                        ),
                        ("source_key", models.CharField(blank=True, editable=False, max_length=255)),
                        (
                            "source_bytes",
                            models.PositiveBigIntegerField(editable=False, null=True, verbose_name="file size"),
                        ),
                        ("duration_seconds", models.FloatField(editable=False, null=True, verbose_name="duration")),
                        ("width", models.PositiveIntegerField(editable=False, null=True)),
                        ("height", models.PositiveIntegerField(editable=False, null=True)),
                        ("has_audio", models.BooleanField(default=False, editable=False)),
                        ("progress_percent", models.PositiveSmallIntegerField(default=0, editable=False)),
                        (
                            "stage",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("fetching", "Fetching the file"),
                                    ("probing", "Reading the file"),
                                    ("sound", "Preparing the sound"),
                                    ("picture", "Preparing the picture qualities"),
                                    ("stills", "Making the poster and previews"),
                                    ("storing", "Storing the result"),
                                ],
                                editable=False,
                                max_length=12,
                            ),
                        ),
                        (
                            "error_code",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("empty_file", "The file is empty."),
                                    ("not_a_video", "This file is not a video."),
                                    ("unreadable", "The file is damaged and cannot be read."),
                                    ("audio_only", "The file has sound but no picture."),
                                    (
                                        "no_frames",
                                        "The file announces a picture, but not one frame of it can be shown.",
                                    ),
                                    ("truncated", "The end of the file is missing."),
                                    ("too_long", "The video is longer than allowed."),
                                    ("too_short", "The video is shorter than one second."),
                                    ("source_missing", "The uploaded file is no longer in the storage."),
                                    ("no_space", "The server has no disk space left."),
                                    ("failed", "Preparing the video failed several times."),
                                    ("interrupted", "Preparing the video was interrupted several times."),
                                ],
                                editable=False,
                                max_length=20,
                            ),
                        ),
                        ("error_message", models.TextField(blank=True, editable=False)),
                        ("published_version", models.CharField(blank=True, editable=False, max_length=16)),
                        ("published_at", models.DateTimeField(editable=False, null=True)),
                        ("attempts", models.PositiveSmallIntegerField(default=0, editable=False)),
                        ("worker", models.CharField(blank=True, editable=False, max_length=16)),
                        ("lease_until", models.DateTimeField(editable=False, null=True)),
                        ("queued_at", models.DateTimeField(editable=False, null=True)),
                        ("created_at", models.DateTimeField(editable=False, verbose_name="created at")),
                        ("updated_at", models.DateTimeField(editable=False)),
                        (
                            "created_by",
                            models.ForeignKey(
                                blank=True,
                                editable=False,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "published_source",
                            models.CharField(
                                blank=True,
                                editable=False,
                                help_text="The `source_key` that the published version shows.",
                                max_length=255,
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "video",
                        "verbose_name_plural": "videos",
                        "ordering": ("-created_at", "-id"),
                        "indexes": [
                            models.Index(
                                condition=models.Q(("status__in", ("queued", "transcoding"))),
                                fields=["queued_at"],
                                name="media_video_work",
                            )
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("title", ""), _negated=True), name="media_video_has_title"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("progress_percent__lte", 100)), name="media_video_percent_to_100"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("status", "ready"), _negated=True),
                                    models.Q(("published_version", ""), _negated=True),
                                    _connector="OR",
                                ),
                                name="media_video_ready_is_published",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("published_version", ""),
                                    models.Q(
                                        ("duration_seconds__gt", 0),
                                        ("height__gt", 0),
                                        ("published_at__isnull", False),
                                        ("width__gt", 0),
                                    ),
                                    _connector="OR",
                                ),
                                name="media_video_published_is_measured",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("lease_until__isnull", False),
                                        ("status", "transcoding"),
                                        models.Q(("worker", ""), _negated=True),
                                    ),
                                    models.Q(
                                        models.Q(("status", "transcoding"), _negated=True),
                                        ("lease_until", None),
                                        ("worker", ""),
                                    ),
                                    _connector="OR",
                                ),
                                name="media_video_lease_while_transcoding",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("status", "failed"),
                                        models.Q(("error_code", ""), _negated=True),
                                        models.Q(("error_message", ""), _negated=True),
                                    ),
                                    models.Q(
                                        models.Q(("status", "failed"), _negated=True),
                                        ("error_code", ""),
                                        ("error_message", ""),
                                    ),
                                    _connector="OR",
                                ),
                                name="media_video_failed_says_why",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("status__in", ("queued", "transcoding")), _negated=True),
                                    models.Q(
                                        models.Q(("source_key", ""), _negated=True),
                                        ("queued_at__isnull", False),
                                        ("source_bytes__isnull", False),
                                    ),
                                    _connector="OR",
                                ),
                                name="media_video_work_has_source",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Upload",
                    fields=[
                        ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        (
                            "status",
                            models.CharField(
                                choices=[
                                    ("open", "Open"),
                                    ("complete", "Complete"),
                                    ("cancelled", "Cancelled"),
                                    ("expired", "Abandoned"),
                                ],
                                default="open",
                                max_length=10,
                            ),
                        ),
                        ("name", models.CharField(max_length=255)),
                        ("size_bytes", models.PositiveBigIntegerField()),
                        ("part_bytes", models.PositiveBigIntegerField()),
                        ("fingerprint", models.CharField(max_length=200)),
                        ("storage_key", models.CharField(max_length=255, unique=True)),
                        ("direct_id", models.CharField(blank=True, max_length=512)),
                        ("created_at", models.DateTimeField()),
                        ("active_at", models.DateTimeField(db_index=True)),
                        (
                            "created_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "video",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="uploads", to="media.video"
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "upload",
                        "verbose_name_plural": "uploads",
                        "ordering": ("-created_at",),
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("part_bytes__gt", 0), ("size_bytes__gt", 0)),
                                name="media_upload_sizes_positive",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    (
                                        "size_bytes__lte",
                                        django.db.models.expressions.CombinedExpression(
                                            models.F("part_bytes"), "*", models.Value(10000)
                                        ),
                                    )
                                ),
                                name="media_upload_at_most_10000_parts",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("status", "open")), fields=("video",), name="media_upload_one_open"
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="StoredTree",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("prefix", models.CharField(max_length=255, unique=True)),
                        ("created_at", models.DateTimeField()),
                        ("remove_after", models.DateTimeField(db_index=True, null=True)),
                        (
                            "video",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="stored_trees",
                                to="media.video",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "stored folder",
                        "verbose_name_plural": "stored folders",
                    },
                ),
                migrations.CreateModel(
                    name="Rendition",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("version", models.CharField(max_length=16)),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("hls", "Quality"),
                                    ("audio", "Sound only"),
                                    ("mp4", "MP4 download"),
                                    ("poster", "Poster"),
                                    ("sprite", "Preview pictures"),
                                ],
                                max_length=8,
                            ),
                        ),
                        ("name", models.CharField(max_length=40)),
                        ("path", models.CharField(max_length=120)),
                        ("bytes", models.PositiveBigIntegerField()),
                        ("width", models.PositiveIntegerField(null=True)),
                        ("height", models.PositiveIntegerField(null=True)),
                        ("frame_rate", models.PositiveSmallIntegerField(null=True)),
                        ("bandwidth_peak", models.PositiveBigIntegerField(null=True)),
                        ("bandwidth_average", models.PositiveBigIntegerField(null=True)),
                        (
                            "video",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="renditions", to="media.video"
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "rendition",
                        "verbose_name_plural": "renditions",
                        "ordering": ("video", "kind", "bandwidth_peak", "name"),
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("video", "version", "name"), name="media_rendition_name_once"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("bytes__gt", 0)), name="media_rendition_not_empty"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("kind__in", ("hls", "audio")), _negated=True),
                                    models.Q(
                                        ("bandwidth_average__gt", 0),
                                        ("bandwidth_peak__gt", 0),
                                        ("bandwidth_peak__gte", models.F("bandwidth_average")),
                                    ),
                                    _connector="OR",
                                ),
                                name="media_rendition_stream_is_measured",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Caption",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("language", models.CharField(max_length=12, verbose_name="language")),
                        (
                            "label",
                            models.CharField(
                                help_text="Shown in the player's menu, for example English.",
                                max_length=60,
                                verbose_name="label",
                            ),
                        ),
                        (
                            "path",
                            models.CharField(
                                editable=False, help_text="Relative to the video's folder.", max_length=120
                            ),
                        ),
                        ("cues", models.PositiveIntegerField(editable=False, verbose_name="number of captions")),
                        ("created_at", models.DateTimeField(editable=False)),
                        (
                            "video",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="captions", to="media.video"
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "caption file",
                        "verbose_name_plural": "caption files",
                        "ordering": ("language",),
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("video", "language"),
                                name="media_caption_language_once",
                                violation_error_message="There are captions in this language already. Remove them first.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("language", ""), _negated=True),
                                    models.Q(("label", ""), _negated=True),
                                    models.Q(("path", ""), _negated=True),
                                ),
                                name="media_caption_named",
                            ),
                            models.CheckConstraint(condition=models.Q(("cues__gt", 0)), name="media_caption_not_empty"),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="UploadPart",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("number", models.PositiveIntegerField()),
                        ("size_bytes", models.PositiveBigIntegerField()),
                        ("checksum", models.CharField(max_length=80)),
                        (
                            "upload",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="parts", to="media.upload"
                            ),
                        ),
                    ],
                    options={
                        "ordering": ("number",),
                        "constraints": [
                            models.UniqueConstraint(fields=("upload", "number"), name="media_part_number_once"),
                            models.CheckConstraint(
                                condition=models.Q(("number__gte", 1), ("number__lte", 10000)),
                                name="media_part_number_in_range",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("size_bytes__gt", 0)), name="media_part_not_empty"
                            ),
                        ],
                    },
                ),
            ]
        ),
    ]
