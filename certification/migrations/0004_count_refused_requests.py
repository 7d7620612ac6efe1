from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("certification", "0003_template_fixed")]

    operations = [
        migrations.AddField(
            model_name="disclosurerequest",
            name="failures",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
    ]
