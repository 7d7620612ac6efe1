"""What a doctor finds on the pages about messages."""

from datetime import timedelta
from typing import Any


def build_messages(programme: Any, doctor: dict[str, str] | None) -> dict[str, str]:
    """Two messages, one of them new, an answer about WhatsApp, a number that waits for its code; and for somebody else,
    who has a live webinar to come, the address that ends e-mail and links of messages.
    """
    from django.utils.timezone import now

    from accounts.models import User
    from reminders.domain import consent, feeds, links
    from reminders.domain.unsubscribing import token_of
    from reminders.enums import Channel, ConsentSource
    from tests.factories.accounts import UserFactory
    from tests.factories.courses import EnrolmentFactory
    from tests.factories.webinars import LiveWebinarFactory
    from tests.reminders.factories import DeliveryFactory, InboxItemFactory, PhoneCodeFactory, suppressed

    someone = UserFactory.create(email="unsubscribes@example.org", last_login=now(), timezone="UTC")
    webinar = LiveWebinarFactory.create(
        lesson__title="Ovarian reserve: what the numbers mean", starts_at=now() + timedelta(days=3)
    )
    EnrolmentFactory.create(user=someone, programme=webinar.lesson.course.programme)
    made = [DeliveryFactory.create(user=someone, due_at=now(), expires_at=now() + timedelta(days=1)) for _ in range(2)]
    paths = {one.pk: f"/webinars/{webinar.pk}/calendar/" for one in made}
    urls = links.sign_in_links(made, paths, now=now())
    tokens = [urls[one.pk].rstrip("/").rpartition("/")[2] for one in made]
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
        later = now() + timedelta(hours=2)  # the run may last: the page is there as long as the code is fresh
        PhoneCodeFactory.create(user=user, asked_at=later, sent_at=later, code_hash=b"x" * 32)
    return {
        "unsubscribe": token_of(someone.pk, Channel.EMAIL),
        "link": tokens[0],
        "link_without_script": tokens[1],
        "announced": str(webinar.pk),
    }
