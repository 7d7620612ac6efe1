"""The lectures of a programme beside each other: who came live, and who to the recording."""

from analytics.domain.presenting.overview import Line, counts_of
from webinars.models import Webinar


def lectures_of(*, programme_id: int) -> tuple[tuple[Line, ...], Line]:
    """In the order of the programme, and all together with each doctor once. Two queries."""
    found = Webinar.objects.filter(lesson__course__programme=programme_id).select_related("lesson__course")
    webinars = list(found.order_by("lesson__course__position", "lesson__position", "pk"))
    counts = counts_of([one.pk for one in webinars])
    nobody = (0, 0, 0, 0)
    lines = tuple(Line(one, *counts.get(one.pk, nobody)) for one in webinars)
    return lines, Line(None, *counts.get(None, nobody))
