"""How messages leave. One file per provider; see `base.Transport`. `lms/messages.py` reads which are used."""

import re
from functools import lru_cache

from django.conf import settings
from django.utils.module_loading import import_string

from reminders.enums import Channel
from reminders.transports.base import Transport

# By channel, then by the word in MESSAGES_<CHANNEL>. Loaded when asked for: boto3 costs every start 0.3 s.
KINDS: dict[Channel, dict[str, str]] = {
    Channel.EMAIL: {
        "folder": "reminders.transports.folder.Folder",
        "smtp": "reminders.transports.smtp.Smtp",
        "ses": "reminders.transports.ses.Ses",
        "sendgrid": "reminders.transports.sendgrid.SendGrid",
        "mailgun": "reminders.transports.mailgun.Mailgun",
    },
    Channel.SMS: {
        "folder": "reminders.transports.folder.Folder",
        "twilio": "reminders.transports.twilio.Twilio",
        "vonage": "reminders.transports.vonage.Vonage",
        "aws": "reminders.transports.aws_sms.AwsSms",
    },
    Channel.WHATSAPP: {
        "folder": "reminders.transports.folder.Folder",
        "twilio": "reminders.transports.twilio.Twilio",
        "meta": "reminders.transports.meta.Meta",
    },
    Channel.PUSH: {
        "folder": "reminders.transports.folder.Folder",
        "webpush": "reminders.transports.push.WebPush",
    },
}
NONE = "none"
SENDERS: dict[tuple[str, str], str] = {
    (Channel.SMS, "twilio"): "TWILIO_SMS_FROM",
    (Channel.SMS, "vonage"): "VONAGE_FROM",
    (Channel.SMS, "aws"): "AWS_SMS_ORIGINATION",
}
# A sender that is no number: up to eleven signs with a letter among them. AWS's own numbers of pools are longer.
NAME = re.compile(r"(?!pool-|phone-)(?=.*[A-Za-z])[A-Za-z0-9 _-]{1,11}")


def transport_for(channel: str) -> Transport | None:
    """None: nothing is sent this way. Messages on the site itself have no transport."""
    kind = settings.MESSAGES.get(f"MESSAGES_{channel.upper()}", NONE)
    if kind == NONE or channel not in KINDS:
        return None
    return _made(Channel(channel), kind, tuple(settings.MESSAGES.items()))


def all_transports() -> list[Transport]:
    return [transport for channel in KINDS if (transport := transport_for(channel))]


def transports_named(name: str) -> list[Transport]:
    """Those whose provider calls back under this name: SMS and WhatsApp may be of the same one."""
    return [transport for transport in all_transports() if transport.name == name]


def takes_answers(channel: str) -> bool:
    """Whether who gets a message can answer it (STOP): nobody can write to a name. Asks the settings alone. Of a
    messaging service or a pool, which choose a sender by country, it says yes: give those numbers.
    """
    variable = SENDERS.get((channel, settings.MESSAGES.get(f"MESSAGES_{channel.upper()}", NONE)), "")
    sender = str(settings.MESSAGES.get(variable, ""))
    return not (NAME.fullmatch(sender) or ":sender-id/" in sender)


@lru_cache(maxsize=32)
def _made(channel: Channel, kind: str, _values: tuple[tuple[str, object], ...]) -> Transport:
    """Once for every set of values, so that changed settings make a new one."""
    made: Transport = import_string(KINDS[channel][kind])(channel, settings.MESSAGES)
    return made


__all__ = ["KINDS", "Transport", "all_transports", "takes_answers", "transport_for", "transports_named"]
