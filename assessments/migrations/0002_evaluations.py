import uuid

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.constraints
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

FORWARD = """
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
BACKWARD = """
DROP TRIGGER assessments_form_question_fixed ON assessments_evaluationquestion;
DROP FUNCTION assessments_keep_asked();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("assessments", "0001_initial"),
        ("courses", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="EvaluationForm",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(blank=True, editable=False, help_text="Of a ready form.", max_length=40)),
                ("title", models.CharField(max_length=200, verbose_name="title")),
                (
                    "introduction",
                    models.TextField(
                        blank=True, help_text="Doctors read it.", max_length=2000, verbose_name="introduction"
                    ),
                ),
                ("edition", models.PositiveSmallIntegerField(default=1, editable=False, verbose_name="edition")),
                ("frozen_at", models.DateTimeField(editable=False, null=True, verbose_name="first answered at")),
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
            },
        ),
        migrations.CreateModel(
            name="Evaluation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
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
                        on_delete=django.db.models.deletion.CASCADE, related_name="evaluation", to="courses.lesson"
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
            },
        ),
        migrations.CreateModel(
            name="EvaluationQuestion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
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
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "receipt of an evaluation",
                "verbose_name_plural": "receipts of evaluations",
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
            },
        ),
        migrations.AddConstraint(
            model_name="evaluationform",
            constraint=models.UniqueConstraint(
                fields=("programme", "title", "edition"), name="assessments_form_edition", nulls_distinct=False
            ),
        ),
        migrations.AddConstraint(
            model_name="evaluationform",
            constraint=models.UniqueConstraint(
                condition=models.Q(("key", ""), _negated=True), fields=("key",), name="assessments_form_key"
            ),
        ),
        migrations.AddConstraint(
            model_name="evaluationform",
            constraint=models.CheckConstraint(
                condition=models.Q(("key", ""), ("programme", None), _connector="OR"),
                name="assessments_form_ready_is_for_all",
            ),
        ),
        migrations.AddConstraint(
            model_name="evaluationform",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("edition", 1), ("replaces", None)),
                    models.Q(("edition__gt", 1), ("replaces__isnull", False)),
                    _connector="OR",
                ),
                name="assessments_form_replaces",
            ),
        ),
        migrations.AddConstraint(
            model_name="evaluation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("about", None), models.Q(("about", models.F("lesson")), _negated=True), _connector="OR"
                ),
                name="assessments_evaluation_not_about_itself",
            ),
        ),
        migrations.AddConstraint(
            model_name="evaluationquestion",
            constraint=models.UniqueConstraint(
                deferrable=django.db.models.constraints.Deferrable["DEFERRED"],
                fields=("form", "position"),
                name="assessments_form_question_position",
            ),
        ),
        migrations.AddConstraint(
            model_name="evaluationquestion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("choices__len__gte", 2), ("kind__in", ("one", "several"))),
                    models.Q(models.Q(("kind__in", ("one", "several")), _negated=True), ("choices", [])),
                    _connector="OR",
                ),
                name="assessments_form_question_choices",
                violation_error_message="Give at least two choices, and only where there is something to choose.",
            ),
        ),
        migrations.AddConstraint(
            model_name="evaluationreceipt",
            constraint=models.UniqueConstraint(fields=("evaluation", "user"), name="assessments_receipt_once"),
        ),
        migrations.AddConstraint(
            model_name="evaluationresponse",
            constraint=models.UniqueConstraint(
                condition=models.Q(("user__isnull", False)),
                fields=("evaluation", "user"),
                name="assessments_response_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="evaluationanswer",
            constraint=models.UniqueConstraint(
                fields=("response", "question"), name="assessments_evaluation_answer_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="evaluationanswer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("chosen", []), ("number__isnull", False), ("text", "")),
                    models.Q(("chosen__len__gte", 1), ("number", None), ("text", "")),
                    models.Q(("chosen", []), ("number", None), models.Q(("text", ""), _negated=True)),
                    _connector="OR",
                ),
                name="assessments_evaluation_answer_one_shape",
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
