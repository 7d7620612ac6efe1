"""Predicates about one person and the door to their own devices.

What staff may do with people depends on roles in programmes, so those rules live above: `courses.rules`.
"""

from accounts.models import Device, User


def needs_second_step(user: User, device: Device | None) -> bool:
    """Staff pages open only on a device that passed a second step; one without a device row never did."""
    return user.is_staff and (device is None or device.mfa_at is None)
