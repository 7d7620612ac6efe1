"""The words of messages: found for whoever is written to, changed without changing what was sent."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.domain import audit
from accounts.models import User
from reminders.domain import sponsors
from reminders.domain.sponsors import Unwanted
from reminders.enums import Channel
from reminders.models import MessageTemplate, TemplateSet
from reminders.rendering import placeholders

# Which columns a channel has; the others stay empty.
FIELDS: Mapping[str, tuple[str, ...]] = {
    Channel.EMAIL: ("subject", "preheader", "body", "button"),
    Channel.SMS: ("body",),
    Channel.WHATSAPP: ("body", "button", "approved_name", "approved_places"),
    Channel.INBOX: ("subject", "body", "button"),
    Channel.PUSH: ("subject", "body"),
}
APPROVED = re.compile(r"[a-z0-9_]{1,100}(/[a-z]{2,3}(_[A-Z]{2,3})?)?|HX[0-9a-f]{32}")
OPTIONAL = frozenset({"preheader", "button", "approved_places"})
EMPTY: Mapping[str, Any] = {
    "subject": "", "preheader": "", "body": "", "button": "", "approved_name": "", "approved_places": [],
}  # fmt: skip


class TemplateError(ValueError):
    """Nothing was saved. `problems`: (field, what is wrong with it), for whoever edits."""

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        super().__init__(" ".join(told for _field, told in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Library:
    """The current words of some sets: read once, asked for every message of a chunk."""

    rows: Mapping[tuple[int, str, str, str], MessageTemplate]

    def find(self, set_id: int, kind: str, channel: str, language: str) -> MessageTemplate | None:
        """In the person's language, in the language of which theirs is a kind, in the site's first, in English."""
        wanted = (language, language.partition("-")[0], settings.LANGUAGE_CODE, "en")
        keys = ((set_id, kind, channel, one) for one in wanted)
        return next((self.rows[key] for key in keys if key in self.rows), None)


def library(set_ids: Collection[int], *, kinds: Collection[str] | None = None) -> Library:
    """One query. `kinds`: only these."""
    rows = MessageTemplate.objects.filter(template_set__in=set_ids, is_current=True)
    if kinds is not None:
        rows = rows.filter(kind__in=kinds)
    return Library({(one.template_set_id, one.kind, one.channel, one.language): one for one in rows})


def template_for(template_set: TemplateSet, kind: str, channel: str, language: str) -> MessageTemplate | None:
    return library([template_set.pk], kinds=[kind]).find(template_set.pk, kind, channel, language)


def mark_used(template_ids: Collection[int], *, now: datetime) -> None:
    """From here on they are fixed. Only the first time there is anything to write."""
    MessageTemplate.objects.filter(pk__in=template_ids, used_at=None).update(used_at=now)


def problems_of(
    values: Mapping[str, Any], *, kind: str, channel: str, unwanted: Collection[Unwanted] = ()
) -> list[tuple[str, str]]:
    """(field, what is wrong). Empty: it may be saved. `unwanted`: names that the words may not say."""
    found: list[tuple[str, str]] = []
    for name in FIELDS[channel]:
        value = values.get(name) or EMPTY[name]
        if not value and name not in OPTIONAL:
            found.append((name, _("Please write something here.")))
        elif name == "approved_places":
            found += [(name, one) for one in placeholders.told(placeholders.check_names(value, kind))]
        elif name == "approved_name":
            if not APPROVED.fullmatch(value):
                found.append((name, _(
                    "Write its name as at Meta (small letters, digits and _), if need be with the language it was"
                    " approved in: day_before/en_GB. Or its number at Twilio: HX and 32 signs."
                )))  # fmt: skip
        else:
            found += [(name, one) for one in placeholders.told(placeholders.check(value, kind))]
    return found + sponsors.problems_of(sponsors.words_of(values), unwanted)


@transaction.atomic
def save_template(
    *,
    template_set: TemplateSet,
    kind: str,
    channel: str,
    language: str,
    values: Mapping[str, Any],
    actor: User | None = None,
    request: HttpRequest | None = None,
    now: datetime,
) -> MessageTemplate:
    """The words as they are now: changed where nobody was sent them yet, else the next version. Raises TemplateError.

    The set's row is the lock: of two who save at once the second changes what the first one wrote.
    """
    locked = TemplateSet.objects.select_for_update(no_key=True).get(pk=template_set.pk)
    if locked.is_builtin:
        raise TemplateError([("", _("These words come with the product. Make a copy of the set and change that."))])
    unwanted = sponsors.unwanted_of_set(locked)
    if problems := problems_of(values, kind=kind, channel=channel, unwanted=unwanted):
        raise TemplateError(problems)
    said = {name: values.get(name) or EMPTY[name] for name in FIELDS[channel]}
    place = {"template_set": locked, "kind": kind, "channel": channel, "language": language}
    row = MessageTemplate.objects.select_for_update(no_key=True).filter(**place, is_current=True).first()
    if row is not None and all(getattr(row, name) == value for name, value in said.items()):
        return row
    if row is None or row.used_at is not None:
        before = row.version if row else 0
        if row is not None:
            MessageTemplate.objects.filter(pk=row.pk).update(is_current=False)
        row = MessageTemplate(**place, version=before + 1)
    for name, value in said.items():
        setattr(row, name, value)
    row.save()
    told = {"set": locked.title, "kind": kind, "channel": channel, "language": language, "version": row.version}
    audit.record("message_template.saved", actor=actor, subject=row, request=request, details=told, now=now)
    return row


@transaction.atomic
def copy_set(
    *,
    template_set: TemplateSet,
    title: str,
    actor: User | None = None,
    request: HttpRequest | None = None,
    now: datetime,
) -> TemplateSet:
    """With the current words of all messages, to be changed. Raises TemplateError where a set has that title."""
    try:
        with transaction.atomic():
            made = TemplateSet.objects.create(title=title)
    except IntegrityError as error:
        raise TemplateError([("title", _("Another set has this title already."))]) from error
    rows = MessageTemplate.objects.filter(template_set=template_set, is_current=True)
    MessageTemplate.objects.bulk_create(
        MessageTemplate(
            template_set=made,
            kind=one.kind,
            channel=one.channel,
            language=one.language,
            **{name: getattr(one, name) for name in EMPTY},
        )
        for one in rows
    )
    details = {"title": title, "from": template_set.title}
    audit.record("template_set.copied", actor=actor, subject=made, request=request, details=details, now=now)
    return made
