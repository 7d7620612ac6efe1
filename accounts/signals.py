"""What other apps may listen to. Sent after the commit, so that a receiver never acts on what was rolled back."""

from django.dispatch import Signal

# device_ids: list[uuid.UUID], user_id: int, reason: accounts.enums.DeviceEnd
devices_ended = Signal()
