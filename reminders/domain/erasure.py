"""What messages leave behind of a person: erased, for their own copy, and what stays under a number."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from accounts.domain.erasure import KeptPart, Part
from accounts.models import User
from reminders.domain import consent
from reminders.enums import Channel, DeliveryState, SkipReason
from reminders.models import (
    CalendarFeed,
    ChannelChoice,
    ConsentRecord,
    Delivery,
    InboxItem,
    PhoneCode,
    ProviderEvent,
    PushSubscription,
    Suppression,
)

NOT_GONE_YET = (DeliveryState.PLANNED, DeliveryState.CLAIMED)


def found(user: User) -> dict[str, int]:
    return {
        "messages on the site": InboxItem.objects.filter(user=user).count(),
        "messages that were to be sent": Delivery.objects.filter(user=user, state__in=NOT_GONE_YET).count(),
        "browsers for notices": PushSubscription.objects.filter(user=user).count(),
        "calendar addresses": CalendarFeed.objects.filter(user=user).count(),
    }


def kept(user: User) -> list[KeptPart]:
    """An address that takes no messages stays suppressed as well: as a digest, that leads to nobody here."""
    number = ConsentRecord.objects.filter(user=user).count()
    why = "they show who agreed to be written to; they name nobody"
    return [KeptPart(f"answers about messages ({number:,})", why)] if number else []


@transaction.atomic
def erase(*, user: User, now: datetime) -> None:
    """What was to be sent is not sent: a worker that has it claimed finds that it has it no longer. Of what was sent it
    stays that and when, for the figures of the programme; nothing of it leads to an address.
    """
    mine = Delivery.objects.filter(user=user)
    mine.filter(state__in=NOT_GONE_YET).update(
        state=DeliveryState.SKIPPED,
        skip_reason=SkipReason.NOT_ENROLLED,
        claim=None,
        claimed_at=None,
        ended_at=now,
    )
    mine.update(address_digest=None, provider_id="", error="")
    ProviderEvent.objects.filter(delivery__user=user).delete()
    for model in (InboxItem, PushSubscription, CalendarFeed, ChannelChoice, PhoneCode):
        model.objects.filter(user=user).delete()


def own_data(user: User) -> dict[str, Any]:
    """Nothing that opens a door: neither the address of the calendar nor the keys of browsers."""
    return {
        "wanted": list(
            ChannelChoice.objects.filter(user=user).order_by("channel").values("channel", "is_on", "changed_at")
        ),
        "answers": list(
            ConsentRecord.objects.filter(user=user)
            .order_by("at", "pk")
            .values("channel", "is_on", "source", "wording", "at")
        ),
        "messages": list(
            Delivery.objects.filter(user=user)
            .order_by("due_at", "pk")
            .values(
                "programme__title", "kind", "subject", "channel", "state", "skip_reason", "due_at", "ended_at",
                "delivered_at", "bounced_at", "read_at", "followed_at",
            )
        ),
        "told_by_providers": list(
            ProviderEvent.objects.filter(delivery__user=user)
            .order_by("happened_at", "pk")
            .values("transport", "outcome", "happened_at", "details")
        ),
        "addresses_left_alone": _left_alone(user),
        "on_the_site": list(
            InboxItem.objects.filter(user=user)
            .order_by("made_at", "pk")
            .values("subject", "body", "made_at", "read_at")
        ),
        "notices": list(
            PushSubscription.objects.filter(user=user).order_by("made_at", "pk").values("device", "made_at", "ended_at")
        ),
        "codes_for_a_number": list(
            PhoneCode.objects.filter(user=user)
            .order_by("asked_at", "pk")
            .values("number", "via", "channels", "asked_at", "sent_at", "ended_at", "ending")
        ),
        "calendar": list(CalendarFeed.objects.filter(user=user).values("made_at", "read_at")),
    }  # fmt: skip


def _left_alone(user: User) -> list[dict[str, Any]]:
    """Of the addresses that the person has today."""
    channels = (Channel.EMAIL, Channel.SMS, Channel.WHATSAPP)
    mine = Q(pk__in=[])
    for channel in channels:
        if address := consent.address_of(user, channel):
            mine |= Q(channel=channel, address_digest=consent.address_digest(channel, address))
    rows = Suppression.objects.filter(mine).order_by("since", "pk")
    return [dict(row) for row in rows.values("channel", "reason", "since", "lifted_at")]


PART = Part(file="messages.json", found=found, erase=erase, own_data=own_data, kept=kept)
