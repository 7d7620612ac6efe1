"""Predicates about one person and the door to their own devices.

What staff may do with people depends on roles in programmes, so those rules live above: `courses.rules`.
"""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import Device, User


class SecondStepNeededError(PermissionDenied):
    """May, but not on this device yet: pages lead to the second step (`StaffSecondStepMiddleware`), the API refuses."""

    public_code = "second_step_needed"
    public_detail = _("This is open to staff after a second step only. Please take it on the site.")


def person_of(request: HttpRequest) -> User:
    """Who asks, on pages that only the signed-in reach; refuses everybody else, should a page forget to."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def needs_second_step(user: User, device: Device | None) -> bool:
    """Staff pages open only on a device that passed a second step; one without a device row never did."""
    return user.is_staff and (device is None or device.mfa_at is None)


def require_second_step(request: HttpRequest) -> None:
    """Of staff, before what says who doctors are or what they wrote, wherever it is shown. No query."""
    if isinstance(request.user, User) and needs_second_step(request.user, getattr(request, "device", None)):
        raise SecondStepNeededError
