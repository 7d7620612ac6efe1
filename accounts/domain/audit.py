"""The one writer of the audit trail."""

from datetime import datetime
from typing import Any

import structlog
from django.db import models
from django.http import HttpRequest

from accounts.models import AuditEvent, User
from core.http import client_address

UNKNOWN_ADDRESS = "0.0.0.0"  # what core.http answers for "unknown"
LONGEST_DETAIL = 500


def record(
    action: str,
    *,
    actor: User | None = None,
    subject: models.Model | None = None,
    request: HttpRequest | None = None,
    address: str | None = None,
    details: dict[str, Any] | None = None,
    now: datetime,
) -> AuditEvent:
    """Part of the caller's transaction: what was rolled back did not happen. A refusal is recorded outside of one.

    `details` are facts for a reader years later; never a token, a code or a password.
    """
    if address is None and request is not None:
        address = client_address(request)
    return AuditEvent.objects.create(
        at=now,
        actor=actor,
        action=action,
        subject_type=subject._meta.label_lower if subject is not None else "",  # Django's public Meta
        subject_id=str(subject.pk) if subject is not None else "",
        address=None if address == UNKNOWN_ADDRESS else address,
        request_id=str(structlog.contextvars.get_contextvars().get("request_id") or "")[:64],
        details={name: _plain(value) for name, value in (details or {}).items()},
    )


def _plain(value: Any) -> Any:
    """JSON as it is, everything else as short text: a details column is no place for surprises."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    return str(value).replace("\x00", "")[:LONGEST_DETAIL]
