import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_message_links"),
        ("reminders", "0009_phone_codes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="inboxitem",
            name="label",
            field=models.CharField(blank=True, db_default="", default="", max_length=300),
        ),
        migrations.AddField(
            model_name="messagepolicy",
            name="may_name_sponsors",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Off: no message names a sponsor. On: e-mails and messages on the site say it in a line of its own.",
                verbose_name="messages say who supports the programme",
            ),
        ),
        migrations.AddField(
            model_name="messagepolicy",
            name="sponsors",
            field=models.TextField(
                blank=True,
                db_default="",
                default="",
                help_text="A name a line. The words of messages may not name them, whether the box above is ticked or not.",
                max_length=1000,
                verbose_name="who supports the programme",
            ),
        ),
        migrations.AddField(
            model_name="pushsubscription",
            name="signed_in",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="accounts.device",
            ),
        ),
        migrations.AddField(
            model_name="suppression",
            name="keyed_with",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=8),
        ),
        migrations.AddField(
            model_name="suppression",
            name="lifted_by",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="lifted by",
            ),
        ),
        migrations.AddField(
            model_name="suppression",
            name="lifted_why",
            field=models.CharField(blank=True, db_default="", default="", max_length=200, verbose_name="why lifted"),
        ),
        migrations.AlterField(
            model_name="delivery",
            name="skip_reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("cancelled", "The webinar was cancelled"),
                    ("moved", "The webinar was moved"),
                    ("done", "The doctor has done it already"),
                    ("gone", "It does not hold for the doctor any more"),
                    ("switched_off", "The journey was switched off"),
                    ("no_way", "This site does not send by this channel"),
                    ("not_enrolled", "The doctor has no place any more"),
                    ("opted_out", "The doctor does not want this channel"),
                    ("suppressed", "The address does not take messages"),
                    ("no_address", "No address for this channel"),
                    ("no_template", "No template for this channel"),
                    ("too_late", "Its time had passed"),
                    ("capped", "Enough messages for now"),
                    ("stopped", "Stopped by the office"),
                    ("sponsor", "Its words name a sponsor"),
                    ("not_needed", "An earlier channel reached the doctor"),
                ],
                max_length=14,
                verbose_name="why not",
            ),
        ),
    ]
