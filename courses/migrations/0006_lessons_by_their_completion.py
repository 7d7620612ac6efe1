from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # the index is built while lessons are completed

    dependencies = [("courses", "0005_months_of_a_statement_checked")]

    operations = [
        AddIndexConcurrently(
            model_name="lessoncompletion",
            index=models.Index(fields=["lesson", "completed_at"], name="courses_lesson_completed_at"),
        ),
    ]
