import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("assessments", "0005_marking_desk"),
    ]

    operations = [
        migrations.AddField(
            model_name="attempt",
            name="time_limit_seconds",
            field=models.PositiveIntegerField(
                help_text="Of the test when it started, without extra time; the deadline follows from it.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="pick",
            name="item",
            field=models.ForeignKey(
                blank=True,
                limit_choices_to={"vignette": None},
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="picks",
                to="assessments.item",
                verbose_name="this question",
            ),
        ),
    ]
