"""Messages of the demonstration: the usual ones are on, with the words of the product, and one campaign leaves at once.

So the page of sent mail (`/dev/mail/`) has something to show within a minute of the start.
"""

from datetime import datetime

from accounts.models import User
from courses.models import Programme
from reminders.domain.builtin_words import built_in_set
from reminders.domain.campaigns import save_campaign, schedule
from reminders.domain.journeys import save_policy
from reminders.enums import Channel
from reminders.models import Campaign, MessagePolicy

SUBJECT = "Live today: ask us anything"
BODY = """Dear {{ doctor.name }},

This evening your questions are answered live. The door opens ten minutes before.

You have completed {{ progress.done }} of {{ progress.needed }} courses.

Cannot come? You continue in the recording, where you stop."""


def switch_on(*, programme: Programme, moderator: User, now: datetime) -> Campaign:
    policy = MessagePolicy(programme=programme, template_set=built_in_set(), is_on=True)
    save_policy(policy=policy, actor=moderator, now=now)
    said = {"subject": SUBJECT, "body": BODY, "button": "See the programme"}
    values = {
        "title": SUBJECT,
        "path": "",
        "channels": [Channel.EMAIL.value],
        "audience": {},
        "texts": {"en": {Channel.EMAIL.value: said, Channel.INBOX.value: said}},
    }
    campaign = save_campaign(campaign=None, programme=programme, values=values, actor=moderator, now=now)
    schedule(campaign=campaign, local_at="", actor=moderator, now=now)
    return campaign
