"""Sign-in links that stand in messages nobody asked for: reminders, notices. Each opens the door once.

They are rows of `SignInRequest` like those a person asks for, so everything that closes these closes them too: a new
address, a taken back invitation, a disabled account. Two things differ: they live as long as their message is of use,
and signing in leaves those of other messages alone, which may be opened on another device tomorrow.

Those that go to a telephone name the proof that its number is the person's (`User.phone_proved_at`): another number, or
the same one proved again, and they open nothing.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from accounts.domain.secrets import hash_token
from accounts.models import SignInRequest


@dataclass(frozen=True, slots=True)
class MessageLink:
    user_id: int
    token: str
    next_path: str
    expires_at: datetime
    phone_proved_at: datetime | None = None


def keep_links(links: Iterable[MessageLink], *, now: datetime) -> None:
    """One statement for any number; of the tokens only their hashes. They are sent by whoever made them."""
    SignInRequest.objects.bulk_create(
        SignInRequest(
            user_id=link.user_id,
            link_hash=hash_token(link.token),
            next_path=link.next_path[:500],
            created_at=now,
            sent_at=now,
            expires_at=link.expires_at,
            is_message=True,
            phone_proved_at=link.phone_proved_at,
        )
        for link in links
    )


def end_links_to_telephones(user_ids: Collection[int], *, now: datetime) -> int:
    """Whoever has the telephone wants nothing of this site: what lies there opens nothing any more."""
    sent = SignInRequest.objects.filter(user_id__in=user_ids, is_message=True, phone_proved_at__isnull=False)
    return sent.filter(used_at=None).update(used_at=now)
