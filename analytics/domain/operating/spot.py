"""Doctors who asked at the door of a webinar on the day."""

from django.db.models import Count

from core.replica import reading
from webinars.enums import SpotState
from webinars.models import SpotRequest


def spot_of(*, programme_id: int) -> dict[SpotState, int]:
    """How many requests stand where, all webinars together; empty where nobody ever asked. One query."""
    asked = SpotRequest.objects.using(reading()).filter(window__webinar__lesson__course__programme=programme_id)
    found = dict(asked.order_by().values_list("state").annotate(number=Count("pk")))
    return {state: found.get(state.value, 0) for state in SpotState} if found else {}
