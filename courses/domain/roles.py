"""Roles other than doctor. Every change is in the audit trail, and `is_staff` follows in the same transaction."""

from datetime import datetime

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.domain import audit
from accounts.enums import OFFICE_ROLES, Role
from accounts.models import User
from courses.models import Programme, RoleGrant


class RoleError(Exception):
    """The role cannot be given."""


def grant_role(
    *,
    user: User,
    role: str,
    programme: Programme | None,
    granted_by: User | None,
    now: datetime,
    request: HttpRequest | None = None,
) -> RoleGrant:
    """Idempotent. `programme=None` gives the role in all programmes, those of the future included."""
    if role not in Role.values or role == Role.DOCTOR:
        raise RoleError(_("This role cannot be granted."))
    with transaction.atomic():
        _lock(user)
        grant, created = RoleGrant.objects.get_or_create(
            user=user, role=role, programme=programme, defaults={"granted_by": granted_by, "granted_at": now}
        )
        if created:
            _keep_staff_in_step(user)
            audit.record(
                "role.granted", actor=granted_by, subject=user, request=request, details=_details(grant), now=now
            )
    return grant


def revoke_role(
    *, grant: RoleGrant, revoked_by: User | None, now: datetime, request: HttpRequest | None = None
) -> bool:
    """False when somebody else has revoked it already."""
    with transaction.atomic():
        _lock(grant.user)
        deleted, _ = RoleGrant.objects.filter(pk=grant.pk).delete()
        if not deleted:
            return False
        _keep_staff_in_step(grant.user)
        audit.record(
            "role.revoked", actor=revoked_by, subject=grant.user, request=request, details=_details(grant), now=now
        )
    return True


def _lock(user: User) -> None:
    """Two changes of one person queue up; otherwise both could count the other's grant when setting `is_staff`."""
    User.objects.select_for_update().get(pk=user.pk)


def _keep_staff_in_step(user: User) -> None:
    """Entry to the admin, not a right in it: what a person sees there is asked from `courses.rules` every time."""
    is_staff = user.is_superuser or RoleGrant.objects.filter(user=user, role__in=OFFICE_ROLES).exists()
    User.objects.filter(pk=user.pk).update(is_staff=is_staff)
    user.is_staff = is_staff


def _details(grant: RoleGrant) -> dict[str, object]:
    return {"role": str(grant.role), "programme": grant.programme.slug if grant.programme else None}
