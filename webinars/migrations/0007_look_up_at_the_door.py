import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("webinars", "0006_tallies"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name="spotrequest",
            index=models.Index(
                models.F("window"),
                django.db.models.functions.text.Upper(
                    models.Func(
                        models.F("registration_number"), models.Value(" .-/_\t"), models.Value(""), function="translate"
                    )
                ),
                name="webinars_spot_loose_number",
            ),
        ),
        migrations.AddIndex(
            model_name="spotrequest",
            index=models.Index(
                models.F("window"),
                django.db.models.functions.text.Lower("last_name"),
                django.db.models.functions.text.Lower("first_name"),
                name="webinars_spot_lower_name",
            ),
        ),
    ]
