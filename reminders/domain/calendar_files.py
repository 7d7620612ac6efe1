"""Calendar files of the product's own webinars: facts from the database, bytes from `reminders.calendars`."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from email.utils import parseaddr
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.domain.mail import zone_of
from accounts.models import User
from reminders import calendars
from reminders.domain.revisions import announced
from reminders.models import ScheduleRevision
from webinars.models import Registration, Webinar
from webinars.rules import webinars_for

PAST = timedelta(days=90)  # what a feed still has of what is over
MOST = 500


def event_of(webinar: Webinar, revision: ScheduleRevision) -> calendars.Event:
    """Needs programme and lesson beside the webinar."""
    return calendars.Event(
        webinar_id=webinar.pk,
        host=urlsplit(settings.SITE_URL).hostname or "localhost",
        number=revision.number,
        title=revision.title,
        about=webinar.lesson.course.programme.title,
        url=settings.SITE_URL + reverse("webinars:watch", args=[webinar.pk]),
        starts_at=revision.starts_at,
        minutes=revision.minutes,
        is_cancelled=revision.is_cancelled,
        noticed_at=revision.noticed_at,
    )


def events_of(webinars: Iterable[Webinar]) -> dict[int, calendars.Event]:
    """Of those that have or had a date. One query."""
    listed = {webinar.pk: webinar for webinar in webinars}
    return {pk: event_of(listed[pk], one) for pk, one in announced(listed.values()).items()}


def for_message(
    event: calendars.Event, *, user: User, organiser_name: str = "", organiser_email: str = ""
) -> tuple[bytes, str]:
    """The file for a message to this person and its content type. A cancelled webinar is a cancellation.

    Whoever organises must be the same in every message about a webinar: calendars take changes from nobody else.
    """
    method = calendars.CANCEL if event.is_cancelled else calendars.REQUEST
    own_name, own_email = parseaddr(settings.DEFAULT_FROM_EMAIL)
    guest = calendars.Guest(
        name=user.get_full_name(),
        email=user.email,
        organiser_name=organiser_name or own_name or settings.SITE_NAME,
        organiser_email=organiser_email or own_email,
    )
    content = calendars.invitation(event, zone=zone_of(user), method=method, guest=guest)
    return content, f"text/calendar; method={method}; charset=utf-8"


def download(event: calendars.Event, *, user: User) -> bytes:
    return calendars.invitation(event, zone=zone_of(user), method=calendars.PUBLISH)


def feed_of(user: User, *, now: datetime) -> bytes:
    """All webinars with a date that this person may come to, but those that want a registration they have not made.
    Three queries.
    """
    return feed_file(_coming(user, now=now), zone=zone_of(user))


def feed_file(events: Mapping[int, calendars.Event], *, zone: ZoneInfo) -> bytes:
    ordered = sorted(events.values(), key=lambda event: (event.starts_at, event.webinar_id))
    name = _("%(site)s: my webinars") % {"site": settings.SITE_NAME}
    return calendars.feed(ordered, zone=zone, name=name)


def _coming(user: User, *, now: datetime) -> dict[int, calendars.Event]:
    dated = webinars_for(user).filter(starts_at__gt=now - PAST).order_by("-starts_at", "pk")[:MOST]
    webinars: Sequence[Webinar] = list(dated)
    mine = set(
        Registration.objects.filter(user=user, cancelled_at=None, webinar__in=webinars).values_list(
            "webinar_id", flat=True
        )
    )
    return events_of(one for one in webinars if not one.needs_registration or one.pk in mine)
