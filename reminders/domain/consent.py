"""Which ways a person wants to be written to, how that came about, and addresses that take nothing.

`ChannelChoice` says what holds, `ConsentRecord` how it came about; both are written in one transaction. Messages that a
person asks for (signing in) are no part of this.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from django.db import transaction

from accounts.domain import audit
from accounts.domain.message_links import end_links_to_telephones
from accounts.models import User
from reminders.domain import addresses
from reminders.enums import Channel, ConsentSource, SuppressionReason
from reminders.models import ChannelChoice, ConsentRecord, PushSubscription, Suppression

# Without a word from the person.
ON_FROM_THE_START = frozenset({Channel.EMAIL, Channel.INBOX})
BY_NUMBER = addresses.BY_NUMBER
canonical = addresses.canonical
address_digest = addresses.address_digest


# What a person wants


@transaction.atomic
def choose(
    *,
    user_id: int,
    choices: Mapping[str, bool],
    source: ConsentSource,
    now: datetime,
    wording: Mapping[str, str] | None = None,
    actor: User | None = None,
) -> list[Channel]:
    """Returns the channels that changed; what holds already is not written again. `wording`: by channel, what the page
    said beside the box. Two who choose at once queue up at the person's row.
    """
    list(User.objects.select_for_update(of=("self",), no_key=True).filter(pk=user_id).values_list("pk"))
    held = _held([user_id])
    changed = [
        Channel(one) for one, is_on in choices.items() if held.get((user_id, one), one in ON_FROM_THE_START) != is_on
    ]
    for channel in changed:
        ChannelChoice.objects.update_or_create(
            user_id=user_id, channel=channel, defaults={"is_on": choices[channel], "changed_at": now}
        )
    words = wording or {}
    ConsentRecord.objects.bulk_create(
        ConsentRecord(
            user_id=user_id,
            channel=channel,
            is_on=choices[channel],
            source=source,
            wording=words.get(channel, "")[:500],
            actor=actor,
            at=now,
        )
        for channel in changed
    )
    return changed


def wanted(user_ids: Collection[int], channel: str) -> set[int]:
    """Those of them who want this channel. One query."""
    chosen = dict(ChannelChoice.objects.filter(user_id__in=user_ids, channel=channel).values_list("user_id", "is_on"))
    return {one for one in user_ids if chosen.get(one, channel in ON_FROM_THE_START)}


def choices_of(user: User) -> dict[Channel, bool]:
    """Every channel with what holds. One query."""
    held = _held([user.pk])
    return {channel: held.get((user.pk, channel), channel in ON_FROM_THE_START) for channel in Channel}


def _held(user_ids: Iterable[int]) -> dict[tuple[int, str], bool]:
    rows = ChannelChoice.objects.filter(user_id__in=user_ids).values_list("user_id", "channel", "is_on")
    return {(user_id, channel): is_on for user_id, channel, is_on in rows}


# What an address takes


def suppress(*, channel: str, digest: bytes, reason: SuppressionReason, now: datetime) -> bool:
    """False: it took nothing before either. The first reason stays until it is lifted."""
    _row, is_new = Suppression.objects.get_or_create(
        channel=channel,
        address_digest=digest,
        lifted_at=None,
        defaults={"reason": reason, "since": now, "keyed_with": addresses.key().name},
    )
    return is_new


def lift(
    *,
    channel: str,
    digest: bytes | Collection[bytes],
    now: datetime,
    reasons: Collection[SuppressionReason] = tuple(SuppressionReason),
    actor: User | None = None,
) -> bool:
    """The address may be tried again. False: nothing stood in the way, or it did for another reason than these.

    `digest`: of one address; several where it may stand under several keys (`addresses.every_digest`).
    """
    digests = [digest] if isinstance(digest, bytes) else list(digest)
    standing = Suppression.objects.filter(
        channel=channel, address_digest__in=digests, lifted_at=None, reason__in=list(reasons)
    )
    if not standing.update(lifted_at=now, lifted_by=actor):
        return False
    if actor is not None:
        audit.record("message.address_freed", actor=actor, details={"channel": str(channel)}, now=now)
    return True


def silent(channel: str, people: Mapping[int, str]) -> set[int]:
    """Those whose address takes nothing. `people`: the address by the person. One query."""
    found: dict[bytes, list[int]] = {}
    for user, address in people.items():
        for digest in addresses.every_digest(channel, address) if address else ():
            found.setdefault(digest, []).append(user)
    return {user for digest in suppressed(channel, found.keys()) for user in found[digest]} if found else set()


def suppressed(channel: str, digests: Collection[bytes]) -> set[bytes]:
    """Those of them that take nothing. One query."""
    rows = Suppression.objects.filter(channel=channel, address_digest__in=list(digests), lifted_at=None)
    return {bytes(digest) for digest in rows.values_list("address_digest", flat=True)}


@transaction.atomic
def stop(*, channel: str, address: str, said_at: datetime, source: ConsentSource = ConsentSource.STOP) -> int:
    """STOP answered, or "unwanted" pressed in a mail program: the address is left alone, and nobody who has it wants
    this channel any more. Returns how many people that were; the address counts also when nobody has it. Links that
    lie in the telephone let nobody in after it.

    Words count by when they were said, however late they come here: a yes of after `said_at` stays.
    """
    people = _people_at(channel, address)
    later = set(
        ChannelChoice.objects.filter(user__in=people, channel=channel, is_on=True, changed_at__gt=said_at).values_list(
            "user_id", flat=True
        )
    )
    if people and later.issuperset(people):
        return 0
    digest = address_digest(channel, address)
    reason = SuppressionReason.COMPLAINT if source == ConsentSource.COMPLAINT else SuppressionReason.STOP
    if not suppress(channel=channel, digest=digest, reason=reason, now=said_at):
        again = Suppression.objects.filter(channel=channel, address_digest=digest, lifted_at=None, reason=reason)
        again.filter(since__lt=said_at).update(since=said_at)
    stopped = [user_id for user_id in people if user_id not in later]
    for user_id in stopped:
        choose(user_id=user_id, choices={channel: False}, source=source, now=said_at)
    if channel in BY_NUMBER:
        end_links_to_telephones(stopped, now=said_at)
    return len(stopped)


@transaction.atomic
def start(*, channel: str, address: str, said_at: datetime) -> int:
    """START answered: a STOP that was said before it is taken back, and what held before that STOP holds again.
    Returns for how many people that is a yes. A number that never said STOP agrees to nothing by it: it may be
    somebody else's than the person's who has it in their profile. So does one whose STOP comes here later: in doubt
    nobody is written to.
    """
    digests = addresses.every_digest(channel, address)
    stopped = Suppression.objects.filter(
        channel=channel, address_digest__in=digests, lifted_at=None, reason=SuppressionReason.STOP, since__lte=said_at
    )
    if not stopped.update(lifted_at=said_at):
        return 0
    people = [one for one in _people_at(channel, address) if _ended_by_stop(one, channel)]
    for user_id in people:
        choose(user_id=user_id, choices={channel: True}, source=ConsentSource.START, now=said_at)
    return len(people)


def _ended_by_stop(user_id: int, channel: str) -> bool:
    """Whether STOP was their last word: it is written down only where it changed something."""
    last = ConsentRecord.objects.filter(user_id=user_id, channel=channel).order_by("-at", "-pk").first()
    return last is not None and not last.is_on and last.source == ConsentSource.STOP


def _people_at(channel: str, address: str) -> list[int]:
    """Locked, in order of their ids, as everybody locks them."""
    by = {"phone" if channel in BY_NUMBER else "email": canonical(channel, address)}
    people = User.objects.select_for_update(of=("self",), no_key=True).filter(**by, is_active=True)
    return list(people.order_by("pk").values_list("pk", flat=True))


def address_of(user: User, channel: str) -> str:
    """Where this channel reaches the person; empty where it does not. Of browsers only whether there is one."""
    if channel == Channel.EMAIL:
        return user.email
    if channel in BY_NUMBER:
        return canonical(channel, str(user.phone)) if user.phone else ""
    if channel == Channel.PUSH:
        return "browser" if PushSubscription.objects.filter(user=user, ended_at=None).exists() else ""
    return "here"
