"""Who left an activity may come back: once at a time is what counts."""

from django.db import migrations, models

FORWARD = """
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS certification_contributor_now
    ON certification_contributor (activity_id, person_id, role) WHERE left_at IS NULL
"""
BACKWARD = "DROP INDEX IF EXISTS certification_contributor_now"


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("certification", "0012_contributors_leave")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(FORWARD, BACKWARD)],
            state_operations=[
                migrations.AddConstraint(
                    model_name="contributor",
                    constraint=models.UniqueConstraint(
                        condition=models.Q(("left_at", None)),
                        fields=("activity", "person", "role"),
                        name="certification_contributor_now",
                    ),
                )
            ],
        ),
        migrations.RemoveConstraint(model_name="contributor", name="certification_contributor_once"),
    ]
