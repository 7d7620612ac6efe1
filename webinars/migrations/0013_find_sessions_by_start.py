from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("webinars", "0012_newest_second")]

    operations = [
        AddIndexConcurrently(
            model_name="playsession",
            index=models.Index(fields=["started_at"], include=["webinar"], name="webinars_session_started"),
        ),
    ]
