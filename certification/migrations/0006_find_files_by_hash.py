from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # the index is built while certificates are checked and made

    dependencies = [("certification", "0005_evidence_packs")]

    operations = [
        AddIndexConcurrently(
            model_name="certificatefile",
            index=models.Index(fields=["sha256"], name="certification_file_sha256"),
        ),
    ]
