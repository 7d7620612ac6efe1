"""Granting and closing lanes. What follows from it for a person is worked out in `domain.lanes`."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from webinars.domain.desk_log import log
from webinars.domain.room import post_event
from webinars.enums import Audience, EventKind, Lane, LaneAccessLevel
from webinars.models import LaneAccess, Webinar
from webinars.rules import Part


class LaneTargetError(Exception):
    message = _("Choose either a role or a person.")


@transaction.atomic
def set_lane_access(
    *,
    webinar: Webinar,
    lane: Lane,
    level: LaneAccessLevel | None,
    part: Part | None = None,
    user: User | None = None,
    actor: User | None,
    request: HttpRequest | None = None,
    now: datetime,
) -> None:
    """For one part of the room or for one person, who must be of this webinar; None goes back to the default.

    The pages concerned ask anew what they may do when they hear of it.
    """
    if (part is None) == (user is None):
        raise LaneTargetError
    Webinar.objects.select_for_update(no_key=True).get(pk=webinar.pk)
    key: dict[str, Any] = {"webinar": webinar, "lane": lane, "role": part or "", "user": user}
    if level is None:
        LaneAccess.objects.filter(**key).delete()
    else:
        LaneAccess.objects.update_or_create(**key, defaults={"level": level, "set_by": actor, "set_at": now})
    log(
        "lanes.set",
        webinar_id=webinar.pk,
        actor=actor,
        what=f"{lane.value}: {user.get_full_name() if user else part} – {level.value if level else 'default'}",
        subject=webinar,
        details={"lane": lane, "part": part, "person": user.pk if user else None, "level": level},
        request=request,
        now=now,
    )
    post_event(
        webinar_id=webinar.pk,
        kind=EventKind.LANES,
        audience=Audience.PERSON if user else Audience.ALL,
        payload={},
        person_id=user.pk if user else None,
        now=now,
    )


def lane_settings(*, webinar: Webinar) -> list[dict[str, Any]]:
    """What was set otherwise than by default: of parts first, then of people. One query."""
    rows = LaneAccess.objects.filter(webinar=webinar).select_related("user").order_by("-role", "lane", "pk")
    return [
        {
            "lane": row.lane,
            "part": row.role,
            "person": {"id": row.user.pk, "name": row.user.get_full_name()} if row.user else None,
            "level": row.level,
        }
        for row in rows
    ]
