from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("certification", "0007_kept_names")]

    operations = [
        migrations.AddField(
            model_name="accreditation",
            name="event",
            field=models.CharField(
                blank=True,
                db_default="",
                help_text="A congress or series that a council caps as a whole: the same word at each of its webinars.",
                max_length=80,
                verbose_name="event",
            ),
        ),
    ]
