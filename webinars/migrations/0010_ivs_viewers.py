import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_look_up_by_number_and_name"),
        ("webinars", "0009_announcements"),
    ]

    operations = [
        migrations.CreateModel(
            name="IvsViewer",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("made_at", models.DateTimeField()),
                (
                    "withdrawn_at",
                    models.DateTimeField(
                        help_text="What was let in up to then is to be cut off; empty while the person may watch.",
                        null=True,
                    ),
                ),
                ("told_at", models.DateTimeField(help_text="When AWS had taken it.", null=True)),
                (
                    "device",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="accounts.device",
                    ),
                ),
                (
                    "webinar",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="webinars.webinar",
                    ),
                ),
            ],
            options={
                "verbose_name": "viewer at AWS IVS",
                "verbose_name_plural": "viewers at AWS IVS",
                "constraints": [
                    models.UniqueConstraint(fields=("webinar", "device"), name="webinars_ivs_viewer_once"),
                    models.CheckConstraint(
                        condition=models.Q(("told_at", None), ("withdrawn_at__isnull", False), _connector="OR"),
                        name="webinars_ivs_told_what_was_withdrawn",
                    ),
                ],
            },
        ),
    ]
