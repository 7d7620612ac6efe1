"""The queue at the door as the desk shows it: of all doors of the webinar, whoever came first is first."""

from typing import Any

from django.http import Http404

from webinars.domain.spot_queue import queue_figures
from webinars.enums import SpotState
from webinars.models import SpotRequest, Webinar

SHOWN = 50  # the rest follows as these are decided


def waiting_at_door(*, webinar: Webinar) -> dict[str, Any]:
    """Three queries, however many wait. `duplicate` says in words why to look twice."""
    waiting = SpotRequest.objects.filter(window__webinar=webinar, state=SpotState.PENDING)
    return {
        **queue_figures(webinar_id=webinar.pk),
        "results": [_shown(one) for one in waiting.order_by("created_at", "pk")[:SHOWN]],
    }


def find_request(*, webinar: Webinar, request_id: int) -> SpotRequest:
    """404 for a request at another webinar's door."""
    try:
        return SpotRequest.objects.get(window__webinar=webinar, pk=request_id)
    except (SpotRequest.DoesNotExist, OverflowError) as absent:
        raise Http404 from absent


def _shown(request: SpotRequest) -> dict[str, Any]:
    return {
        "id": request.pk,
        "name": str(request),
        "email": request.email,
        "country": request.country,
        "council": request.medical_council,
        "number": request.registration_number,
        "duplicate": request.duplicate_reason,
        "at": request.created_at,
    }
