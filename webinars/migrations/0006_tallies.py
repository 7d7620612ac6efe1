import django.contrib.postgres.fields
import django.db.models.deletion
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models


class Migration(migrations.Migration):
    """Counts of votes that wait to be announced; words kept out of a cloud; search that forgives a slip of the key."""

    dependencies = [("webinars", "0005_editions")]

    operations = [
        TrigramExtension(),
        migrations.AddField(
            model_name="poll",
            name="hidden_words",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=40),
                blank=True,
                default=list,
                editable=False,
                help_text="Words of a cloud that a moderator keeps from the others.",
                size=None,
            ),
        ),
        migrations.CreateModel(
            name="Tally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
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
        ),
        migrations.AddConstraint(
            model_name="tally",
            constraint=models.UniqueConstraint(
                fields=("webinar", "question", "poll"), name="webinars_tally_once", nulls_distinct=False
            ),
        ),
        migrations.AddConstraint(
            model_name="tally",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("poll__isnull", False), ("question", None)),
                    models.Q(("poll", None), ("question__isnull", False)),
                    _connector="OR",
                ),
                name="webinars_tally_of_one",
            ),
        ),
    ]
