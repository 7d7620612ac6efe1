import django.db.models.deletion
from django.db import migrations, models

FIXED = """
CREATE TRIGGER certification_keptname_fixed BEFORE UPDATE OR DELETE ON certification_keptname
    FOR EACH ROW EXECUTE FUNCTION certification_refuse_unless_purged();
"""


class Migration(migrations.Migration):
    dependencies = [("certification", "0006_find_files_by_hash")]

    operations = [
        migrations.CreateModel(
            name="KeptName",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=254, verbose_name="name")),
                ("council", models.CharField(blank=True, max_length=120, verbose_name="medical council")),
                (
                    "registration_number",
                    models.CharField(blank=True, max_length=60, verbose_name="registration number"),
                ),
                ("kept_at", models.DateTimeField()),
                (
                    "claim",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="kept_name",
                        to="certification.claim",
                    ),
                ),
            ],
            options={"verbose_name": "kept name", "verbose_name_plural": "kept names"},
        ),
        migrations.RunSQL(FIXED, "DROP TRIGGER certification_keptname_fixed ON certification_keptname"),
    ]
