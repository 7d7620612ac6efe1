"""The link of a message: whoever has the mailbox is in with one tap on the page's button.

A GET changes nothing, because mail scanners open every link; the POST consumes it. It is made in the moment of sending
and only its hash is kept, so neither a copy of the database nor a message sent twice opens a second door.

It goes only to an address that was proved to be the person's: the mailbox that signs in anyway, and a telephone whose
number they proved by a code. That link ends with the proof. On the site the reader is in already; a browser's notice
may be read by whoever sits there.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from accounts.domain import sign_in
from accounts.domain.message_links import MessageLink, keep_links
from accounts.models import SignInRequest, User
from reminders.domain.consent import BY_NUMBER
from reminders.enums import Channel, Kind
from reminders.models import Delivery

TOKEN_BYTES = 18  # 144 bits: shorter than what stands in sign-in mails, because an SMS is paid by its length
MOST = timedelta(days=7)  # of messages that are of use for longer, the page still opens after signing in
LEAST = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Opened:
    """Where it leads, and whose it is."""

    user: User
    path: str


def may_sign_in_by(one: Delivery) -> bool:
    """Whether its reader is let in. Looks at the person as they were read with it, as whoever addresses it does."""
    return one.kind != Kind.TEST and lets_in(one.channel, is_proved=one.user.phone_proved_at is not None)


def lets_in(channel: str, *, is_proved: bool) -> bool:
    """`is_proved`: the number of the telephone is its person's."""
    return channel == Channel.EMAIL or (channel in BY_NUMBER and is_proved)


def sign_in_link(delivery: Delivery, path: str, *, now: datetime) -> str:
    return sign_in_links([delivery], {delivery.pk: path}, now=now)[delivery.pk]


def sign_in_links(deliveries: Sequence[Delivery], paths: Mapping[int, str], *, now: datetime) -> dict[int, str]:
    """Addresses by the id of the delivery, for those that `paths` has a page of ours for. One statement.

    It ends with the message's use: that of a link into a webinar with the webinar.
    """
    tokens = {one.pk: _new_token(one.pk) for one in deliveries if one.pk in paths and may_sign_in_by(one)}
    keep_links(
        (
            MessageLink(
                user_id=one.user_id,
                token=tokens[one.pk],
                next_path=paths[one.pk],
                expires_at=max(min(one.expires_at, now + MOST), now + LEAST),
                phone_proved_at=one.user.phone_proved_at if one.channel in BY_NUMBER else None,
            )
            for one in deliveries
            if one.pk in tokens
        ),
        now=now,
    )
    return {pk: settings.SITE_URL + reverse("message_link", kwargs={"token": token}) for pk, token in tokens.items()}


def look(*, token: str, now: datetime) -> Opened:
    """Without using it. Raises `accounts.domain.sign_in.LinkError`."""
    return _opened(sign_in.find_link(token=token, now=now))


@transaction.atomic
def use(*, token: str, now: datetime) -> Opened:
    """Consumes it: of two who tap at once one is let in by it. Raises `accounts.domain.sign_in.LinkError`."""
    request = sign_in.use_link(token=token, now=now)
    opened = _opened(request)
    follow(token=token, user=opened.user, now=now)
    return opened


def spent_path(error: sign_in.LinkError, user: object) -> str:
    """Where a link that opens nothing any more leads the person whose it was, if they are signed in. Else empty."""
    request = error.request
    if not isinstance(user, User) or request is None or request.user_id != user.pk:
        return ""
    return request.next_path or "/"


def follow(*, token: str, user: User, now: datetime) -> bool:
    """Notes on the delivery that its link was followed, the first time only."""
    number = _delivery_of(token)
    if number is None:
        return False
    return bool(Delivery.objects.filter(pk=number, user=user, followed_at=None).update(followed_at=now))


def _opened(request: SignInRequest) -> Opened:
    if request.user is None:  # such a row never opens anything
        raise sign_in.LinkError
    return Opened(request.user, request.next_path or "/")


def _new_token(delivery_id: int) -> str:
    """Begins with the delivery's number, which is no secret; the hash is of the whole."""
    return f"{delivery_id}-{secrets.token_urlsafe(TOKEN_BYTES)}"


def _delivery_of(token: str) -> int | None:
    number = token.partition("-")[0]
    return int(number) if number.isascii() and number.isdigit() and len(number) < 19 else None
