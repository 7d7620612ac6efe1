import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("certification", "0008_events"), ("courses", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="activity",
            name="same_as",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="Of a copy: the webinar that it is a copy of. Whoever has credit of one of them has none of the"
                " other.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="courses.lesson",
                verbose_name="same content as",
            ),
        ),
        migrations.AddField(
            model_name="claim",
            name="copy_of",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="courses.lesson",
            ),
        ),
    ]
