"""What a person, or staff, changes about an account."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.domain.audit import record
from accounts.domain.devices import end_all_devices, is_expired
from accounts.domain.sign_in import forget_old_requests
from accounts.domain.time_zones import RENAMED_ZONES
from accounts.enums import DeviceEnd
from accounts.models import Device, Invitation, LimitCounter, PendingImport, SignInRequest, User
from core.languages import is_known
from core.time import zone_names

LONGEST_PASSWORD = 128
MOST_DEVICES_A_TIME = 5_000
PROFILE_FIELDS = (
    "title",
    "first_name",
    "last_name",
    "specialty",
    "country",
    "timezone",
    "language",
    "phone",
    "medical_council",
    "registration_number",
)


STAFF_FIELDS = ("email", *PROFILE_FIELDS)


_councils: list[Callable[[], Iterable[str]]] = []


def know_councils(names: Callable[[], Iterable[str]]) -> None:
    """From `AppConfig.ready()` of an app that tells medical councils apart: the profile suggests their names."""
    if names not in _councils:
        _councils.append(names)


def council_names() -> list[str]:
    return sorted({name for names in _councils for name in names()})


def check_timezone(name: str) -> str:
    """The one validator of time zones, for forms, imports and the API. Returns the name in use today."""
    name = RENAMED_ZONES.get(name, name)
    if name not in zone_names():
        raise ValidationError(_("%(zone)s is not a time zone."), code="timezone", params={"zone": name[:60]})
    return name


def check_language(code: str) -> str:
    """Any language there is: a preference for one that is not offered yet is kept, see `core.languages.spoken`."""
    if not is_known(code):
        raise ValidationError(_("This language code is not known. Use one like en, fr or pt-br."), code="language")
    return code


@transaction.atomic
def update_profile(*, user: User, values: dict[str, object], now: datetime) -> User:
    """Only the fields of the profile: whatever else a form or a request contained is not looked at.

    What is not given is not checked either: a stored zone that a newer tz database no longer knows must not stand in
    the way of a new phone number.
    """
    given = {name: values[name] for name in PROFILE_FIELDS if name in values}
    if "timezone" in given:
        given["timezone"] = check_timezone(str(given["timezone"]))
        user.timezone_confirmed_at = now
    if "language" in given:
        check_language(str(given["language"]))
    changed = [name for name, value in given.items() if getattr(user, name) != value]
    for name in changed:
        setattr(user, name, given[name])
    if "phone" in changed:
        user.phone_proved_at = None  # as the database does
        record("phone.changed", actor=user, subject=user, now=now)
    user.save(update_fields=[*changed, "timezone_confirmed_at"])
    return user


@transaction.atomic
def prove_phone(*, user: User, number: str, by: str, now: datetime) -> None:
    """Whoever has this number has shown it. `number`: E.164; it becomes the person's, whatever stood there before.

    Two statements: a change of the number empties the proof, also one in the same statement.
    """
    mine = User.objects.filter(pk=user.pk)
    mine.exclude(phone=number).update(phone=number)
    mine.update(phone_proved_at=now)
    user.refresh_from_db(fields=["phone", "phone_proved_at"])
    record("phone.proved", actor=user, subject=user, details={"by": by}, now=now)


def forget_proof_of_phone(*, user: User, now: datetime) -> None:
    """The number took nothing for a while and may be somebody else's by now. Links that went there end with it."""
    if User.objects.filter(pk=user.pk, phone_proved_at__isnull=False).update(phone_proved_at=None):
        user.phone_proved_at = None
        record("phone.unproved", actor=user, subject=user, now=now)


def confirm_timezone(*, user: User, timezone: str, now: datetime) -> None:
    user.timezone = check_timezone(timezone)
    user.timezone_confirmed_at = now
    user.save(update_fields=["timezone", "timezone_confirmed_at"])


def adopt_timezone(*, user: User, timezone: str) -> bool:
    """From the browser at the first sign-in, where nobody has said anything better; confirmed later by the person."""
    name = RENAMED_ZONES.get(timezone, timezone)
    if user.timezone_confirmed_at is not None or name not in zone_names():
        return False
    updated = User.objects.filter(pk=user.pk, timezone_confirmed_at=None).update(timezone=name)
    user.timezone = name
    return bool(updated)


def choose_language(*, user: User, language: str) -> None:
    user.language = check_language(language)
    user.save(update_fields=["language"])


def choose_comparison(*, user: User, wanted: bool) -> None:
    """Whether they want to see how far their colleagues are. Nobody else sees anything of it."""
    User.objects.filter(pk=user.pk).exclude(compares_progress=wanted).update(compares_progress=wanted)
    user.compares_progress = wanted


@transaction.atomic
def set_password(*, user: User, password: str, keep_device: Device | None, now: datetime) -> None:
    """Ends every other device: whoever knew the old password, or found an open browser, is out."""
    validate_password(password, user)
    user.set_password(password)
    user.save(update_fields=["password"])
    end_all_devices(user=user, except_device=keep_device, reason=DeviceEnd.PASSWORD, now=now)
    record("password.changed", actor=user, subject=user, now=now)


@transaction.atomic
def add_by_staff(*, values: dict[str, Any], actor: User, now: datetime) -> User:
    """An account without a password; the person comes in by an invitation."""
    user = User(created_at=now, **{name: values[name] for name in STAFF_FIELDS if name in values})
    user.email = user.email.strip().lower()
    user.set_unusable_password()
    user.save()
    record("person.added", actor=actor, subject=user, now=now)
    return user


@transaction.atomic
def change_by_staff(*, user: User, values: dict[str, Any], actor: User, now: datetime) -> User:
    """A new address closes what the old mailbox could open: invitations, sign-in e-mails, and every device."""
    given = {name: values[name] for name in STAFF_FIELDS if name in values}
    if "email" in given:
        given["email"] = given["email"].strip().lower()
    changed = [name for name, value in given.items() if getattr(user, name) != value]
    if not changed:
        return user
    for name in changed:
        setattr(user, name, given[name])
    user.save(update_fields=changed)
    if "phone" in changed:
        user.phone_proved_at = None  # as the database does
    if "email" in changed:
        Invitation.objects.open().filter(user=user).update(revoked_at=now)
        SignInRequest.objects.filter(user=user, used_at=None).update(used_at=now)
        end_all_devices(user=user, reason=DeviceEnd.REVOKED, now=now)
    record("person.changed", actor=actor, subject=user, details={"fields": changed}, now=now)
    return user


@transaction.atomic
def disable(*, user: User, actor: User, now: datetime) -> None:
    """Out at once: every device ends with it, and so do its sessions and sockets."""
    User.objects.filter(pk=user.pk).update(is_active=False)
    user.is_active = False
    end_all_devices(user=user, reason=DeviceEnd.DISABLED, now=now)
    record("person.disabled", actor=actor, subject=user, now=now)


@transaction.atomic
def enable(*, user: User, actor: User, now: datetime) -> None:
    User.objects.filter(pk=user.pk).update(is_active=True)
    user.is_active = True
    record("person.enabled", actor=actor, subject=user, now=now)


@transaction.atomic
def reset_second_step(*, user: User, actor: User, now: datetime) -> int:
    """For a lost phone, after the operator has made sure who is asking. Signs the person out everywhere."""
    removed = int(Authenticator.objects.filter(user=user).delete()[0])
    end_all_devices(user=user, reason=DeviceEnd.REVOKED, now=now)
    record("second_step.reset", actor=actor, subject=user, details={"removed": removed}, now=now)
    return removed


def tidy_up(*, now: datetime) -> None:
    """Hourly. Nothing here is needed for safety: expired things are refused wherever they are met."""
    forget_old_requests(now=now)
    LimitCounter.objects.filter(ends_at__lt=now).delete()
    PendingImport.objects.filter(created_at__lt=now - timedelta(days=1)).delete()
    Session.objects.filter(expire_date__lt=now).delete()
    idle = Device.objects.open().filter(last_seen_at__lt=now - timedelta(hours=1)).order_by("last_seen_at")
    for device in idle.select_related("user")[:MOST_DEVICES_A_TIME]:
        if is_expired(device, user=device.user, now=now):
            Device.objects.open().filter(pk=device.pk).update(ended_at=now, ended_reason=DeviceEnd.EXPIRED)
