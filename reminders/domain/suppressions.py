"""Addresses that take no messages, for the office: whose they are, freed with a reason, left alone again.

Only digests are kept, so whose an address is can be said of people who are here, by their addresses of today.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.domain import audit
from accounts.models import User
from courses.models import Enrolment
from reminders.domain import consent
from reminders.domain.addresses import BY_NUMBER, every_digest
from reminders.enums import Channel
from reminders.models import Suppression

CHUNK = 2_000
MOST_FOUND = 200  # people that a search looks up
LEAST_DIGITS = 6
LONGEST_REASON = 200
Address = tuple[str, bytes]


class SuppressionError(ValueError):
    """Nothing was changed; the text is for whoever asked."""


def people_of(programme_ids: Collection[int] | None) -> QuerySet[User]:
    """Those with a place in one of the programmes; of none given everybody."""
    people: QuerySet[User] = User.objects.order_by("pk")
    if programme_ids is None:
        return people
    return people.filter(Exists(Enrolment.objects.filter(user=OuterRef("pk"), programme__in=programme_ids)))


def addresses_of(people: QuerySet[User]) -> Iterator[tuple[int, Address]]:
    """(person, (channel, digest)): every address of theirs under every key."""
    for pk, email, phone in people.values_list("pk", "email", "phone").iterator(chunk_size=CHUNK):
        yield from ((pk, (Channel.EMAIL.value, one)) for one in every_digest(Channel.EMAIL, email))
        if phone:
            digests = every_digest(Channel.SMS, str(phone))
            yield from ((pk, (channel.value, one)) for channel in sorted(BY_NUMBER) for one in digests)


def rows_of(people: QuerySet[User]) -> QuerySet[Suppression]:
    """Two statements, whatever their number."""
    return Suppression.objects.filter(address_digest__in={digest for _pk, (_channel, digest) in addresses_of(people)})


def owners_of(rows: Iterable[Suppression], people: QuerySet[User]) -> dict[int, User]:
    """By the row. Looks until all are found; two queries."""
    left: dict[Address, list[int]] = {}
    for row in rows:
        left.setdefault((row.channel, bytes(row.address_digest)), []).append(row.pk)
    found: dict[int, int] = {}
    for pk, address in addresses_of(people) if left else ():
        for row_id in left.pop(address, ()):
            found[row_id] = pk
        if not left:
            break
    persons = User.objects.in_bulk(set(found.values()))
    return {row_id: persons[pk] for row_id, pk in found.items()}


def matching(text: str, people: QuerySet[User]) -> Q:
    """Of an address as it was typed, and of people whose name or address has these words in it."""
    text = text.strip()
    digests: set[Address] = set()
    if "@" in text:
        digests |= {(Channel.EMAIL.value, one) for one in every_digest(Channel.EMAIL, text)}
    if sum(sign.isdigit() for sign in text) >= LEAST_DIGITS:
        digests |= {(channel.value, one) for channel in BY_NUMBER for one in every_digest(channel, text)}
    named = people
    for word in text.split():
        named = named.filter(Q(first_name__icontains=word) | Q(last_name__icontains=word) | Q(email__icontains=word))
    digests |= {address for _pk, address in addresses_of(named.filter(pk__in=list(_ids(named))))}
    return Q(
        pk__in=[
            pk
            for pk, channel, digest in Suppression.objects.filter(
                address_digest__in={digest for _channel, digest in digests}
            ).values_list("pk", "channel", "address_digest")
            if (channel, bytes(digest)) in digests
        ]
    )


def _ids(people: QuerySet[User]) -> list[int]:
    return list(people.values_list("pk", flat=True)[:MOST_FOUND])


def standing_of(user: User) -> dict[str, Suppression]:
    """What stands in the way of this person, by the channel. One query."""
    mine = {address for _pk, address in addresses_of(User.objects.filter(pk=user.pk))}
    rows = Suppression.objects.filter(address_digest__in={digest for _channel, digest in mine}, lifted_at=None)
    return {row.channel: row for row in rows if (row.channel, bytes(row.address_digest)) in mine}


def others_of(row: Suppression) -> list[Suppression]:
    """What there was with the same address before and after, newest first."""
    same = Suppression.objects.filter(channel=row.channel, address_digest=row.address_digest).exclude(pk=row.pk)
    return list(same.select_related("lifted_by").order_by("-since", "-pk"))


def still_says_no(row: Suppression, owner: User | None) -> bool:
    """The person's own answer is not the office's to change."""
    return owner is not None and owner.pk not in consent.wanted([owner.pk], row.channel)


@transaction.atomic
def free(*, row: Suppression, why: str, actor: User, request: HttpRequest | None = None, now: datetime) -> None:
    """The address may be tried again; what its person answered stays. Raises SuppressionError."""
    why = " ".join(why.split())[:LONGEST_REASON]
    if not why:
        raise SuppressionError(_("Please say why."))
    standing = Suppression.objects.filter(pk=row.pk, lifted_at=None)
    if not standing.update(lifted_at=now, lifted_by=actor, lifted_why=why):
        raise SuppressionError(_("It is free already."))
    details = {"channel": row.channel, "was": row.reason, "why": why}
    audit.record("message.address_freed", actor=actor, subject=row, request=request, details=details, now=now)


@transaction.atomic
def hold_again(
    *, row: Suppression, why: str, actor: User, request: HttpRequest | None = None, now: datetime
) -> Suppression:
    """Takes a freeing back: the address is left alone as before, from now on. Raises SuppressionError."""
    why = " ".join(why.split())[:LONGEST_REASON]
    if not why:
        raise SuppressionError(_("Please say why."))
    if row.lifted_at is None:
        raise SuppressionError(_("It takes no messages already."))
    try:
        with transaction.atomic():
            made: Suppression = Suppression.objects.create(
                channel=row.channel,
                address_digest=bytes(row.address_digest),
                reason=row.reason,
                since=now,
                keyed_with=row.keyed_with,
            )
    except IntegrityError as error:
        raise SuppressionError(_("It takes no messages already.")) from error
    details = {"channel": row.channel, "reason": row.reason, "why": why}
    audit.record("message.address_held", actor=actor, subject=made, request=request, details=details, now=now)
    return made
