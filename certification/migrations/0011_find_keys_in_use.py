from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("certification", "0010_claim_once_of_copies")]

    operations = [
        AddIndexConcurrently(
            model_name="certificate",
            index=models.Index(fields=["key_fingerprint"], name="certification_cert_key"),
        ),
    ]
