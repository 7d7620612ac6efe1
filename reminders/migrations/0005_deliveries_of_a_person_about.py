from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # the index is built while messages are sent

    dependencies = [("reminders", "0004_deliveries_by_their_end")]

    operations = [
        AddIndexConcurrently(
            model_name="delivery",
            index=models.Index(fields=["subject", "kind", "user"], name="reminders_delivery_about"),
        ),
        RemoveIndexConcurrently(model_name="delivery", name="reminders_delivery_subject"),
    ]
