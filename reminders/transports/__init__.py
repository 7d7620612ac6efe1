"""How messages leave. One file per provider; see `base.Transport`. `lms/messages.py` reads which are used."""

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


@lru_cache(maxsize=32)
def _made(channel: Channel, kind: str, _values: tuple[tuple[str, object], ...]) -> Transport:
    """Once for every set of values, so that changed settings make a new one."""
    made: Transport = import_string(KINDS[channel][kind])(channel, settings.MESSAGES)
    return made


__all__ = ["KINDS", "Transport", "all_transports", "transport_for", "transports_named"]
