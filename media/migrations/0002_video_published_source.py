from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("media", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="video",
            name="published_source",
            field=models.CharField(
                blank=True,
                editable=False,
                help_text="The `source_key` that the published version shows.",
                max_length=255,
            ),
        ),
    ]
