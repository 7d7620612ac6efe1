import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("assessments", "0004_marking"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="handmark",
            name="points",
            field=models.DecimalField(
                db_default=0,
                decimal_places=4,
                default=0,
                help_text="Exact, of this paper's.",
                max_digits=9,
                verbose_name="points",
            ),
        ),
        migrations.AddField(
            model_name="keyrevision",
            name="gives_everybody",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Whatever was answered, and also where nothing was: the question itself was at fault.",
                verbose_name="everybody gets the points",
            ),
        ),
        migrations.CreateModel(
            name="MarkingTurn",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
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
                    models.UniqueConstraint(fields=("answer", "marker"), name="assessments_turn_once"),
                ],
            },
        ),
    ]
