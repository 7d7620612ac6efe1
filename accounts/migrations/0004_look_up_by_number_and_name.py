import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_pending_import_states"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="user",
            index=models.Index(
                django.db.models.functions.text.Upper(
                    models.Func(
                        models.F("registration_number"), models.Value(" .-/_\t"), models.Value(""), function="translate"
                    )
                ),
                name="accounts_user_loose_number",
            ),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(
                django.db.models.functions.text.Lower("last_name"),
                django.db.models.functions.text.Lower("first_name"),
                name="accounts_user_lower_name",
            ),
        ),
    ]
