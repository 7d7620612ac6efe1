from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_look_up_by_number_and_name")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="erasure_asked_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="asked to be erased at"),
        ),
        migrations.AddField(
            model_name="user", name="erasure_told_at", field=models.DateTimeField(editable=False, null=True)
        ),
    ]
