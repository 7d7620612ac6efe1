"""What a person left in webinars: erased of names, for their own copy, and what keeps an account from being erased."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import CharField, F, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from accounts.domain.erasure import NOWHERE
from accounts.models import User
from webinars.models import (
    PersonRestriction,
    PlaySession,
    PollVote,
    Question,
    QuestionMessage,
    QuestionVote,
    Registration,
    SpotRequest,
    Visit,
    WatchRecord,
    Webinar,
)


def duties(user: User) -> list[str]:
    """Webinars that are still to come or on the air."""
    ahead = Webinar.objects.filter(starts_at__isnull=False, ended_at=None, cancelled_at=None)
    mine = ahead.filter(Q(presenters=user) | Q(moderators=user)).select_related("lesson").order_by("pk").distinct()
    return [f"presents or moderates {webinar.lesson.title}" for webinar in mine]


def found(user: User) -> dict[str, int]:
    return {
        "requests at a door": _door(user).count(),
        "questions, whose text stays without a name": Question.objects.filter(author=user).count(),
    }


def _door(user: User) -> QuerySet[SpotRequest]:
    return SpotRequest.objects.filter(Q(user=user) | Q(email__iexact=user.email))


@transaction.atomic
def erase(*, user: User, now: datetime) -> None:
    """Before the account's own part, which forgets the address. What was asked and voted stays, without a name."""
    _door(user).update(
        email=Concat(Value("request-"), Cast("pk", CharField()), Value(f"@{NOWHERE}")),
        first_name="",
        last_name="",
        country="",
        medical_council="",
        registration_number="",
        duplicate_of=None,
        duplicate_reason="",
        decision_note="",
    )
    SpotRequest.objects.filter(duplicate_of=user).update(duplicate_of=None, duplicate_reason="")
    Question.objects.filter(author=user).update(is_anonymous=True, version=F("version") + 1)
    PersonRestriction.objects.filter(user=user).update(reason="")


def own_data(user: User) -> dict[str, Any]:
    """Seconds are those of the programme or recording; times are UTC."""
    return {
        "watched": list(
            WatchRecord.objects.filter(user=user)
            .order_by("pk")
            .values(
                "webinar__lesson__title", "phase", "coverage", "excess", "clock", "seen_seconds", "position_seconds",
                "first_beat_at", "last_beat_at", "grew_at", "reached_at",
            )
        ),
        "player_opened": list(
            PlaySession.objects.filter(user=user)
            .order_by("started_at", "pk")
            .values("webinar__lesson__title", "phase", "started_at", "ended_at")
        ),
        "registrations": list(
            Registration.objects.filter(user=user)
            .order_by("pk")
            .values("webinar__lesson__title", "registered_at", "cancelled_at")
        ),
        "meetings": list(
            Visit.objects.filter(user=user)
            .order_by("pk")
            .values("webinar__lesson__title", "joined_at", "seen_at", "left_at")
        ),
        "questions": list(
            Question.objects.filter(author=user)
            .order_by("pk")
            .values("webinar__lesson__title", "text", "is_anonymous", "asked_at", "answer_text", "answered_at")
        ),
        "messages": list(
            QuestionMessage.objects.filter(author=user).order_by("pk").values("question_id", "lane", "text", "at")
        ),
        "votes_for_questions": list(
            QuestionVote.objects.filter(user=user).order_by("pk").values("question__text", "at")
        ),
        "votes_in_polls": list(
            PollVote.objects.filter(user=user).order_by("pk").values("poll_id", "choices", "words", "at")
        ),
        "muted_or_removed": list(
            PersonRestriction.objects.filter(user=user)
            .order_by("pk")
            .values("webinar__lesson__title", "kind", "reason", "at", "lifted_at")
        ),
        "asked_at_a_door": list(
            _door(user)
            .order_by("pk")
            .values("email", "first_name", "last_name", "country", "medical_council", "registration_number", "state",
                    "created_at", "decided_at")
        ),
    }  # fmt: skip
