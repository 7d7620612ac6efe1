"""Signed-in browsers. PostgreSQL decides who is signed in: a session without an open device row opens nothing."""

import uuid
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.expressions import Combinable
from django.utils.crypto import constant_time_compare

from accounts.domain.audit import record
from accounts.domain.user_agents import describe
from accounts.enums import DeviceEnd
from accounts.models import Device, User
from accounts.signals import devices_ended
from core.prepared import Prepared

SEEN_EVERY = timedelta(minutes=5)


class DeviceNotFoundError(Exception):
    """No open device of this person has that id."""


@transaction.atomic
def open_device(
    *,
    request_session_key: str,
    user: User,
    user_agent: str,
    address: str | None,
    method: str,
    now: datetime,
    mfa_at: datetime | None = None,
) -> Device:
    """At most `DEVICE_LIMIT` at once, counted under a lock on the person: two sign-ins in the same moment cannot both
    see a free place. The oldest sign-in makes room, not the least used: it is the one people have forgotten.
    """
    User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    standing = list(Device.objects.open().filter(user=user).order_by("created_at", "id"))
    expired = [device for device in standing if is_expired(device, user=user, now=now)]
    living = [device for device in standing if device not in expired]
    surplus = living[: max(0, len(living) - settings.DEVICE_LIMIT + 1)]
    _end(expired, reason=DeviceEnd.EXPIRED, now=now)
    _end(surplus, reason=DeviceEnd.REPLACED, now=now)
    return Device.objects.create(
        user=user,
        session_key=request_session_key,
        name=describe(user_agent),
        user_agent=user_agent[:400],
        address=address,
        method=method,
        created_at=now,
        last_seen_at=now,
        mfa_at=mfa_at,
    )


def is_expired(device: Device, *, user: User, now: datetime) -> bool:
    """Too long since the sign-in, or too long unused; staff, who can do more harm, have a shorter patience."""
    idle = timedelta(hours=settings.STAFF_IDLE_HOURS if user.is_staff else settings.SESSION_IDLE_HOURS)
    oldest = now - timedelta(seconds=settings.SESSION_COOKIE_AGE)
    return device.created_at <= oldest or device.last_seen_at <= now - max(idle, SEEN_EVERY * 2)


def could_be_session_key(text: str) -> bool:
    """Django makes 32 letters and digits; anything else in the cookie was written by somebody else."""
    return text.isascii() and text.isalnum() and len(text) <= 40


_asked_along: dict[str, Callable[[], Combinable]] = {}


def ask_along(name: str, expression: Callable[[], Combinable]) -> None:
    """From `AppConfig.ready()` of an app above: what every page shows of its person is `request.device.<name>`, and
    costs no query of its own. Only what an index answers: every request asks it.
    """
    _asked_along[name] = expression


def _device_with_person(session_key: str) -> QuerySet[Device]:
    along = {name: expression() for name, expression in _asked_along.items()}
    open_devices: QuerySet[Device] = Device.objects.open().select_related("user").annotate(**along)
    return open_devices.filter(session_key=session_key).order_by("pk")[:1]


_open_device = Prepared[Device](_device_with_person)


def device_of_session(session_key: str | None, *, now: datetime | None = None) -> Device | None:
    """The open device with its person, in one query; None once it ended, expired, or its person was disabled."""
    if not session_key or not could_be_session_key(session_key):
        return None
    device = _open_device.first(session_key=session_key)
    if device is None or not device.user.is_active:
        return None
    return None if now is not None and is_expired(device, user=device.user, now=now) else device


def session_belongs(session: Any, user: User) -> bool:
    """Whether the session was made with the person's present password; a rotated SECRET_KEY is forgiven once."""
    given = session.get(HASH_SESSION_KEY) or ""
    if constant_time_compare(given, user.get_session_auth_hash()):
        return True
    if any(constant_time_compare(given, known) for known in user.get_session_auth_fallback_hash()):
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        return True
    return False


def end_of_session(session_key: str) -> str:
    """Why the device of this session ended, or nothing: what the sign-in page explains."""
    return Device.objects.filter(session_key=session_key).values_list("ended_reason", flat=True).first() or ""


def mark_seen(*, device: Device, now: datetime) -> None:
    """At most one write per device in five minutes, however many requests race."""
    if now - device.last_seen_at < SEEN_EVERY:
        return
    Device.objects.open().filter(pk=device.pk, last_seen_at__lte=now - SEEN_EVERY).update(last_seen_at=now)
    device.last_seen_at = now


def mark_second_step(*, device: Device, now: datetime) -> None:
    Device.objects.filter(pk=device.pk).update(mfa_at=now)
    device.mfa_at = now


def forget_second_steps(*, user: User) -> None:
    """When the last authenticator is gone, no open device may count as verified any longer."""
    Device.objects.open().filter(user=user).update(mfa_at=None)


def move_device(*, device: Device, session_key: str) -> None:
    """Django gives a session a new key when the password changes; the device goes with it."""
    Device.objects.filter(pk=device.pk).update(session_key=session_key)
    device.session_key = session_key


@transaction.atomic
def end_device(*, device: Device, reason: str, now: datetime) -> bool:
    return bool(_end([device], reason=reason, now=now))


@transaction.atomic
def end_own_device(*, user: User, device_id: uuid.UUID, now: datetime) -> Device:
    """From "My devices". Somebody else's device is as unknown as one that never was."""
    device: Device | None = Device.objects.open().filter(user=user, pk=device_id).first()
    if device is None:
        raise DeviceNotFoundError
    _end([device], reason=DeviceEnd.REVOKED, now=now)
    record("device.revoked", actor=user, subject=device, details={"name": device.name}, now=now)
    return device


@transaction.atomic
def end_all_devices(*, user: User, except_device: Device | None = None, reason: str, now: datetime) -> int:
    User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    devices = Device.objects.open().filter(user=user)
    if except_device is not None:
        devices = devices.exclude(pk=except_device.pk)
    return _end(devices, reason=reason, now=now)


def _end(devices: Iterable[Device], *, reason: str, now: datetime) -> int:
    """Claims by a conditional update, so that two who end the same device announce it once."""
    ended: list[Device] = []
    for device in devices:
        if Device.objects.open().filter(pk=device.pk).update(ended_at=now, ended_reason=reason):
            device.ended_at, device.ended_reason = now, reason
            ended.append(device)
    for device in ended:
        _session(device.session_key).delete()
    if ended:
        ids, user_id = [device.pk for device in ended], ended[0].user_id
        transaction.on_commit(
            lambda: devices_ended.send(sender=Device, device_ids=ids, user_id=user_id, reason=reason), robust=True
        )
    return len(ended)


def _session(key: str) -> Any:
    """In the database and in the cache. A copy that Redis kept opens nothing: the device row is gone as well."""
    return import_module(settings.SESSION_ENGINE).SessionStore(key)
