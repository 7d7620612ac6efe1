"""Those who come to a drill without a session: by a link from their mailbox, or to the door without an account."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from django.urls import reverse

from accounts.domain.secrets import hash_token, new_token
from accounts.models import SignInRequest, User
from operations.domain.crowd.plan import Member
from operations.domain.drill import audience
from operations.domain.drill.scrubbing import DOMAIN
from webinars.domain.spot_windows import open_window
from webinars.enums import SpotApproval
from webinars.models import SpotWindow, Webinar

LASTS = timedelta(days=1)  # a drill may be longer than the minutes for which a real link is good


def send_links(webinar: Webinar, users: Sequence[User], *, now: datetime) -> list[Member]:
    """As `accounts.domain.sign_in` makes them, without the message: whom it would reach has no mailbox."""
    tokens = [new_token() for _ in users]
    path = reverse("webinars:watch", args=(webinar.pk,))
    SignInRequest.objects.bulk_create(
        [
            SignInRequest(
                user=user,
                link_hash=hash_token(token),
                next_path=path,
                created_at=now,
                claimed_at=now,
                sent_at=now,
                expires_at=now + LASTS,
            )
            for user, token in zip(users, tokens, strict=True)
        ]
    )
    return [
        Member(user.pk, link_token=token, country=user.country.code or "")
        for user, token in zip(users, tokens, strict=True)
    ]


def spread_over_doors(count: int, *, has_mailboxes: bool) -> dict[SpotApproval, int]:
    """At one a moderator decides; at the other, for half of them, a rule: those come in by a link in their mailbox."""
    by_rule = count // 2 if has_mailboxes else 0
    return {SpotApproval.MANUAL: count - by_rule, SpotApproval.DOMAIN: by_rule}


def at_the_doors(
    webinar: Webinar, countries: Sequence[str], guests: Mapping[SpotApproval, int], *, now: datetime
) -> list[Member]:
    """They come from where the others come from. Doors of the drill's own: there is room."""
    known = [country for country in countries if country] or audience.synthetic_countries()
    stem = uuid4().hex[:8]
    doors = [slug for approval, count in guests.items() for slug in [_door(webinar, approval, count, now=now)] * count]
    return [
        Member(-number, country=country, door=slug, email=f"door-{stem}-{number}@{DOMAIN}")
        for number, (slug, country) in enumerate(zip(doors, audience.spread(known, len(doors)), strict=True), start=1)
    ]


def _door(webinar: Webinar, approval: SpotApproval, count: int, *, now: datetime) -> str:
    """Its address; none for nobody."""
    if not count:
        return ""
    window = SpotWindow(
        webinar=webinar,
        opens_at=now - timedelta(minutes=1),
        closes_at=now + LASTS,
        capacity=count,
        approval=approval,
        email_domains=[DOMAIN] if approval == SpotApproval.DOMAIN else [],
    )
    return open_window(window=window, actor=None, now=now).slug
