"""Sign-in and sign-out as Django and allauth announce them become device rows and audit events."""

from typing import Any

from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.account.signals import authentication_step_completed
from allauth.mfa import signals as mfa_signals
from allauth.mfa.models import Authenticator
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.timezone import now

from accounts.domain import devices, sessions
from accounts.domain.audit import UNKNOWN_ADDRESS, record
from accounts.enums import DeviceEnd, SignInMethod
from accounts.models import Device, User
from core.http import client_address


@receiver(user_logged_in, dispatch_uid="accounts.open_device")
def open_device(*, request: HttpRequest, user: User, **_: Any) -> None:
    """Every way in passes here, so that no session without a device can exist.

    Signing in over another person's session leaves it flushed and without a key until the response; the device needs
    one now. That person's device is at its end, too: nothing else tells, for nobody signed them out.
    """
    at = now()
    if not request.session.session_key:
        request.session.create()
    before: Device | None = getattr(request, "device", None)
    if before is not None and before.user_id != user.pk:
        devices.end_device(device=before, reason=DeviceEnd.SIGNED_OUT, now=at)
        record("sign_out", actor=before.user, subject=before, request=request, now=at)
    records = get_authentication_records(request, user)
    second = any(step.get("method") == "mfa" for step in records)
    passkey = any(step.get("passwordless") for step in records)
    method = SignInMethod.PASSKEY if passkey else request.session.pop(sessions.METHOD, SignInMethod.LINK)
    address = client_address(request)
    device = devices.open_device(
        request_session_key=str(request.session.session_key),
        user=user,
        user_agent=request.META.get("HTTP_USER_AGENT", ""),
        address=None if address == UNKNOWN_ADDRESS else address,
        method=method,
        mfa_at=at if second else None,
        now=at,
    )
    request.device = device  # type: ignore[attr-defined]
    details = {"method": method, "second_step": second, "device": device.name}
    record("sign_in.done", actor=user, subject=device, request=request, details=details, now=at)


@receiver(user_logged_out, dispatch_uid="accounts.end_device")
def end_device(*, request: HttpRequest, user: User | None, **_: Any) -> None:
    """Sent before the session is flushed, while its key still names the device."""
    device = devices.device_of_session(request.session.session_key)
    if device is None or user is None:
        return
    at = now()
    devices.end_device(device=device, reason=DeviceEnd.SIGNED_OUT, now=at)
    record("sign_out", actor=user, subject=device, request=request, now=at)


@receiver(authentication_step_completed, dispatch_uid="accounts.second_step_passed")
def second_step_passed(*, request: HttpRequest, user: User, method: str, **_: Any) -> None:
    """While signing in there is no device yet: `open_device` then reads the session's records."""
    device = getattr(request, "device", None)
    if method == "mfa" and device is not None and device.user_id == user.pk:
        devices.mark_second_step(device=device, now=now())


@receiver(mfa_signals.authenticator_added, dispatch_uid="accounts.authenticator_added")
def authenticator_added(*, request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    at = now()
    device = getattr(request, "device", None)
    if device is not None and authenticator.type != Authenticator.Type.RECOVERY_CODES:
        devices.mark_second_step(device=device, now=at)
        # Its first code or touch was the proof; being asked for another one to see the recovery codes would be silly.
        record_authentication(request, user, method="mfa", type=authenticator.type, reauthenticated=True)
    record("second_step.added", actor=user, subject=user, request=request, details={"type": authenticator.type}, now=at)


@receiver(mfa_signals.authenticator_removed, dispatch_uid="accounts.authenticator_removed")
def authenticator_removed(*, request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    left = Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.RECOVERY_CODES)
    if not left.exists():
        devices.forget_second_steps(user=user)
    details = {"type": authenticator.type}
    record("second_step.removed", actor=user, subject=user, request=request, details=details, now=now())


@receiver(mfa_signals.authentication_failed, dispatch_uid="accounts.second_step_refused")
def second_step_refused(*, request: HttpRequest, user: User, **_: Any) -> None:
    record("second_step.refused", actor=user, subject=user, request=request, now=now())
