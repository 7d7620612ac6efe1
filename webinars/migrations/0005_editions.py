from django.conf import settings
from django.db import migrations, models
from django.db.models import Q, deletion

import core.db

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


class Migration(migrations.Migration):
    dependencies = [
        ("media", "0002_video_published_source"),
        ("webinars", "0004_live"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(UNCUT, "DROP FUNCTION webinars_uncut(int4multirange, int4multirange)"),
        migrations.RunSQL(UNCUT_POINT, "DROP FUNCTION webinars_uncut_point(double precision, int4multirange)"),
        migrations.AddField(
            model_name="broadcast",
            name="opened_at",
            field=models.DateTimeField(
                blank=True, help_text="When open pages were told that the recording can be watched.", null=True
            ),
        ),
        migrations.AddField(
            model_name="playsession",
            name="shown",
            field=core.db.IntMultiRangeField(  # type: ignore[misc]
                help_text="Which seconds of the uncut recording of a broadcast this version shows; beats count within it.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="playsession",
            name="carried",
            field=core.db.IntMultiRangeField(  # type: ignore[misc]
                help_text="What the person had seen live, in seconds of the uncut recording: counts for completion, not as watched.",
                null=True,
            ),
        ),
        migrations.RunSQL("UPDATE webinars_playsession SET carried = NULL", migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="playsession",
            constraint=models.CheckConstraint(
                condition=Q(carried=None, shown=None)
                | Q(carried__isnull=False, phase="on_demand", shown__isnull=False),
                name="webinars_session_shown_and_carried",
            ),
        ),
        migrations.AddField(
            model_name="watchrecord",
            name="shown",
            field=core.db.IntMultiRangeField(  # type: ignore[misc]
                help_text="Of the latest play session, like the next one.", null=True
            ),
        ),
        migrations.AddField(
            model_name="watchrecord",
            name="carried",
            field=core.db.IntMultiRangeField(  # type: ignore[misc]
                help_text="Seconds that count for completion besides the coverage.", null=True
            ),
        ),
        migrations.CreateModel(
            name="Edition",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
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
                    models.CharField(blank=True, help_text="Of the video, once it was published.", max_length=16),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                (
                    "problem",
                    models.CharField(blank=True, help_text="Why it could not be put together.", max_length=300),
                ),
                ("created_at", models.DateTimeField()),
                (
                    "handed_at",
                    models.DateTimeField(blank=True, help_text="When its file went into the pipeline.", null=True),
                ),
                ("published_at", models.DateTimeField(blank=True, null=True)),
                (
                    "broadcast",
                    models.ForeignKey(on_delete=deletion.CASCADE, related_name="editions", to="webinars.broadcast"),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True, on_delete=deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "edition",
                "verbose_name_plural": "editions",
                "ordering": ("broadcast", "number"),
                "constraints": [
                    models.UniqueConstraint(fields=("broadcast", "number"), name="webinars_edition_number_once"),
                    models.UniqueConstraint(
                        condition=~Q(source_key=""), fields=("source_key",), name="webinars_edition_source_once"
                    ),
                    models.CheckConstraint(
                        condition=Q(handed_at=None, source_key="") | Q(handed_at__isnull=False) & ~Q(source_key=""),
                        name="webinars_edition_handed_has_source",
                    ),
                ],
            },
        ),
    ]
