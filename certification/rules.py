"""Who may see what of credit: the doors to its objects."""

from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404

from certification.enums import ActivityState
from certification.models import Activity
from courses.rules import Person, lessons_for


def get_announced_activity(user: Person, activity_id: int) -> Activity:
    """One that is or was open, of a webinar this person may see; with lesson, course and programme. Else 404."""
    found = Activity.objects.filter(lesson__in=lessons_for(user).order_by().values("pk"))
    try:
        return found.exclude(state=ActivityState.DRAFT).select_related("lesson__course__programme").get(pk=activity_id)
    except (ObjectDoesNotExist, OverflowError) as absent:
        raise Http404 from absent
