"""What doctors are shown of an activity and its disclosures before they start, and that they read it.

A sheet's content is plain data in one canonical form (`domain.chain.canonical`), and its digest is SHA-256 of that. It
says of each person the name, the roles, the relevant relationships (codes of RelationshipKind) and what was done about
them; under `about` what is told besides (`told`). A new one is made only when the wording changed; `edition` counts, so
that the newest row is always the one that holds, also where an earlier wording came back.
"""

import hashlib
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Prefetch

from accounts.models import User
from certification.domain.chain import canonical
from certification.domain.told import told_of
from certification.enums import ActivityState, ContributorRole, RelationshipKind, ReviewDecision
from certification.models import (
    Acknowledgement,
    Activity,
    Contributor,
    Discloser,
    Disclosure,
    DisclosureReview,
    DisclosureSheet,
)
from core.prepared import Prepared

People = list[dict[str, Any]]


def people_of(activity: Activity) -> People:
    """By the newest reviewed statement of each: one that waits for its review is nobody's to read yet."""
    reviews = Prefetch("reviews", DisclosureReview.objects.order_by("-reviewed_at", "-pk"))
    stated = Disclosure.objects.order_by("-made_at", "-pk").prefetch_related(reviews)
    rows = (
        Contributor.objects.present()
        .filter(activity=activity)
        .select_related("person")
        .prefetch_related(Prefetch("person__disclosures", stated))
    )
    found: dict[int, dict[str, Any]] = {}
    for row in rows.order_by("person__name", "person", "role"):
        one = found.setdefault(row.person_id, {"name": row.person.name, "roles": [], **_relevant(row.person)})
        one["roles"].append(str(row.role))
    return list(found.values())


def _relevant(person: Discloser) -> dict[str, Any]:
    """What was found not to be relevant is not shown, as the authorities want it."""
    for disclosure in person.disclosures.all():
        for review in disclosure.reviews.all():
            if review.decision == ReviewDecision.MITIGATED:
                return {"interests": disclosure.interests, "mitigation": review.mitigation}
            return {"interests": [], "mitigation": ""}
    return {"interests": [], "mitigation": ""}


def readable(people: People) -> People:
    """A sheet's people with words for codes, in the language of the reader."""
    return [
        one
        | {
            "roles": [str(ContributorRole(role).label) for role in one["roles"]],
            "interests": [readable_interest(interest) for interest in one["interests"]],
        }
        for one in people
    ]


def readable_interest(interest: dict[str, Any]) -> dict[str, Any]:
    return interest | {"relationship": str(RelationshipKind(interest["relationship"]).label)}


def newest_sheet(activity: Activity) -> DisclosureSheet | None:
    return DisclosureSheet.objects.filter(activity=activity).order_by("-pk").first()


@transaction.atomic
def refresh_sheet(*, activity: Activity, now: datetime) -> DisclosureSheet | None:
    """The sheet that holds now. None: nobody contributes, and never did."""
    rows = Activity.objects.select_related("lesson__course__programme").select_for_update(of=("self",), no_key=True)
    activity = rows.get(pk=activity.pk)
    shown, last = {"people": people_of(activity), "about": told_of(activity)}, newest_sheet(activity)
    if last is None and not shown["people"]:
        return None
    if last is not None and {name: last.content.get(name) for name in shown} == shown:
        return last
    content = {"edition": last.content["edition"] + 1 if last else 1, **shown}
    digest = hashlib.sha256(canonical(content)).digest()
    made: DisclosureSheet = DisclosureSheet.objects.create(
        activity=activity, digest=digest, content=content, made_at=now
    )
    return made


def refresh_sheets_of(*, person: Discloser, now: datetime) -> int:
    """Of open activities: what doctors read before they start is what the office decided last."""
    teaches = Activity.objects.open().filter(contributors__person=person, contributors__left_at=None)
    activities = teaches.distinct().order_by("pk")
    for activity in activities:
        refresh_sheet(activity=activity, now=now)
    return len(activities)


def acknowledge(*, user: User, sheet: DisclosureSheet, shown_at: datetime, now: datetime) -> Acknowledgement:
    """Once for each wording: pressing again, or in two windows, keeps the first."""
    row = Acknowledgement(user=user, sheet=sheet, shown_at=min(shown_at, now), acknowledged_at=now)
    Acknowledgement.objects.bulk_create([row], ignore_conflicts=True)
    kept: Acknowledgement = Acknowledgement.objects.get(user=user, sheet=sheet)
    return kept


# Every page of every webinar asks this.
_newest = Prepared[tuple[int, bool]](
    lambda user, lesson, form: (
        DisclosureSheet.objects.filter(
            Exists(Contributor.objects.present().filter(activity=OuterRef("activity"))),
            activity__lesson=lesson,
            activity__format=form,
            activity__state=ActivityState.OPEN,
        )
        .annotate(is_read=Exists(Acknowledgement.objects.filter(user=user, sheet=OuterRef("pk"))))
        .order_by("-pk")
        .values_list("activity_id", "is_read")[:1]
    )
)


def unread_activity(*, user_id: int, lesson_id: int, form: str) -> int | None:
    """The open activity of this format whose newest sheet the person has not acknowledged. One query."""
    found = _newest.first(user=user_id, lesson=lesson_id, form=form)
    return None if found is None or found[1] else found[0]
