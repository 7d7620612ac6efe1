from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("certification", "0010_claim_once_of_copies")]

    operations = [
        migrations.AddField(
            model_name="contributor",
            name="left_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="until"),
        ),
    ]
