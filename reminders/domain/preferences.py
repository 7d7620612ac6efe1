"""What a person's page of messages shows and changes: ways of being written to, and the number for two of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.domain.people import forget_proof_of_phone, update_profile
from accounts.models import User
from reminders.domain import consent, phone_codes
from reminders.domain.addresses import every_digest
from reminders.domain.consent import BY_NUMBER
from reminders.enums import Channel, ConsentSource, SuppressionReason
from reminders.models import ConsentRecord, PhoneCode, PushSubscription, Suppression
from reminders.transports import takes_answers

CHOSEN_HERE = (Channel.EMAIL, Channel.WHATSAPP, Channel.SMS)
MOST_HISTORY = 20
# Said by the person who has the address: saying yes again takes them back.
TAKEN_BACK = (SuppressionReason.STOP, SuppressionReason.COMPLAINT)
DEAD = (SuppressionReason.HARD_BOUNCE, SuppressionReason.INVALID)


@dataclass(frozen=True, slots=True)
class Way:
    """`is_blocked`: it is wanted, and the address takes nothing all the same."""

    channel: Channel
    is_on: bool
    address: str
    blocked_by: str = ""

    @property
    def is_blocked(self) -> bool:
        return self.is_on and bool(self.blocked_by)


def offered() -> tuple[Channel, ...]:
    """What this site can send by, of what is chosen on the page. A browser's notices have their own part there."""
    return tuple(channel for channel in CHOSEN_HERE if _is_sent(channel))


def notices_key() -> str:
    """What a browser subscribes with; empty: there are no notices here."""
    if not _is_sent(Channel.PUSH):
        return ""
    from reminders.transports.push import public_key  # with its libraries, which no other page needs

    return public_key()


def _is_sent(channel: Channel) -> bool:
    """Without making its transport, whose provider's library a page has no need of."""
    kinds: Mapping[str, object] = getattr(settings, "MESSAGES", {})
    return kinds.get(f"MESSAGES_{channel.upper()}", "none") != "none"


def ways_of(user: User) -> list[Way]:
    """Two queries."""
    chosen = consent.choices_of(user)
    found = [Way(one, chosen[one], consent.address_of(user, one)) for one in offered()]
    digests = {
        (str(way.channel), digest) for way in found if way.address for digest in every_digest(way.channel, way.address)
    }
    rows = Suppression.objects.filter(address_digest__in={digest for _channel, digest in digests}, lifted_at=None)
    blocked = {row.channel: row.reason for row in rows if (row.channel, bytes(row.address_digest)) in digests}
    return [Way(way.channel, way.is_on, way.address, blocked.get(way.channel, "")) for way in found]


def wording() -> dict[str, str]:
    """What stands beside each box, in the reader's language: it is kept with the answer."""
    sms = (
        _("SMS: reminders shortly before a webinar, and what cannot wait. Answer STOP to end them.")
        if takes_answers(Channel.SMS)
        else _("SMS: reminders shortly before a webinar, and what cannot wait. Each has an address that ends them.")
    )
    return {
        Channel.EMAIL: _("E-mail: invitations to webinars with their calendar entry, reminders, your progress."),
        Channel.WHATSAPP: _("WhatsApp: reminders shortly before a webinar, and what cannot wait."),
        Channel.SMS: sms,
        Channel.PUSH: _("Notices in this browser: when a webinar begins, also while this site is closed."),
    }


@transaction.atomic
def save(*, user: User, choices: Mapping[str, bool], phone: object | None, now: datetime) -> PhoneCode | None:
    """`phone`: none where it was not asked for. Whoever says yes again to what they had ended from elsewhere (STOP,
    "unwanted" in the mail program) is written to again; a dead address stays as it is.

    A yes that needs a number waits for the code that proves it, which is returned then; so does a new number, and until
    then the old one is written to. Raises ValidationError for a number to which no code goes, `TooManyError`; nothing
    is changed then.
    """
    known = {name: is_on for name, is_on in choices.items() if name in offered()}
    waiting = _waiting(user, known, phone)
    code = None
    if waiting:
        code = phone_codes.ask(user=user, number=_e164(phone), channels=waiting, now=now)
    else:
        _give_up_what_is_unwanted(user, now=now)
        if phone is not None:
            update_profile(user=user, values={"phone": phone}, now=now)
    _choose(user, {name: is_on for name, is_on in known.items() if name not in waiting}, now=now)
    return code


def _waiting(user: User, known: Mapping[str, bool], phone: object | None) -> set[str]:
    """Which of the ways that are ticked begin with a proof. One that is on for this number already goes on without."""
    ticked = {name for name, is_on in known.items() if is_on and name in BY_NUMBER}
    if not ticked or phone is None or phone_codes.carrier(ticked) is None:
        return set()
    if _e164(phone) != _e164(user.phone):
        return ticked
    held = consent.choices_of(user)
    return set() if user.phone_proved_at else {name for name in ticked if not held[Channel(name)]}


def _give_up_what_is_unwanted(user: User, *, now: datetime) -> None:
    """The box that a code was asked for is empty again."""
    waiting = phone_codes.waiting_code(user, now=now)
    if waiting is not None and waiting.channels:
        phone_codes.give_up(user=user, now=now)


def _choose(user: User, choices: Mapping[str, bool], *, now: datetime) -> list[Channel]:
    changed = consent.choose(
        user_id=user.pk, choices=choices, source=ConsentSource.PROFILE, wording=wording(), actor=user, now=now
    )
    for channel in changed:
        if choices[channel]:
            take_back(user=user, channel=channel, actor=user, now=now)
    return changed


def take_back(*, user: User, channel: str, actor: User | None = None, now: datetime) -> bool:
    """Whoever says yes again to what they had ended from elsewhere is written to again."""
    return _free(user, channel, TAKEN_BACK, actor=actor, now=now)


def confirm(*, user: User, code: str, now: datetime) -> None:
    """The number becomes the person's and proved, and what waited for it begins, all at once.

    Raises `phone_codes.WrongCodeError`, `TooManyError`.
    """
    found = phone_codes.check(user=user, code=code, now=now)
    with transaction.atomic():
        if phone_codes.prove(code=found, user=user, now=now):
            _choose(user, dict.fromkeys(found.channels, True), now=now)
            for channel in found.channels:  # also where it was on before, for another number
                take_back(user=user, channel=channel, actor=user, now=now)


def confirm_later(*, user: User, now: datetime) -> PhoneCode | None:
    """The next code for the number that waits, else one for the number that stands there. None: there is neither.

    Raises as `save` does.
    """
    waiting = phone_codes.waiting_code(user, now=now)
    if waiting is not None:
        return phone_codes.ask(user=user, number=waiting.number, channels=waiting.channels, is_again=True, now=now)
    if not user.phone or user.phone_proved_at:
        return None
    return phone_codes.ask(user=user, number=_e164(user.phone), channels=(), now=now)


def _e164(phone: object) -> str:
    return consent.canonical(Channel.SMS, str(phone)) if phone else ""


@transaction.atomic
def try_again(*, user: User, channel: str, now: datetime) -> bool:
    """The person says that their address works. If it does not, the next message tells.

    A number that took nothing may have gone to somebody else meanwhile: it is proved anew.
    """
    is_dead = any(way.blocked_by in DEAD for way in ways_of(user) if way.channel == channel)
    if not _free(user, channel, tuple(SuppressionReason), actor=user, now=now):
        return False
    if is_dead and channel in BY_NUMBER:
        forget_proof_of_phone(user=user, now=now)
    return True


def _free(
    user: User, channel: str, reasons: tuple[SuppressionReason, ...], *, actor: User | None, now: datetime
) -> bool:
    address = consent.address_of(user, channel)
    digests = every_digest(channel, address)
    return bool(address) and consent.lift(channel=channel, digest=digests, reasons=reasons, actor=actor, now=now)


def history_of(user: User) -> list[ConsentRecord]:
    return list(ConsentRecord.objects.filter(user=user).order_by("-at", "-pk")[:MOST_HISTORY])


def browsers_of(user: User) -> list[PushSubscription]:
    return list(PushSubscription.objects.filter(user=user, ended_at=None).order_by("-made_at", "-pk"))
