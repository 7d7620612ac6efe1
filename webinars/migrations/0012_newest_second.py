from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("webinars", "0011_room_checks")]

    operations = [
        migrations.AddField(
            model_name="watchrecord",
            name="grew_at",
            field=models.DateTimeField(help_text="Of the latest beat that brought a new second.", null=True),
        ),
    ]
