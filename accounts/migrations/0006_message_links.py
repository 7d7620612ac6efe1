from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_ask_for_erasure")]

    operations = [
        migrations.AddField(
            model_name="signinrequest",
            name="is_message",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
