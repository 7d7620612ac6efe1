"""What a new database begins with: all that the migrations which it replaces came to."""

import uuid

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.constraints
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from core.together import CreateModels

FIXED = """
CREATE FUNCTION assessments_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'What doctors were asked is never changed: % of % refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER assessments_version_fixed BEFORE UPDATE OR DELETE ON assessments_itemversion
    FOR EACH ROW EXECUTE FUNCTION assessments_refuse_change();
CREATE TRIGGER assessments_revision_fixed BEFORE UPDATE OR DELETE ON assessments_keyrevision
    FOR EACH ROW EXECUTE FUNCTION assessments_refuse_change();
CREATE TRIGGER assessments_scorechange_fixed BEFORE UPDATE OR DELETE ON assessments_scorechange
    FOR EACH ROW EXECUTE FUNCTION assessments_refuse_change();
"""
ASKED = """
CREATE FUNCTION assessments_keep_asked() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    of_form bigint := CASE WHEN TG_OP = 'INSERT' THEN NEW.form_id ELSE OLD.form_id END;
BEGIN
    IF EXISTS (SELECT FROM assessments_evaluationform WHERE id = of_form AND frozen_at IS NOT NULL) THEN
        RAISE EXCEPTION 'A form that was answered keeps its questions: % refused', TG_OP
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END
$$;
CREATE TRIGGER assessments_form_question_fixed BEFORE INSERT OR UPDATE OR DELETE ON assessments_evaluationquestion
    FOR EACH ROW EXECUTE FUNCTION assessments_keep_asked();
"""


class Migration(migrations.Migration):
    initial = True

    replaces = [
        ("assessments", "0001_initial"),
        ("assessments", "0002_evaluations"),
        ("assessments", "0003_ranking"),
        ("assessments", "0004_marking"),
        ("assessments", "0005_marking_desk"),
        ("assessments", "0006_attempt_time_limit"),
    ]

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("courses", "0001_squashed_0006_lessons_by_their_completion"),
    ]

    operations = [
        CreateModels(
            [
                migrations.CreateModel(
                    name="Board",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("title", models.CharField(max_length=200, unique=True, verbose_name="title")),
                    ],
                    options={
                        "verbose_name": "curriculum",
                        "verbose_name_plural": "curricula",
                        "ordering": ("title",),
                    },
                ),
                migrations.CreateModel(
                    name="Attempt",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("number", models.PositiveSmallIntegerField()),
                        (
                            "allowed",
                            models.PositiveSmallIntegerField(
                                help_text="Attempts this person had when it started; none: without limit.", null=True
                            ),
                        ),
                        (
                            "seed",
                            models.BigIntegerField(help_text="Everything random about the paper follows from it."),
                        ),
                        ("paper", models.JSONField()),
                        ("is_one_way", models.BooleanField(default=False)),
                        ("wrong_share", models.DecimalField(decimal_places=3, default=0, max_digits=4)),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("open", "Open"),
                                    ("submitted", "Being marked"),
                                    ("marked", "Marked"),
                                    ("void", "Struck out"),
                                ],
                                default="open",
                                max_length=9,
                            ),
                        ),
                        ("started_at", models.DateTimeField()),
                        ("deadline_at", models.DateTimeField(null=True)),
                        ("grace_seconds", models.PositiveSmallIntegerField(default=0)),
                        (
                            "reached",
                            models.PositiveSmallIntegerField(
                                default=0, help_text="Furthest position; one-way tests go only on."
                            ),
                        ),
                        ("submitted_at", models.DateTimeField(null=True)),
                        (
                            "ended_by",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("person", "Handed in"),
                                    ("deadline", "Time was up"),
                                    ("operator", "Ended by an operator"),
                                ],
                                max_length=8,
                            ),
                        ),
                        ("most_points", models.DecimalField(decimal_places=2, max_digits=9)),
                        ("score", models.DecimalField(decimal_places=4, max_digits=11, null=True)),
                        ("pass_percent", models.DecimalField(decimal_places=2, max_digits=5, null=True)),
                        ("is_passed", models.BooleanField(null=True)),
                        ("counts", models.BooleanField(default=False, help_text="The one of this person that counts.")),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="attempts",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "quiz",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="attempts",
                                to="assessments.quiz",
                            ),
                        ),
                        (
                            "time_limit_seconds",
                            models.PositiveIntegerField(
                                help_text="Of the test when it started, without extra time; the deadline follows from it.",
                                null=True,
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "attempt",
                        "verbose_name_plural": "attempts",
                        "ordering": ("quiz", "user", "number"),
                        "indexes": [
                            models.Index(
                                condition=models.Q(("deadline_at__isnull", False), ("state", "open")),
                                fields=["deadline_at"],
                                name="assessments_attempt_due",
                            ),
                            models.Index(
                                condition=models.Q(("counts", True)),
                                fields=["quiz", "-score"],
                                name="assessments_attempt_ranked",
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("quiz", "user", "number"), name="assessments_attempt_number"
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("state", "open")),
                                fields=("quiz", "user"),
                                name="assessments_attempt_one_open",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("counts", True)),
                                fields=("quiz", "user"),
                                name="assessments_attempt_one_counts",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("number__gte", 1),
                                    models.Q(("allowed", None), ("number__lte", models.F("allowed")), _connector="OR"),
                                ),
                                name="assessments_attempt_limit",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("counts", False), ("ended_by", ""), ("state", "open"), ("submitted_at", None)
                                    ),
                                    models.Q(
                                        models.Q(("state", "open"), _negated=True), ("submitted_at__isnull", False)
                                    ),
                                    _connector="OR",
                                ),
                                name="assessments_attempt_open",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("state", "marked"), _negated=True),
                                    ("score__isnull", False),
                                    _connector="OR",
                                ),
                                name="assessments_attempt_marked",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("counts", False), ("state", "marked"), _connector="OR"),
                                name="assessments_attempt_counts_when_marked",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("deadline_at", None), ("deadline_at__gt", models.F("started_at")), _connector="OR"
                                ),
                                name="assessments_attempt_deadline",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("submitted_at", None),
                                    ("submitted_at__gte", models.F("started_at")),
                                    _connector="OR",
                                ),
                                name="assessments_attempt_submitted_later",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("score", None),
                                    models.Q(("score__gte", 0), ("score__lte", models.F("most_points"))),
                                    _connector="OR",
                                ),
                                name="assessments_attempt_score",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Bank",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("title", models.CharField(max_length=200, verbose_name="title")),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        (
                            "programme",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="banks",
                                to="courses.programme",
                                verbose_name="programme",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "question bank",
                        "verbose_name_plural": "question banks",
                        "ordering": ("programme", "title"),
                        "constraints": [
                            models.UniqueConstraint(fields=("programme", "title"), name="assessments_bank_title")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="BoardTopic",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("code", models.CharField(max_length=40, verbose_name="code")),
                        ("title", models.CharField(max_length=200, verbose_name="title")),
                        (
                            "board",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="topics",
                                to="assessments.board",
                                verbose_name="curriculum",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "topic of a curriculum",
                        "verbose_name_plural": "topics of a curriculum",
                        "ordering": ("board", "code"),
                        "constraints": [
                            models.UniqueConstraint(fields=("board", "code"), name="assessments_topic_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Item",
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
                                    ("single", "Single best answer"),
                                    ("multiple", "Several answers"),
                                    ("true_false", "True or false"),
                                    ("matching", "Extended matching"),
                                    ("ordering", "Put in order"),
                                    ("numeric", "Number"),
                                    ("short", "Short answer"),
                                    ("essay", "Essay"),
                                    ("hotspot", "Point in a picture"),
                                    ("vignette", "Clinical vignette"),
                                ],
                                max_length=12,
                                verbose_name="kind",
                            ),
                        ),
                        (
                            "name",
                            models.CharField(
                                help_text="For authors; doctors do not see it.",
                                max_length=120,
                                verbose_name="short name",
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[("draft", "Draft"), ("ready", "Ready"), ("retired", "Retired")],
                                default="draft",
                                max_length=8,
                                verbose_name="state",
                            ),
                        ),
                        (
                            "position",
                            models.PositiveSmallIntegerField(
                                blank=True, null=True, verbose_name="position in the vignette"
                            ),
                        ),
                        (
                            "tags",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=60),
                                blank=True,
                                default=list,
                                size=None,
                                verbose_name="tags",
                            ),
                        ),
                        (
                            "difficulty",
                            models.PositiveSmallIntegerField(
                                blank=True,
                                help_text="As the author sees it, from 1 (easy) to 5 (hard).",
                                null=True,
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(5),
                                ],
                                verbose_name="difficulty",
                            ),
                        ),
                        (
                            "exposure_percent",
                            models.PositiveSmallIntegerField(
                                blank=True,
                                help_text="For random draws. Empty: as often as it comes.",
                                null=True,
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(100),
                                ],
                                verbose_name="on at most this share of papers, percent",
                            ),
                        ),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        ("updated_at", models.DateTimeField(auto_now=True)),
                        (
                            "bank",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="items",
                                to="assessments.bank",
                                verbose_name="question bank",
                            ),
                        ),
                        (
                            "vignette",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="parts",
                                to="assessments.item",
                                verbose_name="part of the vignette",
                            ),
                        ),
                        (
                            "topics",
                            models.ManyToManyField(
                                blank=True,
                                related_name="items",
                                through="assessments.ItemTopic",
                                to="assessments.boardtopic",
                                verbose_name="topics of curricula",
                            ),
                        ),
                        (
                            "version",
                            models.ForeignKey(
                                editable=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="assessments.itemversion",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "question",
                        "verbose_name_plural": "questions",
                        "ordering": ("bank", "name", "id"),
                        "indexes": [
                            django.contrib.postgres.indexes.GinIndex(fields=["tags"], name="assessments_item_tags"),
                            models.Index(fields=["bank", "state", "difficulty"], name="assessments_item_draw"),
                        ],
                        "constraints": [
                            models.UniqueConstraint(fields=("bank", "name"), name="assessments_item_name"),
                            models.UniqueConstraint(
                                deferrable=django.db.models.constraints.Deferrable["DEFERRED"],
                                fields=("vignette", "position"),
                                name="assessments_item_position",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("position", None), ("vignette", None)),
                                    models.Q(
                                        ("position__gte", 1),
                                        ("vignette__isnull", False),
                                        models.Q(("kind", "vignette"), _negated=True),
                                    ),
                                    _connector="OR",
                                ),
                                name="assessments_item_part",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("difficulty", None), ("difficulty__range", (1, 5)), _connector="OR"
                                ),
                                name="assessments_item_difficulty",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("exposure_percent", None), ("exposure_percent__range", (1, 100)), _connector="OR"
                                ),
                                name="assessments_item_exposure",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("state", "ready"), _negated=True),
                                    ("version__isnull", False),
                                    _connector="OR",
                                ),
                                name="assessments_item_ready_has_text",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ItemImage",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("key", models.CharField(help_text="In the private storage.", max_length=200, unique=True)),
                        ("sha256", models.CharField(max_length=64)),
                        ("width", models.PositiveSmallIntegerField()),
                        ("height", models.PositiveSmallIntegerField()),
                        (
                            "description",
                            models.CharField(
                                help_text="For those who cannot see it.", max_length=500, verbose_name="what it shows"
                            ),
                        ),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        (
                            "bank",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="images",
                                to="assessments.bank",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "picture",
                        "verbose_name_plural": "pictures",
                        "constraints": [
                            models.UniqueConstraint(fields=("bank", "sha256"), name="assessments_image_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ItemTopic",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("item", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="assessments.item")),
                        (
                            "topic",
                            models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="assessments.boardtopic"),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("item", "topic"), name="assessments_item_topic_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ItemVersion",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("number", models.PositiveSmallIntegerField()),
                        ("stem", models.TextField(max_length=20000, verbose_name="question")),
                        ("shown", models.JSONField(default=dict)),
                        ("key", models.JSONField(default=dict)),
                        (
                            "watch_seconds",
                            models.PositiveIntegerField(blank=True, null=True, verbose_name="from second"),
                        ),
                        ("made_at", models.DateTimeField()),
                        (
                            "item",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="versions",
                                to="assessments.item",
                            ),
                        ),
                        (
                            "made_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "watch_lesson",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="courses.lesson",
                                verbose_name="explained in the lecture",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "version of a question",
                        "verbose_name_plural": "versions of a question",
                        "ordering": ("item", "number"),
                        "constraints": [
                            models.UniqueConstraint(fields=("item", "number"), name="assessments_version_once"),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("watch_seconds", None), ("watch_lesson__isnull", False), _connector="OR"
                                ),
                                name="assessments_version_watch",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Answer",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("position", models.PositiveSmallIntegerField()),
                        (
                            "value",
                            models.JSONField(help_text="Shape by kind; none: taken back, or never given.", null=True),
                        ),
                        ("saved", models.PositiveIntegerField(default=0)),
                        ("saved_at", models.DateTimeField(null=True)),
                        ("is_flagged", models.BooleanField(default=False)),
                        (
                            "seconds",
                            models.PositiveIntegerField(default=0, help_text="Looked at, as the browser says."),
                        ),
                        (
                            "outcome",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("right", "Right"),
                                    ("partly", "Partly right"),
                                    ("wrong", "Wrong"),
                                    ("blank", "Not answered"),
                                    ("waiting", "To be marked"),
                                ],
                                max_length=7,
                            ),
                        ),
                        (
                            "share",
                            models.DecimalField(
                                decimal_places=6,
                                help_text="Of the points; below 0 where a wrong answer costs something.",
                                max_digits=7,
                                null=True,
                                validators=[
                                    django.core.validators.MinValueValidator(-1),
                                    django.core.validators.MaxValueValidator(1),
                                ],
                            ),
                        ),
                        ("points", models.DecimalField(decimal_places=4, max_digits=9, null=True)),
                        (
                            "key_number",
                            models.PositiveSmallIntegerField(
                                db_default=0,
                                default=0,
                                help_text="The correction of the key by which it was marked; 0: the key it was made with.",
                            ),
                        ),
                        (
                            "is_marked_by_hand",
                            models.BooleanField(
                                db_default=False,
                                default=False,
                                help_text="A person's word stands, whatever the key says.",
                            ),
                        ),
                        (
                            "attempt",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="answers",
                                to="assessments.attempt",
                            ),
                        ),
                        (
                            "version",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="answers",
                                to="assessments.itemversion",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "answer",
                        "verbose_name_plural": "answers",
                        "indexes": [
                            models.Index(fields=["version", "key_number"], name="assessments_answer_key"),
                            models.Index(
                                condition=models.Q(("outcome", "waiting")),
                                fields=["attempt"],
                                name="assessments_answer_waiting",
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(fields=("attempt", "position"), name="assessments_answer_once"),
                            models.CheckConstraint(
                                condition=models.Q(("share", None), ("share__range", (-1, 1)), _connector="OR"),
                                name="assessments_answer_share",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("outcome", ""), ("points", None), ("share", None)),
                                    models.Q(("outcome", "waiting"), ("points", None)),
                                    models.Q(
                                        models.Q(("outcome__in", ["", "waiting"]), _negated=True),
                                        ("points__isnull", False),
                                        ("share__isnull", False),
                                    ),
                                    _connector="OR",
                                ),
                                name="assessments_answer_marked",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="KeyRevision",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("number", models.PositiveSmallIntegerField()),
                        ("key", models.JSONField()),
                        ("reason", models.CharField(max_length=500, verbose_name="reason")),
                        ("made_at", models.DateTimeField()),
                        (
                            "made_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "version",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="revisions",
                                to="assessments.itemversion",
                            ),
                        ),
                        (
                            "gives_everybody",
                            models.BooleanField(
                                db_default=False,
                                default=False,
                                help_text="Whatever was answered, and also where nothing was: the question itself was at fault.",
                                verbose_name="everybody gets the points",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "corrected key",
                        "verbose_name_plural": "corrected keys",
                        "ordering": ("version", "number"),
                        "constraints": [
                            models.UniqueConstraint(fields=("version", "number"), name="assessments_revision_once"),
                            models.CheckConstraint(
                                condition=models.Q(("number__gte", 1), models.Q(("reason", ""), _negated=True)),
                                name="assessments_revision_reason",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Quiz",
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
                                    ("pre_test", "Test before"),
                                    ("post_test", "Test after"),
                                    ("mock_exam", "Mock exam"),
                                    ("check", "Check within a webinar"),
                                ],
                                default="post_test",
                                max_length=10,
                                verbose_name="kind",
                            ),
                        ),
                        (
                            "instructions",
                            models.TextField(blank=True, max_length=5000, verbose_name="what to know before the start"),
                        ),
                        (
                            "time_limit_seconds",
                            models.PositiveIntegerField(
                                blank=True,
                                null=True,
                                validators=[
                                    django.core.validators.MinValueValidator(30),
                                    django.core.validators.MaxValueValidator(86400),
                                ],
                                verbose_name="time, seconds",
                            ),
                        ),
                        (
                            "grace_seconds",
                            models.PositiveSmallIntegerField(
                                default=10,
                                help_text="What arrives that much after the time still counts: a slow line is nobody's fault.",
                                validators=[django.core.validators.MaxValueValidator(120)],
                                verbose_name="grace, seconds",
                            ),
                        ),
                        (
                            "attempts_allowed",
                            models.PositiveSmallIntegerField(
                                blank=True,
                                help_text="Empty: without limit.",
                                null=True,
                                validators=[django.core.validators.MinValueValidator(1)],
                                verbose_name="attempts",
                            ),
                        ),
                        (
                            "counting",
                            models.CharField(
                                choices=[
                                    ("best", "The best attempt"),
                                    ("last", "The last attempt"),
                                    ("first", "The first attempt"),
                                ],
                                default="best",
                                max_length=6,
                                verbose_name="what counts",
                            ),
                        ),
                        (
                            "pass_percent",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                max_digits=5,
                                null=True,
                                validators=[
                                    django.core.validators.MinValueValidator(0),
                                    django.core.validators.MaxValueValidator(100),
                                ],
                                verbose_name="pass mark, percent",
                            ),
                        ),
                        (
                            "completes_by",
                            models.CharField(
                                choices=[("submitting", "Handing it in"), ("passing", "Passing")],
                                default="submitting",
                                max_length=10,
                                verbose_name="the lesson is completed by",
                            ),
                        ),
                        (
                            "wrong_share",
                            models.DecimalField(
                                decimal_places=3,
                                default=0,
                                help_text="As a share of the points of the question; 0.333 makes guessing among four worthless.",
                                max_digits=4,
                                validators=[
                                    django.core.validators.MinValueValidator(0),
                                    django.core.validators.MaxValueValidator(1),
                                ],
                                verbose_name="a wrong single answer costs",
                            ),
                        ),
                        (
                            "marks_when",
                            models.CharField(
                                choices=[
                                    ("never", "Never"),
                                    ("submitted", "Once it is handed in"),
                                    ("done", "Once it is passed, or no attempt is left"),
                                    ("closed", "Once the test has closed for everybody"),
                                ],
                                default="submitted",
                                max_length=9,
                                verbose_name="result is shown",
                            ),
                        ),
                        (
                            "answers_when",
                            models.CharField(
                                choices=[
                                    ("never", "Never"),
                                    ("submitted", "Once it is handed in"),
                                    ("done", "Once it is passed, or no attempt is left"),
                                    ("closed", "Once the test has closed for everybody"),
                                ],
                                default="done",
                                max_length=9,
                                verbose_name="right answers and reasons are shown",
                            ),
                        ),
                        (
                            "shuffles_items",
                            models.BooleanField(default=False, verbose_name="questions in random order"),
                        ),
                        ("shuffles_options", models.BooleanField(default=True, verbose_name="answers in random order")),
                        (
                            "is_one_way",
                            models.BooleanField(default=False, verbose_name="no way back to earlier questions"),
                        ),
                        ("has_ranking", models.BooleanField(default=False, verbose_name="ranking")),
                        (
                            "markers_needed",
                            models.PositiveSmallIntegerField(
                                default=1,
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(2),
                                ],
                                verbose_name="persons who mark each open answer",
                            ),
                        ),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        ("updated_at", models.DateTimeField(auto_now=True)),
                        (
                            "during",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="checks",
                                to="courses.lesson",
                                verbose_name="within the webinar",
                            ),
                        ),
                        (
                            "lesson",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE, related_name="quiz", to="courses.lesson"
                            ),
                        ),
                        (
                            "pre_test",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="post_tests",
                                to="assessments.quiz",
                                verbose_name="compared with the test before",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "test",
                        "verbose_name_plural": "tests",
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("time_limit_seconds", None),
                                    ("time_limit_seconds__range", (30, 86400)),
                                    _connector="OR",
                                ),
                                name="assessments_quiz_time",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("grace_seconds__lte", 120)), name="assessments_quiz_grace"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("attempts_allowed", None), ("attempts_allowed__gte", 1), _connector="OR"
                                ),
                                name="assessments_quiz_attempts",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("pass_percent", None), ("pass_percent__range", (0, 100)), _connector="OR"
                                ),
                                name="assessments_quiz_pass",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("completes_by", "passing"), _negated=True),
                                    ("pass_percent__isnull", False),
                                    _connector="OR",
                                ),
                                name="assessments_quiz_passing_needs_mark",
                                violation_error_message="Give the pass mark, or let handing in complete the lesson.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("wrong_share__range", (0, 1))), name="assessments_quiz_wrong_share"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("markers_needed__range", (1, 2))), name="assessments_quiz_markers"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("during", None), ("kind", "check"), _connector="OR"),
                                name="assessments_quiz_during_is_check",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("pre_test", None),
                                    models.Q(
                                        ("kind", "post_test"), models.Q(("pre_test", models.F("id")), _negated=True)
                                    ),
                                    _connector="OR",
                                ),
                                name="assessments_quiz_pair",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Pause",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("began_at", models.DateTimeField()),
                        ("ended_at", models.DateTimeField(null=True)),
                        (
                            "reason",
                            models.CharField(help_text="Doctors read it.", max_length=300, verbose_name="reason"),
                        ),
                        (
                            "began_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "ended_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "quiz",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="pauses",
                                to="assessments.quiz",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "pause",
                        "verbose_name_plural": "pauses",
                        "ordering": ("quiz", "began_at"),
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("ended_at", None)),
                                fields=("quiz",),
                                name="assessments_pause_one_open",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("ended_at", None), ("ended_at__gte", models.F("began_at")), _connector="OR"
                                ),
                                name="assessments_pause_ends_later",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Candidate",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "extra_percent",
                            models.PositiveSmallIntegerField(
                                default=0,
                                validators=[django.core.validators.MaxValueValidator(300)],
                                verbose_name="extra time, percent",
                            ),
                        ),
                        (
                            "extra_attempts",
                            models.PositiveSmallIntegerField(
                                default=0,
                                validators=[django.core.validators.MaxValueValidator(20)],
                                verbose_name="extra attempts",
                            ),
                        ),
                        ("extra_reason", models.CharField(blank=True, max_length=300, verbose_name="reason")),
                        ("shows_name", models.BooleanField(default=False, verbose_name="name on the board")),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "quiz",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="candidates",
                                to="assessments.quiz",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "candidate",
                        "verbose_name_plural": "candidates",
                        "constraints": [
                            models.UniqueConstraint(fields=("quiz", "user"), name="assessments_candidate_once"),
                            models.CheckConstraint(
                                condition=models.Q(("extra_attempts__lte", 20), ("extra_percent__lte", 300)),
                                name="assessments_candidate_extra",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("extra_attempts", 0), ("extra_percent", 0)),
                                    models.Q(("extra_reason", ""), _negated=True),
                                    _connector="OR",
                                ),
                                name="assessments_candidate_extra_reason",
                                violation_error_message="Say why: an auditor will ask.",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Section",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("position", models.PositiveSmallIntegerField(verbose_name="position")),
                        ("title", models.CharField(blank=True, max_length=200, verbose_name="title")),
                        ("instructions", models.TextField(blank=True, max_length=5000, verbose_name="instructions")),
                        (
                            "quiz",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="sections",
                                to="assessments.quiz",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "section",
                        "verbose_name_plural": "sections",
                        "ordering": ("quiz", "position"),
                        "constraints": [
                            models.UniqueConstraint(
                                deferrable=django.db.models.constraints.Deferrable["DEFERRED"],
                                fields=("quiz", "position"),
                                name="assessments_section_position",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Pick",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("position", models.PositiveSmallIntegerField(verbose_name="position")),
                        (
                            "count",
                            models.PositiveSmallIntegerField(
                                default=1,
                                validators=[django.core.validators.MinValueValidator(1)],
                                verbose_name="how many",
                            ),
                        ),
                        (
                            "tags",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=60),
                                blank=True,
                                default=list,
                                size=None,
                                verbose_name="with all these tags",
                            ),
                        ),
                        (
                            "difficulty_from",
                            models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="difficulty from"),
                        ),
                        ("difficulty_to", models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="to")),
                        (
                            "points",
                            models.DecimalField(
                                decimal_places=2,
                                default=1,
                                max_digits=6,
                                validators=[django.core.validators.MinValueValidator(0)],
                                verbose_name="points each",
                            ),
                        ),
                        (
                            "bank",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="picks",
                                to="assessments.bank",
                                verbose_name="or drawn from",
                            ),
                        ),
                        (
                            "item",
                            models.ForeignKey(
                                blank=True,
                                limit_choices_to={"vignette": None},
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="picks",
                                to="assessments.item",
                                verbose_name="this question",
                            ),
                        ),
                        (
                            "topic",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="assessments.boardtopic",
                                verbose_name="of the topic",
                            ),
                        ),
                        (
                            "section",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="picks",
                                to="assessments.section",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "questions of a section",
                        "verbose_name_plural": "questions of a section",
                        "ordering": ("section", "position"),
                        "constraints": [
                            models.UniqueConstraint(
                                deferrable=django.db.models.constraints.Deferrable["DEFERRED"],
                                fields=("section", "position"),
                                name="assessments_pick_position",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("bank", None), ("count", 1), ("item__isnull", False)),
                                    models.Q(("bank__isnull", False), ("count__gte", 1), ("item", None)),
                                    _connector="OR",
                                ),
                                name="assessments_pick_one_source",
                                violation_error_message="Choose a question, or a bank to draw from.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("points__gte", 0)), name="assessments_pick_points"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("difficulty_from", None),
                                    ("difficulty_to", None),
                                    ("difficulty_to__gte", models.F("difficulty_from")),
                                    _connector="OR",
                                ),
                                name="assessments_pick_difficulty",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="EvaluationForm",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "key",
                            models.CharField(blank=True, editable=False, help_text="Of a ready form.", max_length=40),
                        ),
                        ("title", models.CharField(max_length=200, verbose_name="title")),
                        (
                            "introduction",
                            models.TextField(
                                blank=True, help_text="Doctors read it.", max_length=2000, verbose_name="introduction"
                            ),
                        ),
                        (
                            "edition",
                            models.PositiveSmallIntegerField(default=1, editable=False, verbose_name="edition"),
                        ),
                        (
                            "frozen_at",
                            models.DateTimeField(editable=False, null=True, verbose_name="first answered at"),
                        ),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        (
                            "programme",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="evaluation_forms",
                                to="courses.programme",
                                verbose_name="programme",
                            ),
                        ),
                        (
                            "replaces",
                            models.OneToOneField(
                                blank=True,
                                editable=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="replaced_by",
                                to="assessments.evaluationform",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "feedback form",
                        "verbose_name_plural": "feedback forms",
                        "ordering": ("programme", "title", "edition"),
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("programme", "title", "edition"),
                                name="assessments_form_edition",
                                nulls_distinct=False,
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("key", ""), _negated=True),
                                fields=("key",),
                                name="assessments_form_key",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("key", ""), ("programme", None), _connector="OR"),
                                name="assessments_form_ready_is_for_all",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("edition", 1), ("replaces", None)),
                                    models.Q(("edition__gt", 1), ("replaces__isnull", False)),
                                    _connector="OR",
                                ),
                                name="assessments_form_replaces",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Evaluation",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "is_anonymous",
                            models.BooleanField(
                                default=True,
                                help_text="Cannot be changed once somebody has answered.",
                                verbose_name="anonymous",
                            ),
                        ),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        (
                            "about",
                            models.ForeignKey(
                                blank=True,
                                help_text="The webinar at whose end doctors are asked for their feedback. Empty: about the whole course.",
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="asked_about",
                                to="courses.lesson",
                                verbose_name="asks about",
                            ),
                        ),
                        (
                            "lesson",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="evaluation",
                                to="courses.lesson",
                            ),
                        ),
                        (
                            "form",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="evaluations",
                                to="assessments.evaluationform",
                                verbose_name="feedback form",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "evaluation",
                        "verbose_name_plural": "evaluations",
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("about", None),
                                    models.Q(("about", models.F("lesson")), _negated=True),
                                    _connector="OR",
                                ),
                                name="assessments_evaluation_not_about_itself",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="EvaluationQuestion",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "position",
                            models.PositiveSmallIntegerField(
                                validators=[django.core.validators.MinValueValidator(1)], verbose_name="position"
                            ),
                        ),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("likert", "Agree or disagree, five steps"),
                                    ("stars", "One to five stars"),
                                    ("nps", "Would recommend, 0 to 10"),
                                    ("one", "One choice"),
                                    ("several", "Several choices"),
                                    ("text", "Free text"),
                                ],
                                default="likert",
                                max_length=7,
                                verbose_name="kind",
                            ),
                        ),
                        (
                            "dimension",
                            models.CharField(
                                choices=[
                                    ("delivery", "Clarity of content delivery"),
                                    ("content", "Medical content"),
                                    ("materials", "Meeting information and materials"),
                                    ("clarification", "Opportunity for clarification"),
                                    ("pace", "Session pace and length"),
                                    ("recommendation", "Recommendation"),
                                    ("bias", "Bias and commercial influence"),
                                    ("practice", "Intended change in practice"),
                                    ("other", "Other"),
                                ],
                                default="other",
                                help_text="Under which heading of the report it counts.",
                                max_length=14,
                                verbose_name="dimension",
                            ),
                        ),
                        ("text", models.CharField(max_length=500, verbose_name="question")),
                        ("help", models.CharField(blank=True, max_length=500, verbose_name="help")),
                        ("is_required", models.BooleanField(default=True, verbose_name="required")),
                        (
                            "choices",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=200),
                                blank=True,
                                default=list,
                                help_text="One a line; only for one choice and several choices.",
                                size=None,
                                verbose_name="choices",
                            ),
                        ),
                        (
                            "form",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="questions",
                                to="assessments.evaluationform",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "question of a form",
                        "verbose_name_plural": "questions of a form",
                        "ordering": ("form", "position"),
                        "constraints": [
                            models.UniqueConstraint(
                                deferrable=django.db.models.constraints.Deferrable["DEFERRED"],
                                fields=("form", "position"),
                                name="assessments_form_question_position",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("choices__len__gte", 2), ("kind__in", ("one", "several"))),
                                    models.Q(
                                        models.Q(("kind__in", ("one", "several")), _negated=True), ("choices", [])
                                    ),
                                    _connector="OR",
                                ),
                                name="assessments_form_question_choices",
                                violation_error_message="Give at least two choices, and only where there is something to choose.",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="EvaluationReceipt",
                    fields=[
                        ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ("answered_on", models.DateField(help_text="In UTC.")),
                        (
                            "evaluation",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="receipts",
                                to="assessments.evaluation",
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
                        "verbose_name": "receipt of an evaluation",
                        "verbose_name_plural": "receipts of evaluations",
                        "constraints": [
                            models.UniqueConstraint(fields=("evaluation", "user"), name="assessments_receipt_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="EvaluationResponse",
                    fields=[
                        ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ("answered_on", models.DateField(help_text="In UTC.")),
                        (
                            "evaluation",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="responses",
                                to="assessments.evaluation",
                            ),
                        ),
                        (
                            "form",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="responses",
                                to="assessments.evaluationform",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "response to an evaluation",
                        "verbose_name_plural": "responses to evaluations",
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("user__isnull", False)),
                                fields=("evaluation", "user"),
                                name="assessments_response_once",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="EvaluationAnswer",
                    fields=[
                        ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ("number", models.PositiveSmallIntegerField(null=True)),
                        (
                            "chosen",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.PositiveSmallIntegerField(), default=list, size=None
                            ),
                        ),
                        ("text", models.TextField(blank=True, max_length=4000)),
                        (
                            "question",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="answers",
                                to="assessments.evaluationquestion",
                            ),
                        ),
                        (
                            "response",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="answers",
                                to="assessments.evaluationresponse",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "answer to an evaluation",
                        "verbose_name_plural": "answers to an evaluation",
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("response", "question"), name="assessments_evaluation_answer_once"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("chosen", []), ("number__isnull", False), ("text", "")),
                                    models.Q(("chosen__len__gte", 1), ("number", None), ("text", "")),
                                    models.Q(("chosen", []), ("number", None), models.Q(("text", ""), _negated=True)),
                                    _connector="OR",
                                ),
                                name="assessments_evaluation_answer_one_shape",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="AnalysisReport",
                    fields=[
                        (
                            "quiz",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                primary_key=True,
                                related_name="analysis",
                                serialize=False,
                                to="assessments.quiz",
                            ),
                        ),
                        (
                            "asked_at",
                            models.DateTimeField(
                                help_text="Being worked out since; none: not being worked out.", null=True
                            ),
                        ),
                        ("made_at", models.DateTimeField(null=True)),
                        ("report", models.JSONField(default=dict)),
                    ],
                    options={
                        "verbose_name": "figures of a test",
                        "verbose_name_plural": "figures of tests",
                    },
                ),
                migrations.CreateModel(
                    name="Ranking",
                    fields=[
                        (
                            "quiz",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                primary_key=True,
                                related_name="ranking",
                                serialize=False,
                                to="assessments.quiz",
                            ),
                        ),
                        ("refreshed_at", models.DateTimeField(null=True)),
                        ("checked_at", models.DateTimeField(help_text="Found to be as the attempts are.", null=True)),
                        (
                            "state_of_attempts",
                            models.CharField(blank=True, help_text="Changes when the counting ones do.", max_length=64),
                        ),
                        ("people", models.PositiveIntegerField(default=0)),
                        (
                            "bins",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.PositiveIntegerField(),
                                default=list,
                                help_text="People by result, in steps of five percent.",
                                size=None,
                            ),
                        ),
                        ("is_final", models.BooleanField(default=False)),
                    ],
                    options={
                        "verbose_name": "ranking",
                        "verbose_name_plural": "rankings",
                    },
                ),
                migrations.CreateModel(
                    name="Place",
                    fields=[
                        (
                            "attempt",
                            models.OneToOneField(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                primary_key=True,
                                related_name="place",
                                serialize=False,
                                to="assessments.attempt",
                            ),
                        ),
                        ("share", models.DecimalField(decimal_places=9, max_digits=10)),
                        ("is_named", models.BooleanField(default=False)),
                        ("country", models.CharField(blank=True, max_length=2)),
                        ("specialty", models.CharField(blank=True, max_length=120)),
                        ("cohort_id", models.BigIntegerField(null=True)),
                        ("place", models.PositiveIntegerField()),
                        ("equal", models.PositiveIntegerField()),
                        ("of", models.PositiveIntegerField()),
                        ("country_place", models.PositiveIntegerField()),
                        ("country_equal", models.PositiveIntegerField()),
                        ("country_of", models.PositiveIntegerField()),
                        ("specialty_place", models.PositiveIntegerField()),
                        ("specialty_equal", models.PositiveIntegerField()),
                        ("specialty_of", models.PositiveIntegerField()),
                        ("cohort_place", models.PositiveIntegerField()),
                        ("cohort_equal", models.PositiveIntegerField()),
                        ("cohort_of", models.PositiveIntegerField()),
                        (
                            "quiz",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="assessments.quiz",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "place",
                        "verbose_name_plural": "places",
                        "indexes": [
                            models.Index(
                                condition=models.Q(("is_named", True)),
                                fields=["quiz", "place"],
                                name="assessments_place_board",
                            )
                        ],
                        "constraints": [
                            models.UniqueConstraint(fields=("quiz", "user"), name="assessments_place_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="HandMark",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "share",
                            models.DecimalField(decimal_places=6, max_digits=7, verbose_name="share of the points"),
                        ),
                        (
                            "rubric",
                            models.JSONField(
                                default=list, help_text="Points by criterion, as texts, in the rubric's order."
                            ),
                        ),
                        ("comment", models.CharField(blank=True, max_length=2000, verbose_name="comment")),
                        (
                            "is_deciding",
                            models.BooleanField(default=False, help_text="Of a third person, where two did not agree."),
                        ),
                        ("at", models.DateTimeField()),
                        (
                            "answer",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="hand_marks",
                                to="assessments.answer",
                            ),
                        ),
                        (
                            "marker",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "points",
                            models.DecimalField(
                                db_default=0,
                                decimal_places=4,
                                default=0,
                                help_text="Exact, of this paper's.",
                                max_digits=9,
                                verbose_name="points",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "mark by hand",
                        "verbose_name_plural": "marks by hand",
                        "constraints": [
                            models.UniqueConstraint(fields=("answer", "marker"), name="assessments_handmark_once"),
                            models.UniqueConstraint(
                                condition=models.Q(("is_deciding", True)),
                                fields=("answer",),
                                name="assessments_handmark_one_decides",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("share__range", (0, 1))), name="assessments_handmark_share"
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ScoreChange",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("reason", models.CharField(max_length=500)),
                        ("score_before", models.DecimalField(decimal_places=4, max_digits=11, null=True)),
                        ("score_after", models.DecimalField(decimal_places=4, max_digits=11, null=True)),
                        ("was_passed", models.BooleanField(null=True)),
                        ("is_passed", models.BooleanField(null=True)),
                        ("at", models.DateTimeField()),
                        (
                            "attempt",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="score_changes",
                                to="assessments.attempt",
                            ),
                        ),
                        (
                            "by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "revision",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="score_changes",
                                to="assessments.keyrevision",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "changed result",
                        "verbose_name_plural": "changed results",
                        "ordering": ("-at", "-id"),
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("reason", ""), _negated=True), name="assessments_scorechange_reason"
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("revision__isnull", False)),
                                fields=("attempt", "revision"),
                                name="assessments_scorechange_once",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="MarkingTurn",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("until", models.DateTimeField(db_index=True)),
                        (
                            "skipped_at",
                            models.DateTimeField(help_text="This person wants to see the others first.", null=True),
                        ),
                        (
                            "answer",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="marking_turns",
                                to="assessments.answer",
                            ),
                        ),
                        (
                            "marker",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "answer before a marker",
                        "verbose_name_plural": "answers before markers",
                        "constraints": [
                            models.UniqueConstraint(fields=("answer", "marker"), name="assessments_turn_once")
                        ],
                    },
                ),
            ]
        ),
        migrations.RunSQL(FIXED, "DROP FUNCTION assessments_refuse_change() CASCADE"),
        migrations.RunSQL(ASKED, "DROP FUNCTION assessments_keep_asked() CASCADE"),
    ]
