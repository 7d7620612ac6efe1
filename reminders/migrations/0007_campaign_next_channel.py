from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reminders", "0006_more_reasons_not_to_send")]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="fallback_minutes",
            field=models.PositiveIntegerField(blank=True, null=True, verbose_name="minutes until the next channel"),
        ),
        migrations.AddField(
            model_name="campaign",
            name="why_stopped",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=300, verbose_name="why it was stopped"
            ),
        ),
    ]
