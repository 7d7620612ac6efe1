"""The status page: public, and without session, sign-in and database (`operations.middleware`)."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from operations.domain.status import Status, read_status
from operations.enums import Health, Part

HEADLINES = {
    Health.GOOD: lambda: _("Everything works"),
    Health.UNKNOWN: lambda: _("Everything seems to work"),
    Health.SLOW: lambda: _("Something is slow at the moment"),
    Health.DOWN: lambda: _("Something does not work at the moment"),
}


@require_safe
def status_page(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    status = read_status(now=now)
    context = {
        "status": status,
        "headline": HEADLINES[status.health](),
        "open_incidents": status.open_incidents(now),
        "past": [one for one in status.incidents if one.ended_at and one.ended_at <= now],
        "planned": [one for one in status.incidents if one.started_at > now],
        "days": status.days(now.date()),
        "is_live_well": status.health is not Health.GOOD and _health_of(status, Part.LIVE) is Health.GOOD,
    }
    return render(request, "operations/status.html", context)


@require_safe
def status_json(_request: HttpRequest) -> JsonResponse:
    status = read_status(now=timezone.now())
    return JsonResponse(
        {
            "status": status.health,
            "at": status.at,
            "parts": {one.part: one.health for one in status.parts},
            "knows_incidents": status.knows_incidents,
            "incidents": [
                {
                    "part": one.part,
                    "severity": one.severity,
                    "title": one.title,
                    "words": one.words,
                    "started_at": one.started_at,
                    "ended_at": one.ended_at,
                }
                for one in status.incidents
            ],
        }
    )


def _health_of(status: Status, part: Part) -> Health:
    return next(one.health for one in status.parts if one.part == part)
