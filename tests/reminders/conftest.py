"""What tests of messages share."""

from tests.reminders.sink import sink

__all__ = ["sink"]
