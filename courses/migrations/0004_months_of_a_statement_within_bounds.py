import django.contrib.postgres.operations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("courses", "0003_months_of_a_statement")]

    operations = [
        django.contrib.postgres.operations.AddConstraintNotValid(
            model_name="programme",
            constraint=models.CheckConstraint(
                condition=models.Q(("statement_months", None), ("statement_months__range", (2, 12)), _connector="OR"),
                name="courses_programme_statement_months",
                violation_error_message="2 to 12 months, or empty.",
            ),
        ),
    ]
