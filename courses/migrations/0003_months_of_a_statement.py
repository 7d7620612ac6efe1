import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("courses", "0002_auditors_open_the_office")]

    operations = [
        migrations.AddField(
            model_name="programme",
            name="statement_months",
            field=models.PositiveSmallIntegerField(
                blank=True,
                help_text="2 to 12. Empty: 12. Who teaches or plans is asked anew when a statement is older.",
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(2),
                    django.core.validators.MaxValueValidator(12),
                ],
                verbose_name="months for which a disclosure may be used",
            ),
        ),
    ]
