from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("certification", "0002_append_only")]

    operations = [
        migrations.AddField(
            model_name="disclosurerequest",
            name="failures",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
    ]
