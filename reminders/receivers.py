"""What accounts announce: browsers show no notices beyond the end of the device that was signed in there."""

import uuid
from collections.abc import Collection
from typing import Any

from django.dispatch import receiver

from accounts.signals import devices_ended
from core.clock import now
from reminders.domain import notices


@receiver(devices_ended, dispatch_uid="reminders.end_notices")
def end_notices(*, device_ids: Collection[uuid.UUID], user_id: int, **_: Any) -> None:
    notices.end_of_devices(device_ids, user_id=user_id, now=now())
