"""The account's part of erasing a person, and of handing them their own data. `certification.domain` composes both."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.http import HttpRequest

from accounts.domain import audit
from accounts.domain.devices import end_all_devices
from accounts.domain.people import PROFILE_FIELDS
from accounts.enums import DeviceEnd
from accounts.models import AuditEvent, Device, Invitation, SignInRequest, User

# Where nobody receives mail: the domain is reserved for that (RFC 2606).
NOWHERE = "erased.invalid"
NAME = "A doctor"  # what stands where an asker's name stood; not translated, as names are not


@dataclass(frozen=True, slots=True)
class KeptPart:
    """What stays for ever under a number, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Part:
    """What an app that is above `certification` keeps of people. `file`: its name in a person's own copy.

    `erase(user=…, now=…)` runs in the transaction of the whole, while name and address are still there.
    """

    file: str
    found: Callable[[User], dict[str, int]]
    erase: Callable[..., None]
    own_data: Callable[[User], dict[str, Any]]
    kept: Callable[[User], list[KeptPart]]


_parts: dict[str, Part] = {}


def register(part: Part) -> None:
    """From `AppConfig.ready()`. `certification.domain.erasure` composes all parts."""
    _parts[part.file] = part


def parts_above() -> tuple[Part, ...]:
    return tuple(_parts.values())


def is_erased(user: User) -> bool:
    return user.email.endswith(f"@{NOWHERE}")


def ask_for_erasure(*, user: User, now: datetime, request: HttpRequest | None = None) -> bool:
    """False: it was asked for before. A person of the office does it."""
    if not User.objects.filter(pk=user.pk, erasure_asked_at=None).update(erasure_asked_at=now, erasure_told_at=None):
        return False
    audit.record("erasure.asked", actor=user, subject=user, request=request, now=now)
    return True


def withdraw_erasure(*, user: User, now: datetime, request: HttpRequest | None = None) -> bool:
    """False: nothing was asked for."""
    asked = User.objects.filter(pk=user.pk, erasure_asked_at__isnull=False)
    if not asked.update(erasure_asked_at=None, erasure_told_at=None):
        return False
    audit.record("erasure.withdrawn", actor=user, subject=user, request=request, now=now)
    return True


def found(user: User) -> dict[str, int]:
    return {
        "devices": Device.objects.filter(user=user).count(),
        "invitations": Invitation.objects.filter(user=user).count(),
        "sign-in e-mails": SignInRequest.objects.filter(user=user).count(),
        "second steps": Authenticator.objects.filter(user=user).count(),
    }


@transaction.atomic
def erase(*, user: User, now: datetime) -> None:
    """The row stays, because credit and questions refer to it; who it was goes. Every device is out at once."""
    end_all_devices(user=user, reason=DeviceEnd.DISABLED, now=now)
    Device.objects.filter(user=user).update(name="", user_agent="", address=None)
    Invitation.objects.filter(user=user).delete()
    SignInRequest.objects.filter(user=user).delete()
    Authenticator.objects.filter(user=user).delete()
    EmailAddress.objects.filter(user=user).delete()
    user.email = f"{uuid4().hex}@{NOWHERE}"
    user.title = user.first_name = user.specialty = user.country = user.phone = ""
    user.medical_council = user.registration_number = ""
    user.last_name, user.timezone, user.language = NAME, "UTC", "en"
    user.timezone_confirmed_at = user.last_login = user.phone_proved_at = None
    user.erasure_asked_at = user.erasure_told_at = None
    user.is_active = user.compares_progress = False
    user.set_unusable_password()
    user.groups.clear()
    user.user_permissions.clear()
    user.save()


def own_data(user: User) -> dict[str, Any]:
    """Nothing that opens a door: no hash, no token, no session."""
    return {
        "profile": {name: str(getattr(user, name)) for name in ("email", *PROFILE_FIELDS)}
        | {
            "phone_confirmed_at": user.phone_proved_at,
            "compares_progress": user.compares_progress,
            "since": user.created_at,
            "asked_to_be_erased_at": user.erasure_asked_at,
        },
        "devices": list(
            Device.objects.filter(user=user)
            .order_by("created_at", "pk")
            .values("name", "user_agent", "address", "method", "created_at", "last_seen_at", "ended_at", "ended_reason")
        ),
        "invitations": list(
            Invitation.objects.filter(user=user)
            .order_by("created_at", "pk")
            .values("occasion", "created_at", "sent_at", "used_at", "revoked_at")
        ),
        "sign_in_emails": list(
            SignInRequest.objects.filter(user=user)
            .order_by("created_at", "pk")
            .values("created_at", "address", "used_at")
        ),
        "second_steps": list(Authenticator.objects.filter(user=user).order_by("pk").values("type", "created_at")),
        "audit_trail": list(
            AuditEvent.objects.filter(actor=user).order_by("pk").values("at", "action", "address", "details")
        ),
    }
