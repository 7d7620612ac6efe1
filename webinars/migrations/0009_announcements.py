from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("webinars", "0008_spot_language")]

    operations = [
        migrations.AddIndex(
            model_name="roomevent",
            index=models.Index(
                condition=models.Q(kind="announcement"),
                fields=["webinar", "-number"],
                name="webinars_event_announcement",
            ),
        ),
    ]
