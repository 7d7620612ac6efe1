from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # the indexes are built while statements are sent

    dependencies = [("analytics", "0002_statements_as_an_outbox")]

    operations = [
        AddIndexConcurrently(
            model_name="statement",
            index=models.Index(
                condition=models.Q(("state__in", ["given_up", "refused"])),
                fields=["ended_at"],
                name="analytics_statement_dead",
            ),
        ),
        AddIndexConcurrently(
            model_name="statement",
            index=models.Index(fields=["source"], name="analytics_statement_source"),
        ),
    ]
