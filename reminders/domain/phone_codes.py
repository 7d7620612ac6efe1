"""Proving by a code that a telephone is its person's. Whoever has one that was proved is let in by its messages.

    asked → sent → proved | too many tries | given up | could not be sent | replaced by the next

A code costs money at once, and whoever earns by messages to a number likes it to be sent there: so few codes for a
person, for a number and in all, and only to mobile numbers of countries that the person's programmes have doctors in.
It goes past the outbox and its rates: a burst lets it through between two handfuls, and it is worded, kept and shown
nowhere else. A provider that hangs holds up senders, and no sign-in mail.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from smtplib import SMTPException
from typing import Any
from urllib.parse import urlsplit

import phonenumbers
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, QuerySet
from django.urls import reverse
from django.utils import translation
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from accounts.domain import audit, mail
from accounts.domain.limits import Limit
from accounts.domain.people import prove_phone
from accounts.domain.secrets import hash_token, new_code
from accounts.domain.sign_in import TooManyError
from accounts.models import User
from core.languages import spoken
from core.logging import get_logger
from courses.models import Enrolment
from reminders import tasks
from reminders.enums import Channel, PhoneCodeEnd
from reminders.models import PhoneCode
from reminders.models.phone import GOOD_FOR, MOST_TRIES
from reminders.transports import transport_for
from reminders.transports.base import Outgoing, Refused, Result, Uncertain

log = get_logger("reminders")
KEPT = timedelta(days=2)
SHOWN = timedelta(hours=1)  # who left it at that is not reminded of it next time
# After these the person may still want another one for the same number.
UNFINISHED = (PhoneCodeEnd.TRIES, PhoneCodeEnd.FAILED)
HOUR, DAY = 3_600, 86_400
PER_PERSON = (Limit("phone-codes-person", 3), Limit("phone-codes-person-day", 8, DAY))
PER_NUMBER = (Limit("phone-codes-number", 3, HOUR), Limit("phone-codes-number-day", 6, DAY))
GUESSES = Limit("phone-guesses-person", 30, DAY)
# Not by `user__is_active`: an UPDATE across a join looks its rows up in a query of its own, which does not look anew
# at what another worker has claimed meanwhile; two would pass.
_ACTIVE = User.objects.filter(is_active=True)
MOBILE = frozenset({phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE})


class WrongCodeError(Exception):
    """`tries_left` is 0 when only another code helps."""

    def __init__(self, tries_left: int) -> None:
        super().__init__("The code is wrong, used or too old.")
        self.tries_left = tries_left


def carrier(wanted: Collection[str] = ()) -> Channel | None:
    """Which way a code goes: as wanted, by SMS where both are or neither is. None: this site cannot send any."""
    able = [one for one in (Channel.SMS, Channel.WHATSAPP) if _carries(one)]
    return next((one for one in able if one in wanted), able[0] if able else None)


def _carries(channel: Channel) -> bool:
    """WhatsApp sends first only what was approved, codes too."""
    kind = settings.MESSAGES.get(f"MESSAGES_{channel.upper()}", "none")
    if channel == Channel.WHATSAPP and kind != "folder":
        return kind != "none" and bool(settings.MESSAGES.get("MESSAGES_WHATSAPP_CODE"))
    return bool(kind != "none")


def masked(number: str) -> str:
    """'+33 •• 45': enough to know which telephone to look at."""
    parsed = phonenumbers.parse(number)
    return f"+{parsed.country_code} •• {str(parsed.national_number)[-2:]}"


def open_code(user: User) -> PhoneCode | None:
    """Also one that is too old by now. One query."""
    return PhoneCode.objects.filter(user=user, ended_at=None).first()


def waiting_code(user: User, *, now: datetime) -> PhoneCode | None:
    """What the person may still do something about: on its way, too old, used up, not to be sent. One query."""
    latest = PhoneCode.objects.filter(user=user).order_by("-asked_at", "-pk").first()
    if latest is None or now - latest.asked_at > SHOWN:
        return None
    return latest if latest.ended_at is None or latest.ending in UNFINISHED else None


# Asking


@transaction.atomic
def ask(*, user: User, number: str, channels: Collection[str], is_again: bool = False, now: datetime) -> PhoneCode:
    """The open one when it is on its way to this number already, else (and with `is_again`) the next, which ends it.

    `channels` begin with the proof. Raises ValidationError for a number to which no code goes, TooManyError.
    """
    _lock(user)
    standing = open_code(user)
    wanted = sorted(channels)
    if standing and not is_again and standing.number == number and standing.expires_at > now:
        PhoneCode.objects.filter(pk=standing.pk).update(channels=wanted)
        return standing
    check_number(user, number)
    via = carrier(wanted)
    if via is None:
        raise ValidationError(_("This site cannot send codes."), code="carrier")
    _count(user, number)
    if standing:
        _end(standing, PhoneCodeEnd.REPLACED, now=now)
    made = PhoneCode.objects.create(
        user=user, number=number, via=via, channels=wanted, asked_at=now, expires_at=now + GOOD_FOR
    )
    audit.record("phone.code_asked", actor=user, subject=user, details={"by": via}, now=now)
    transaction.on_commit(lambda: tasks.send_phone_code.delay(made.pk), robust=True)
    return made


def check_number(user: User, number: str) -> None:
    """Raises ValidationError."""
    parsed = phonenumbers.parse(number)
    if phonenumbers.number_type(parsed) not in MOBILE:
        raise ValidationError(_("This is no mobile number. We send a code there, so please give one."), code="mobile")
    expected = _countries(user)
    if expected and phonenumbers.region_code_for_number(parsed) not in expected:
        raise ValidationError(
            _("We send no messages to numbers of this country. Please give another one, or stay with e-mail."),
            code="country",
        )


def _countries(user: User) -> set[str]:
    """Where the doctors of the person's programmes are. Empty: nobody has said so."""
    programmes = Enrolment.objects.filter(user=user).values("programme")
    named = User.objects.filter(enrolments__programme__in=programmes).exclude(country="")
    return {
        str(code) for code in [*named.values_list("country", flat=True).distinct().order_by(), user.country] if code
    }


def _count(user: User, number: str) -> None:
    """Every limit is hit, also after a refusal. Raises TooManyError."""
    in_all = Limit("phone-codes-all", int(settings.MESSAGES["MESSAGES_CODES_AN_HOUR"]), HOUR)
    decisions = [
        *(limit.hit(str(user.pk)) for limit in PER_PERSON),
        *(limit.hit(hash_token(number).hex()[:32]) for limit in PER_NUMBER),
    ]
    if all(decisions):  # who is refused anyway takes nothing from the others
        decisions.append(in_all.hit())
    if waits := [one.retry_after_seconds for one in decisions if not one]:
        raise TooManyError(max(waits))


@transaction.atomic
def give_up(*, user: User, now: datetime) -> bool:
    """False: nothing was waiting."""
    _lock(user)
    waiting = waiting_code(user, now=now)
    if waiting is None:
        return False
    rows = PhoneCode.objects.filter(pk=waiting.pk)
    return bool(rows.update(ended_at=now, ending=PhoneCodeEnd.LEFT, code_hash=None))


# Sending


def send(*, code_id: int, now: datetime) -> bool:
    """Makes the code and hands it over. Claimed before: a bell rung twice sends once.

    What the provider surely did not take and may take later waits for the sweep, as long as the code would be good.
    """
    code = new_code()
    hashed = _hash(code, code_id)
    rows = PhoneCode.objects.filter(pk=code_id, ended_at=None)
    if not rows.filter(code_hash=None, expires_at__gt=now, user__in=_ACTIVE).update(code_hash=hashed):
        return False
    row = PhoneCode.objects.select_related("user").get(pk=code_id)
    result = _hand_over(row, code)
    if not isinstance(result, Refused):
        return bool(rows.filter(code_hash=hashed).update(sent_at=now))
    log.warning("reminders.code_not_sent", transport=row.via, why=result.why)
    if result.is_temporary:
        rows.filter(code_hash=hashed).update(code_hash=None)
    else:
        _end(row, PhoneCodeEnd.FAILED, now=now)
    return False


def _hand_over(row: PhoneCode, code: str) -> Result:
    transport = transport_for(row.via)
    if transport is None:
        return Refused("this channel is no longer sent by")
    try:
        (result,) = transport.send([_message(row, code, transport.name)])
    except Exception as error:
        log.exception("reminders.transport_failed", transport=transport.name)
        return Uncertain(type(error).__name__)
    return result


def _message(row: PhoneCode, code: str, transport_name: str) -> Outgoing:
    """Its last line is what browsers know a code by, and for which site alone they may fill it in."""
    with translation.override(spoken(row.user.language)):
        words = _(
            "%(code)s is your code for %(site)s. It is good for ten minutes. Nobody will ever ask you for it."
        ) % {
            "code": code,
            "site": settings.SITE_NAME,
        }
    template, _slash, language = str(settings.MESSAGES.get("MESSAGES_WHATSAPP_CODE", "")).partition("/")
    return Outgoing(
        key=row.key,
        address=row.number,
        text=f"{words}\n\n@{urlsplit(settings.SITE_URL).hostname} #{code}",
        sender_name=settings.SITE_NAME,
        template=template,
        places=(code,) if row.via == Channel.WHATSAPP else (),
        language=language or "en",
        url=f"/{code}" if transport_name == "meta" else "",  # its button copies it
    )


def unsent(*, now: datetime) -> list[int]:
    """What a lost bell or an absent provider left behind, and is still good."""
    waiting = PhoneCode.objects.filter(ended_at=None, code_hash=None, expires_at__gt=now)
    return list(waiting.order_by("asked_at").values_list("pk", flat=True)[:200])


# Proving


def check(*, user: User, code: str, now: datetime) -> PhoneCode:
    """The code that was right. A try is counted before it is looked at, in the row: parallel ones share the count.

    Raises WrongCodeError, TooManyError.
    """
    guesses = GUESSES.hit(str(user.pk))
    if not guesses:
        raise TooManyError(guesses.retry_after_seconds)
    standing = open_code(user)
    if standing is None or not _good(standing, now).update(tries=F("tries") + 1):
        raise WrongCodeError(0)
    row = PhoneCode.objects.get(pk=standing.pk)
    if constant_time_compare(bytes(row.code_hash or b""), _hash(code, row.pk)):
        return row
    audit.record("phone.code_refused", actor=user, subject=user, now=now)
    if row.tries >= MOST_TRIES:
        _end(row, PhoneCodeEnd.TRIES, now=now)
    raise WrongCodeError(MOST_TRIES - row.tries)


def _good(row: PhoneCode, now: datetime) -> QuerySet[PhoneCode]:
    return PhoneCode.objects.filter(pk=row.pk, ended_at=None, expires_at__gt=now, tries__lt=MOST_TRIES)


@transaction.atomic
def prove(*, code: PhoneCode, user: User, now: datetime) -> bool:
    """False: another tab did, or it was replaced in between."""
    _lock(user)
    if not _end(code, PhoneCodeEnd.PROVED, now=now):
        return False
    prove_phone(user=user, number=code.number, by=code.via, now=now)
    transaction.on_commit(lambda: tasks.tell_of_phone.delay(code.pk), robust=True)
    return True


def tell(*, code_id: int, now: datetime) -> bool:
    """An e-mail to the person: whoever else had an open browser of theirs cannot do this unseen."""
    rows = PhoneCode.objects.filter(pk=code_id, ending=PhoneCodeEnd.PROVED)
    if not rows.filter(told_at=None, user__in=_ACTIVE).update(told_at=now):
        return False
    row = PhoneCode.objects.select_related("user").get(pk=code_id)
    context: dict[str, Any] = {
        "number": masked(row.number),
        "link": settings.SITE_URL + reverse("reminders:preferences"),
    }
    try:
        mail.send(mail.build("phone_proved", user=row.user, context=context))
    except (OSError, SMTPException) as error:
        log.warning("reminders.not_told_of_phone", code=code_id, **mail.refusal_of(error))
        rows.update(told_at=None)
        return False
    return True


def untold(*, now: datetime) -> list[int]:
    proved = PhoneCode.objects.filter(ending=PhoneCodeEnd.PROVED, told_at=None, user__is_active=True)
    return list(proved.filter(ended_at__gt=now - KEPT).order_by("pk").values_list("pk", flat=True)[:200])


def _end(row: PhoneCode, ending: PhoneCodeEnd, *, now: datetime) -> bool:
    rows = PhoneCode.objects.filter(pk=row.pk, ended_at=None)
    return bool(rows.update(ended_at=now, ending=ending, code_hash=None))


def _lock(user: User) -> None:
    """Two tabs queue up at the person's row, as they do for their choices."""
    list(User.objects.select_for_update(of=("self",), no_key=True).filter(pk=user.pk).values_list("pk"))


def _hash(code: str, code_id: int) -> bytes:
    """Keyed with SECRET_KEY and the row: six digits under a plain hash would be read back from a stolen database."""
    return salted_hmac(f"reminders.phone-code.{code_id}", code, algorithm="sha256").digest()
