from django.db import migrations, models
from django.db.models import deletion


class Migration(migrations.Migration):
    dependencies = [("webinars", "0002_functions")]

    operations = [
        migrations.AddField(
            model_name="webinar",
            name="counted_seconds",
            field=models.PositiveIntegerField(
                default=0,
                editable=False,
                help_text="Length for which the threshold was applied to what people had watched.",
            ),
        ),
        migrations.AlterField(
            model_name="playsession",
            name="webinar",
            field=models.ForeignKey(on_delete=deletion.PROTECT, related_name="play_sessions", to="webinars.webinar"),
        ),
        migrations.AlterField(
            model_name="watchrecord",
            name="webinar",
            field=models.ForeignKey(on_delete=deletion.PROTECT, related_name="watch_records", to="webinars.webinar"),
        ),
    ]
