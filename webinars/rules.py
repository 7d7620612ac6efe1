"""Who may watch what: the doors to webinars. Whether a lesson is open *today* is `courses.domain.availability`."""

from django.db.models import QuerySet
from django.http import Http404

from courses.rules import Person, lessons_for, programmes_staffed_by
from media.models import Video
from webinars.models import Webinar


def webinars_for(user: Person) -> QuerySet[Webinar]:
    return Webinar.objects.filter(lesson__in=lessons_for(user).order_by().values("pk")).select_related(
        "lesson__course__programme", "video"
    )


def videos_staffed_by(user: Person) -> QuerySet[Video]:
    """What the lessons of one's programmes show. Who may see it may replace it, for every lesson that shows it."""
    return Video.objects.filter(webinars__lesson__course__programme__in=programmes_staffed_by(user))


def get_webinar_for(user: Person, webinar_id: int) -> Webinar:
    """The webinar with lesson, course, programme and video; 404 for an absent or foreign one."""
    try:
        return webinars_for(user).get(pk=webinar_id)
    except (Webinar.DoesNotExist, OverflowError) as absent:
        raise Http404 from absent
