from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_phone_proofs")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="compares_progress",
            field=models.BooleanField(
                db_default=False,
                default=False,
                editable=False,
                verbose_name="compares their progress with others",
            ),
        ),
    ]
