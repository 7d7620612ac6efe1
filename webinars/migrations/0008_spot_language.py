from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("webinars", "0007_look_up_at_the_door")]

    operations = [
        migrations.AddField(
            model_name="spotrequest",
            name="language",
            field=models.CharField(blank=True, default="", help_text="In which the page was read.", max_length=12),
            preserve_default=False,
        ),
    ]
