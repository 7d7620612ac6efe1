from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # the index is built while the room goes on

    dependencies = [("webinars", "0008_spot_language")]

    operations = [
        AddIndexConcurrently(
            model_name="roomevent",
            index=models.Index(
                condition=models.Q(kind="announcement"),
                fields=["webinar", "-number"],
                name="webinars_event_announcement",
            ),
        ),
    ]
