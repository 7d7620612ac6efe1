"""Credit once of a webinar and its copies. The index is built beside the running site."""

from django.db import migrations, models
from django.db.models.functions import Coalesce

CREATE = """CREATE UNIQUE INDEX CONCURRENTLY certification_claim_once_of_copies ON certification_claim
    (user_id, (COALESCE(copy_of_id, lesson_id)), authority, council)"""
DROP = "DROP INDEX CONCURRENTLY IF EXISTS certification_claim_once_of_copies"


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("certification", "0009_copies")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(DROP, migrations.RunSQL.noop),  # one that was broken off counts for nothing
                migrations.RunSQL(CREATE, DROP),
            ],
            state_operations=[
                migrations.AddConstraint(
                    model_name="claim",
                    constraint=models.UniqueConstraint(
                        models.F("user"),
                        Coalesce("copy_of", "lesson"),
                        models.F("authority"),
                        models.F("council"),
                        name="certification_claim_once_of_copies",
                    ),
                )
            ],
        )
    ]
