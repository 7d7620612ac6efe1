"""What a new database begins with: all that the migrations which it replaces came to."""

import django.core.validators
import django.db.models.constraints
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from core.together import CreateModels


class Migration(migrations.Migration):
    initial = True

    replaces = [
        ("courses", "0001_initial"),
        ("courses", "0002_auditors_open_the_office"),
        ("courses", "0003_months_of_a_statement"),
        ("courses", "0004_months_of_a_statement_within_bounds"),
        ("courses", "0005_months_of_a_statement_checked"),
        ("courses", "0006_lessons_by_their_completion"),
    ]

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        (
            "mfa",
            "0003_authenticator_type_uniq",
        ),  # before there are many tables: each of its steps renders all that refer to people
    ]

    operations = [
        CreateModels(
            [
                migrations.CreateModel(
                    name="Programme",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("slug", models.SlugField(max_length=80, unique=True, verbose_name="short name in addresses")),
                        ("title", models.CharField(max_length=200, verbose_name="title")),
                        ("summary", models.TextField(blank=True, max_length=5000, verbose_name="summary")),
                        ("society", models.CharField(blank=True, max_length=200, verbose_name="society")),
                        (
                            "status",
                            models.CharField(
                                choices=[("draft", "Draft"), ("published", "Published"), ("archived", "Archived")],
                                default="draft",
                                max_length=12,
                                verbose_name="status",
                            ),
                        ),
                        ("timezone", models.CharField(default="UTC", max_length=64, verbose_name="home time zone")),
                        ("opens_at", models.DateTimeField(blank=True, null=True, verbose_name="opens at")),
                        ("closes_at", models.DateTimeField(blank=True, null=True, verbose_name="closes at")),
                        (
                            "completion_rule",
                            models.CharField(
                                choices=[("all", "All required parts"), ("n_of_m", "A number of the parts")],
                                default="all",
                                max_length=8,
                                verbose_name="complete when",
                            ),
                        ),
                        (
                            "required_count",
                            models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="courses needed"),
                        ),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        ("updated_at", models.DateTimeField(auto_now=True)),
                        (
                            "statement_months",
                            models.PositiveSmallIntegerField(
                                blank=True,
                                help_text="2 to 12. Empty: 12. Who teaches or plans is asked anew when a statement is older.",
                                null=True,
                                validators=[
                                    django.core.validators.MinValueValidator(2),
                                    django.core.validators.MaxValueValidator(12),
                                ],
                                verbose_name="months for which a disclosure may be used",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "programme",
                        "verbose_name_plural": "programmes",
                        "ordering": ("-created_at", "id"),
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("opens_at", None),
                                    ("closes_at", None),
                                    ("closes_at__gt", models.F("opens_at")),
                                    _connector="OR",
                                ),
                                name="courses_programme_window",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("completion_rule", "all"), ("required_count", None)),
                                    models.Q(("completion_rule", "n_of_m"), ("required_count__gte", 1)),
                                    _connector="OR",
                                ),
                                name="courses_programme_rule",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("statement_months", None), ("statement_months__range", (2, 12)), _connector="OR"
                                ),
                                name="courses_programme_statement_months",
                                violation_error_message="2 to 12 months, or empty.",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Cohort",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("name", models.CharField(max_length=120, verbose_name="name")),
                        ("opens_at", models.DateTimeField(blank=True, null=True, verbose_name="opens at")),
                        ("closes_at", models.DateTimeField(blank=True, null=True, verbose_name="closes at")),
                        (
                            "programme",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="cohorts",
                                to="courses.programme",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "cohort",
                        "verbose_name_plural": "cohorts",
                        "ordering": ("programme", "name"),
                        "constraints": [
                            models.UniqueConstraint(fields=("programme", "name"), name="courses_cohort_name"),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("opens_at", None),
                                    ("closes_at", None),
                                    ("closes_at__gt", models.F("opens_at")),
                                    _connector="OR",
                                ),
                                name="courses_cohort_window",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Course",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "position",
                            models.PositiveSmallIntegerField(
                                validators=[django.core.validators.MinValueValidator(1)], verbose_name="position"
                            ),
                        ),
                        ("title", models.CharField(max_length=200, verbose_name="title")),
                        ("summary", models.TextField(blank=True, max_length=5000, verbose_name="summary")),
                        (
                            "status",
                            models.CharField(
                                choices=[("draft", "Draft"), ("published", "Published"), ("archived", "Archived")],
                                default="draft",
                                max_length=12,
                                verbose_name="status",
                            ),
                        ),
                        ("opens_at", models.DateTimeField(blank=True, null=True, verbose_name="opens at")),
                        ("closes_at", models.DateTimeField(blank=True, null=True, verbose_name="closes at")),
                        ("is_required", models.BooleanField(default=True, verbose_name="counts towards the programme")),
                        ("is_sequential", models.BooleanField(default=False, verbose_name="lessons in order")),
                        (
                            "completion_rule",
                            models.CharField(
                                choices=[("all", "All required parts"), ("n_of_m", "A number of the parts")],
                                default="all",
                                max_length=8,
                                verbose_name="complete when",
                            ),
                        ),
                        (
                            "required_count",
                            models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="lessons needed"),
                        ),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        ("updated_at", models.DateTimeField(auto_now=True)),
                        (
                            "prerequisites",
                            models.ManyToManyField(
                                blank=True,
                                related_name="unlocks",
                                to="courses.course",
                                verbose_name="courses to complete first",
                            ),
                        ),
                        (
                            "programme",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="courses",
                                to="courses.programme",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "course",
                        "verbose_name_plural": "courses",
                        "ordering": ("programme", "position"),
                        "constraints": [
                            models.UniqueConstraint(
                                deferrable=django.db.models.constraints.Deferrable["DEFERRED"],
                                fields=("programme", "position"),
                                name="courses_course_position",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("position__gte", 1)), name="courses_course_position_from_1"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("opens_at", None),
                                    ("closes_at", None),
                                    ("closes_at__gt", models.F("opens_at")),
                                    _connector="OR",
                                ),
                                name="courses_course_window",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("completion_rule", "all"), ("required_count", None)),
                                    models.Q(("completion_rule", "n_of_m"), ("required_count__gte", 1)),
                                    _connector="OR",
                                ),
                                name="courses_course_rule",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Lesson",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "position",
                            models.PositiveSmallIntegerField(
                                validators=[django.core.validators.MinValueValidator(1)], verbose_name="position"
                            ),
                        ),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("webinar", "Webinar"),
                                    ("quiz", "Test"),
                                    ("document", "Document"),
                                    ("evaluation", "Evaluation"),
                                ],
                                max_length=12,
                                verbose_name="kind",
                            ),
                        ),
                        ("title", models.CharField(max_length=200, verbose_name="title")),
                        ("summary", models.TextField(blank=True, max_length=5000, verbose_name="summary")),
                        ("is_required", models.BooleanField(default=True, verbose_name="required")),
                        ("opens_at", models.DateTimeField(blank=True, null=True, verbose_name="opens at")),
                        ("closes_at", models.DateTimeField(blank=True, null=True, verbose_name="closes at")),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        ("updated_at", models.DateTimeField(auto_now=True)),
                        (
                            "course",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="lessons", to="courses.course"
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "lesson",
                        "verbose_name_plural": "lessons",
                        "ordering": ("course", "position"),
                        "constraints": [
                            models.UniqueConstraint(
                                deferrable=django.db.models.constraints.Deferrable["DEFERRED"],
                                fields=("course", "position"),
                                name="courses_lesson_position",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("position__gte", 1)), name="courses_lesson_position_from_1"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("opens_at", None),
                                    ("closes_at", None),
                                    ("closes_at__gt", models.F("opens_at")),
                                    _connector="OR",
                                ),
                                name="courses_lesson_window",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="LessonCompletion",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("completed_at", models.DateTimeField(verbose_name="completed at")),
                        ("evidence", models.JSONField(default=dict, verbose_name="evidence")),
                        (
                            "lesson",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="completions",
                                to="courses.lesson",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="lesson_completions",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "lesson completion",
                        "verbose_name_plural": "lesson completions",
                        "constraints": [
                            models.UniqueConstraint(fields=("user", "lesson"), name="courses_lesson_completed_once")
                        ],
                        "indexes": [
                            models.Index(fields=["lesson", "completed_at"], name="courses_lesson_completed_at")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Enrolment",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "status",
                            models.CharField(
                                choices=[
                                    ("invited", "Invited"),
                                    ("active", "Active"),
                                    ("completed", "Completed"),
                                    ("suspended", "Suspended"),
                                    ("withdrawn", "Withdrawn"),
                                ],
                                default="invited",
                                max_length=12,
                                verbose_name="status",
                            ),
                        ),
                        ("enrolled_at", models.DateTimeField(verbose_name="enrolled at")),
                        (
                            "activated_at",
                            models.DateTimeField(blank=True, null=True, verbose_name="first signed in at"),
                        ),
                        ("completed_at", models.DateTimeField(blank=True, null=True, verbose_name="completed at")),
                        (
                            "cohort",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="enrolments",
                                to="courses.cohort",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="enrolments",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "programme",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="enrolments",
                                to="courses.programme",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "enrolment",
                        "verbose_name_plural": "enrolments",
                        "ordering": ("-enrolled_at", "id"),
                        "indexes": [models.Index(fields=["programme", "status"], name="courses_enrolment_status")],
                        "constraints": [
                            models.UniqueConstraint(fields=("user", "programme"), name="courses_enrolment_once"),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("status", "completed"), _negated=True),
                                    ("completed_at__isnull", False),
                                    _connector="OR",
                                ),
                                name="courses_enrolment_completed_has_date",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="RoleGrant",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "role",
                            models.CharField(
                                choices=[
                                    ("presenter", "Presenter"),
                                    ("moderator", "Moderator"),
                                    ("operator", "Operator"),
                                    ("sponsor", "Sponsor"),
                                    ("auditor", "Auditor"),
                                ],
                                max_length=12,
                                verbose_name="role",
                            ),
                        ),
                        ("granted_at", models.DateTimeField(verbose_name="granted at")),
                        (
                            "granted_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "programme",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="role_grants",
                                to="courses.programme",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="role_grants",
                                to=settings.AUTH_USER_MODEL,
                                verbose_name="person",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "role",
                        "verbose_name_plural": "roles",
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("user", "role", "programme"),
                                name="courses_role_grant_once",
                                nulls_distinct=False,
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("role", "doctor"), _negated=True),
                                name="courses_role_grant_not_doctor",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="CourseCompletion",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("completed_at", models.DateTimeField(verbose_name="completed at")),
                        (
                            "course",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="completions",
                                to="courses.course",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="course_completions",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "course completion",
                        "verbose_name_plural": "course completions",
                        "constraints": [
                            models.UniqueConstraint(fields=("user", "course"), name="courses_course_completed_once")
                        ],
                    },
                ),
            ]
        ),
    ]
