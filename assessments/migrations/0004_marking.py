import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

FORWARD = """
CREATE TRIGGER assessments_scorechange_fixed BEFORE UPDATE OR DELETE ON assessments_scorechange
    FOR EACH ROW EXECUTE FUNCTION assessments_refuse_change();
"""
BACKWARD = "DROP TRIGGER assessments_scorechange_fixed ON assessments_scorechange;"


class Migration(migrations.Migration):
    dependencies = [
        ("assessments", "0003_ranking"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="HandMark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("share", models.DecimalField(decimal_places=6, max_digits=7, verbose_name="share of the points")),
                (
                    "rubric",
                    models.JSONField(default=list, help_text="Points by criterion, as texts, in the rubric's order."),
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
                        on_delete=django.db.models.deletion.CASCADE, related_name="hand_marks", to="assessments.answer"
                    ),
                ),
                (
                    "marker",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
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
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
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
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
