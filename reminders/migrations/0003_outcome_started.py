from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reminders", "0002_consent_append_only"),
    ]

    operations = [
        migrations.AlterField(
            model_name="providerevent",
            name="outcome",
            field=models.CharField(
                choices=[
                    ("accepted", "Accepted"),
                    ("delivered", "Delivered"),
                    ("bounced", "Bounced"),
                    ("failed", "Failed"),
                    ("read", "Opened"),
                    ("clicked", "Link followed"),
                    ("complained", "Marked as unwanted"),
                    ("stopped", "Answered STOP"),
                    ("started", "Answered START"),
                ],
                max_length=10,
            ),
        ),
    ]
