"""What was written past the form before is brought within its bounds, and then holds for all rows."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations

CLAMP = """
UPDATE courses_programme SET statement_months = least(greatest(statement_months, 2), 12)
WHERE statement_months NOT BETWEEN 2 AND 12
"""


class Migration(migrations.Migration):
    dependencies = [("courses", "0004_months_of_a_statement_within_bounds")]

    operations = [
        migrations.RunSQL(CLAMP, migrations.RunSQL.noop),
        ValidateConstraint("programme", "courses_programme_statement_months"),
    ]
