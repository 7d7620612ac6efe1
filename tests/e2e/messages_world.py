"""What a doctor finds on the pages about messages."""

from datetime import timedelta
from typing import Any


def build_messages(programme: Any, doctor: dict[str, str] | None) -> dict[str, str]:
    """Two messages, one of them new, an answer about SMS, and the address that ends e-mail."""
    from django.utils.timezone import now

    from accounts.models import User
    from reminders.domain import consent, feeds
    from reminders.domain.unsubscribing import token_of
    from reminders.enums import Channel, ConsentSource
    from tests.factories.accounts import UserFactory
    from tests.reminders.factories import InboxItemFactory, suppressed

    someone = UserFactory.create(email="unsubscribes@example.org")
    if doctor:
        user = User.objects.get(pk=doctor["id"])
        for hours, subject, read_at in (
            (30, "Your certificate is ready", now()),
            (2, "Tomorrow: Surgery before IVF", None),
        ):
            InboxItemFactory.create(
                user=user,
                delivery__programme=programme,
                subject=subject,
                body=f"Dear {user.get_short_name()},\n\nthere is something new for you. One tap leads there.",
                path="/credits/",
                made_at=now() - timedelta(hours=hours),
                read_at=read_at,
            )
        consent.choose(user_id=user.pk, choices={"whatsapp": True}, source=ConsentSource.PROFILE, now=now())
        suppressed(Channel.EMAIL, user.email)
        feeds.make_feed(user=user, now=now())
    return {"unsubscribe": token_of(someone.pk, Channel.EMAIL)}
