"""Messages without sponsors. Where a programme allows it, a line of its own, apart from the message, says who supports
it; the words themselves name nobody in any case.

Whose names words may not say: those whom the office has written down for the programme, its people with the role of a
sponsor, and companies in the newest disclosures of who teaches. A title of a lecture and a doctor's name are what they
are: only the words around them are looked at.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from django.utils.translation import gettext as _

from accounts.enums import Role
from certification.models import Disclosure
from courses.models import Programme, RoleGrant
from reminders.enums import Channel
from reminders.models import MessagePolicy, MessageTemplate, TemplateSet
from reminders.rendering.sponsors import named_in

# Where such a line has room beside the message. Elsewhere nobody is named, whatever the programme allows.
LABELLED = frozenset({Channel.EMAIL, Channel.INBOX})
FIELDS = ("subject", "preheader", "body", "button")
MOST = 10


class Source(Enum):
    SUPPORTS = "supports"
    DISCLOSED = "disclosed"


@dataclass(frozen=True, slots=True)
class Unwanted:
    """A name, and of which programme."""

    name: str
    programme: str
    source: Source


def names_of(policy: MessagePolicy) -> tuple[str, ...]:
    """As the office wrote them, each once."""
    return tuple(dict.fromkeys(name for line in policy.sponsors.splitlines() if (name := " ".join(line.split()))))


def supporters_of(policy: MessagePolicy | None, channel: str) -> tuple[str, ...]:
    """Whom the line of a message names."""
    return names_of(policy) if policy is not None and policy.may_name_sponsors and channel in LABELLED else ()


def unwanted_of_set(template_set: TemplateSet) -> list[Unwanted]:
    """Of all programmes that use these words. Four queries at most."""
    policies = MessagePolicy.objects.filter(template_set=template_set).select_related("programme")
    return _unwanted([one.programme for one in policies], policies)


def unwanted_of_programme(programme: Programme, policy: MessagePolicy | None = None) -> list[Unwanted]:
    """`policy`: as it stands in a form. Else as it is saved."""
    policies = [policy] if policy else MessagePolicy.objects.filter(programme=programme)
    return _unwanted([programme], policies)


def _unwanted(programmes: Sequence[Programme], policies: Iterable[MessagePolicy]) -> list[Unwanted]:
    titles = {one.pk: one.title for one in programmes}
    if not titles:
        return []
    found = [
        Unwanted(name, titles[policy.programme_id], Source.SUPPORTS) for policy in policies for name in names_of(policy)
    ]
    found += [Unwanted(name, titles[pk], Source.SUPPORTS) for pk, name in _people(titles)]
    return found + [Unwanted(name, titles[pk], Source.DISCLOSED) for pk, name in _companies(titles)]


def _people(titles: Mapping[int, str]) -> list[tuple[int, str]]:
    """By the programme; one with the role everywhere belongs to all."""
    grants = RoleGrant.objects.filter(role=Role.SPONSOR).select_related("user")
    found = []
    for grant in grants:
        name = f"{grant.user.first_name} {grant.user.last_name}".strip()
        ids = [grant.programme_id] if grant.programme_id else list(titles)
        found += [(pk, name) for pk in ids if pk in titles and name]
    return found


def _companies(titles: Mapping[int, str]) -> list[tuple[int, str]]:
    newest = (
        Disclosure.objects.filter(person__programme__in=titles)
        .order_by("person_id", "-made_at", "-pk")
        .distinct("person_id")
        .values_list("person__programme", "interests")
    )
    named = [(pk, str(one.get("company", ""))) for pk, interests in newest for one in interests]
    return list(dict.fromkeys((pk, name) for pk, name in named if name))


def problems_of(said: Mapping[str, str], unwanted: Collection[Unwanted]) -> list[tuple[str, str]]:
    """(field, what to leave out), for whoever writes."""
    found = [(field, _told(one)) for field, text in said.items() for one in unwanted if named_in([text], [one.name])]
    return list(dict.fromkeys(found))[:MOST]


def _told(one: Unwanted) -> str:
    if one.source == Source.DISCLOSED:
        told = _(
            "Please leave out “%(name)s”: somebody who teaches in “%(programme)s” has disclosed an interest in it, and"
            " messages name no such company."
        )
    else:
        told = _(
            "Please leave out “%(name)s”, a sponsor of “%(programme)s”. Who supports a programme stands in a line of"
            " its own, apart from the words, if the programme allows it."
        )
    return told % {"name": one.name, "programme": one.programme}


def words_of(said: Mapping[str, object]) -> dict[str, str]:
    """What a reader reads of a template's or a campaign's columns."""
    return {name: str(said.get(name) or "") for name in FIELDS}


def problems_of_policy(policy: MessagePolicy) -> list[tuple[str, str]]:
    """What a programme would send if it were saved like this: its sender and the words it uses."""
    if policy.may_name_sponsors and not names_of(policy):
        return [("sponsors", _("Write who supports the programme: the line in its messages says it."))]
    unwanted = unwanted_of_programme(policy.programme, policy)
    found = problems_of({"sender_name": policy.sender_name, "reply_to": policy.reply_to}, unwanted)
    rows = MessageTemplate.objects.filter(template_set=policy.template_set_id, is_current=True)
    for row in rows.order_by("kind", "channel", "language"):
        wrong = problems_of({name: getattr(row, name) for name in FIELDS}, unwanted)
        found += [("template_set", f"{row}: {told}") for _field, told in wrong]
    return found[:MOST]


def is_named(template: MessageTemplate, policy: MessagePolicy | None) -> bool:
    """Asked once more in the moment of sending, of those that the office wrote down. No query."""
    names = names_of(policy) if policy is not None else ()
    return bool(names) and bool(named_in([getattr(template, name) for name in FIELDS], names))
