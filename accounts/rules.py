"""Predicates about one person and the door to their own devices.

What staff may do with people depends on roles in programmes, so those rules live above: `courses.rules`.
"""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts.models import Device, User


def person_of(request: HttpRequest) -> User:
    """Who asks, on pages that only the signed-in reach; refuses everybody else, should a page forget to."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def needs_second_step(user: User, device: Device | None) -> bool:
    """Staff pages open only on a device that passed a second step; one without a device row never did."""
    return user.is_staff and (device is None or device.mfa_at is None)
