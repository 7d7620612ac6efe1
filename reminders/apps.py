from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RemindersConfig(AppConfig):
    name = "reminders"
    verbose_name = _("Messages")

    def ready(self) -> None:
        from accounts.domain import erasure
        from accounts.domain.devices import ask_along
        from reminders import receivers  # noqa: F401
        from reminders.domain.erasure import PART
        from reminders.domain.inbox import UNREAD, unread

        ask_along(UNREAD, unread)
        erasure.register(PART)
