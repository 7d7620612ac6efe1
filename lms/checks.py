"""System checks of the whole: `manage.py check`, and with `--deploy` before a release."""

from collections.abc import Sequence
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004  # Django's own names
from django.db import connection
from django.utils.translation import to_locale

from lms.expand import problems_on_disk
from reminders.transports import all_transports
from reminders.transports.base import NOT_REACHED

OLDEST_POSTGRES = 150_000


@register(Tags.database)
def postgresql_is_recent(*, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Multirange aggregates need PostgreSQL 15. Runs before `migrate` and with `check --database default`."""
    if not databases:
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int")
        (version,) = cursor.fetchone()
    if version < OLDEST_POSTGRES:
        return [Error(f"PostgreSQL 15 or newer is needed, this is {version}.", id="lms.E001")]
    return []


@register(Tags.security, deploy=True)
def proxies_are_counted(**_: Any) -> list[CheckMessage]:
    """Behind a balancer with TRUSTED_PROXIES=0 all callers share its address, and one limit."""
    if settings.PRODUCTION and not settings.TRUSTED_PROXIES:
        return [
            Warning(
                "TRUSTED_PROXIES is 0: behind a load balancer every caller would have the balancer's address.",
                hint="Set TRUSTED_PROXIES to the number of proxies that append to X-Forwarded-For.",
                id="lms.W001",
            )
        ]
    return []


@register(Tags.database, deploy=True)
def migrations_let_the_running_version_work(**_: Any) -> list[CheckMessage]:
    """Replicas are replaced one by one: for minutes old code works on the new schema."""
    return [
        Error(
            problem,
            hint='Split it, or say in the migration\'s class why it has to be: contract = "…" (docs/deploying.md).',
            id="lms.E002",
        )
        for problem in problems_on_disk()
    ]


@register(Tags.translation, deploy=True)
def offered_languages_are_translated(**_: Any) -> list[CheckMessage]:
    """Without a catalogue a doctor who picks French reads English sentences with French dates in them."""
    offered = [code for code, _name in settings.LANGUAGES if code.partition("-")[0] != "en"]
    missing = [
        code
        for code in offered
        if not any(Path(root, to_locale(code), "LC_MESSAGES", "django.mo").exists() for root in settings.LOCALE_PATHS)
    ]
    if missing:
        return [
            Warning(
                f"LANGUAGES offers {', '.join(missing)}, which nobody has translated.",
                hint="Take it out, or begin the catalogue with script/messages (CONTRIBUTING.md).",
                id="lms.W002",
            )
        ]
    return []


@register(Tags.security)
def messages_are_told_of(**_: Any) -> list[CheckMessage]:
    """What Amazon says by no topic of ours is not believed: nothing then counts as delivered, bounced or unwanted."""
    choices = {"MESSAGES_EMAIL": "ses", "MESSAGES_SMS": "aws"}
    deaf = [f"{name}={kind}" for name, kind in choices.items() if settings.MESSAGES[name] == kind]
    if not deaf or settings.MESSAGES["AWS_SNS_TOPICS"]:
        return []
    return [
        Warning(
            f"AWS_SNS_TOPICS is empty: with {' and '.join(deaf)} nobody learns what became of a message.",
            hint="Name the topics that the configuration sets publish to (docs/messages.md).",
            id="lms.W004",
        )
    ]


@register(Tags.security)
def calendars_know_the_sender(**_: Any) -> list[CheckMessage]:
    """Calendars take a change of an entry from its organiser alone."""
    sender, organiser = settings.MESSAGES["MESSAGES_FROM"], settings.DEFAULT_FROM_EMAIL
    if settings.MESSAGES["MESSAGES_EMAIL"] == "none" or not sender:
        return []
    if parseaddr(sender)[1].lower() == parseaddr(organiser)[1].lower():
        return []
    return [
        Warning(
            "MESSAGES_FROM is another address than DEFAULT_FROM_EMAIL, which organises the webinars in calendars.",
            hint="Outlook and Gmail may not take a moved or cancelled webinar from it: use one address for both.",
            id="lms.W005",
        )
    ]


@register(Tags.security, deploy=True)
def providers_take_the_credentials(**_: Any) -> list[CheckMessage]:
    """Each provider of messages is asked: what is wrong is known before the first doctor waits for a message."""
    found: list[CheckMessage] = []
    for transport in all_transports():
        problem = transport.check()
        text = f"Messages by {transport.name} ({transport.channel.value}): {problem}"
        if problem.startswith(NOT_REACHED):
            found.append(Warning(text, hint="Whether the credentials are right is not known.", id="lms.W003"))
        elif problem:
            found.append(Error(text, hint="docs/messages.md says where each of them comes from.", id="lms.E003"))
    return found


@register(Tags.security, deploy=True)
def record_store_takes_the_credentials(**_: Any) -> list[CheckMessage]:
    """As the providers of messages: asked before the first statement waits."""
    from analytics.transports.lrs import Store  # and with it requests, which a start has no use for

    if not settings.XAPI["XAPI_URL"]:
        return []
    with Store() as store:
        problem = store.problem()
    if not problem:
        return []
    kind, number = (Warning, "lms.W006") if problem.startswith("not reached") else (Error, "lms.E004")
    return [kind(f"Learning record store: {problem}", hint="docs/xapi.md says what is needed.", id=number)]
