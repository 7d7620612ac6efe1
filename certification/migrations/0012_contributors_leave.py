from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("certification", "0011_find_keys_in_use")]

    operations = [
        migrations.AddField(
            model_name="contributor",
            name="left_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="until"),
        ),
    ]
