from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reminders", "0007_campaign_next_channel")]

    operations = [
        migrations.AddField(
            model_name="delivery", name="lost_claim", field=models.UUIDField(editable=False, null=True)
        ),
        migrations.AddField(
            model_name="delivery", name="ask_at", field=models.DateTimeField(editable=False, null=True)
        ),
    ]
