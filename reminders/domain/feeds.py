"""A person's own address from which their calendar reads. Whoever has it reads the dates and titles of their webinars,
and nothing else: it signs nobody in.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.urls import reverse

from accounts.domain.secrets import LONGEST_TOKEN, hash_token, new_token
from accounts.domain.sign_in import may_sign_in
from accounts.models import User
from reminders.models import CalendarFeed

NOTED_EVERY = timedelta(hours=1)


class UnknownFeedError(Exception):
    """No such address (any more)."""


@transaction.atomic
def make_feed(*, user: User, now: datetime) -> str:
    """Its path, which is told this once. The one before stops working."""
    token = new_token()
    CalendarFeed.objects.update_or_create(
        user=user, defaults={"token_hash": hash_token(token), "made_at": now, "read_at": None}
    )
    return reverse("reminders:feed", kwargs={"token": token})


def stop_feed(*, user: User) -> bool:
    deleted, _by_model = CalendarFeed.objects.filter(user=user).delete()
    return bool(deleted)


def open_feed(*, token: str, now: datetime) -> User:
    """Whose it is. Notes at most once an hour that a calendar reads it. Raises UnknownFeedError."""
    if len(token) > LONGEST_TOKEN:
        raise UnknownFeedError
    feed = CalendarFeed.objects.select_related("user").filter(token_hash=hash_token(token)).first()
    if feed is None or not may_sign_in(feed.user):
        raise UnknownFeedError
    if feed.read_at is None or feed.read_at <= now - NOTED_EVERY:
        CalendarFeed.objects.filter(pk=feed.pk).update(read_at=now)
    return feed.user


def feed_for(user: User) -> CalendarFeed | None:
    return CalendarFeed.objects.filter(user=user).first()
