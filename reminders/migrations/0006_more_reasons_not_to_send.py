from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reminders", "0005_deliveries_of_a_person_about")]

    operations = [
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
                    ("not_needed", "An earlier channel reached the doctor"),
                ],
                max_length=14,
                verbose_name="why not",
            ),
        ),
    ]
