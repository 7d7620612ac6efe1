"""What figures keep of a person: erased, and for their own copy. What is added up names nobody and stays."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet

from accounts.domain.erasure import KeptPart, Part
from accounts.models import User
from analytics.models import PlaybackReport, PlayerSummary, Pseudonym, SharingConsent, Statement
from webinars.models import PlaySession

NO_LONGER_HERE = "The record store has it; what it said is no longer kept here."  # of a body that `outbox` emptied


def _reports(user: User) -> QuerySet[PlaybackReport]:
    """By the play sessions, which know their person: reports do not. Those in cold storage name no session either."""
    sessions = PlaySession.objects.filter(user=user)
    first = sessions.order_by("started_at").values_list("started_at", flat=True).first()
    if first is None:
        return PlaybackReport.objects.none()
    return PlaybackReport.objects.filter(session_started_at__gte=first, session__in=sessions.values("pk"))


def _summaries(user: User) -> QuerySet[PlayerSummary]:
    return PlayerSummary.objects.filter(session__in=PlaySession.objects.filter(user=user).values("pk"))


def found(user: User) -> dict[str, int]:
    return {
        "reports of how well lectures played": _reports(user).count(),
        "players whose reports are in cold storage": _summaries(user).count(),
        "statements for a learning record store": Statement.objects.filter(user=user).count(),
    }


def kept(user: User) -> list[KeptPart]:
    number = SharingConsent.objects.filter(user=user).count()
    why = "they show that figures were shared by agreement; they name nobody"
    return [KeptPart(f"agreements to share figures ({number:,})", why)] if number else []


@transaction.atomic
def erase(*, user: User, now: datetime) -> None:
    """What was added up from the reports stays. A statement that was sent is with the store, and nothing ties it to
    the person any more.
    """
    _reports(user).delete()
    _summaries(user).delete()
    Statement.objects.filter(user=user).delete()
    Pseudonym.objects.filter(user=user).delete()
    SharingConsent.objects.filter(user=user, withdrawn_at=None).update(withdrawn_at=now)


def own_data(user: User) -> dict[str, Any]:
    return {
        "how_well_it_played": list(
            _reports(user)
            .order_by("session_started_at", "session", "number")
            .values(
                "webinar__lesson__title", "phase", "received_at", "device", "network", "start_ms", "play_ms",
                "stall_ms", "stalls", "kbits", "errors", "replayed",
            )
        ),
        "how_it_was_played_before": list(
            _summaries(user)
            .order_by("month", "session", "phase")
            .values("webinar__lesson__title", "phase", "month", "device", "replayed")
        ),
        "statements": [
            {**one, "body": one["body"] or NO_LONGER_HERE}
            for one in Statement.objects.filter(user=user)
            .order_by("happened_at", "pk")
            .values("verb", "happened_at", "body", "state", "ended_at")
        ],
        "name_in_the_record_store": list(Pseudonym.objects.filter(user=user).values_list("name", flat=True)),
        "agreed_to_share": list(
            SharingConsent.objects.filter(user=user)
            .order_by("given_at", "pk")
            .values("wording", "given_at", "withdrawn_at", programme_title=F("programme__title"))
        ),
    }  # fmt: skip


PART = Part(file="figures.json", found=found, erase=erase, own_data=own_data, kept=kept)
