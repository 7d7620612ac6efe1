"""Webinars in the doctor's own calendar: a file, links to well-known calendars, and the feed."""

from hashlib import sha256

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.timezone import override as in_zone
from django.utils.translation import override as in_language
from django.views.decorators.http import require_safe

from accounts.domain.mail import zone_of
from accounts.rules import person_of
from core.clock import now
from core.languages import spoken
from core.limits import hit
from reminders import calendars
from reminders.domain import calendar_files, feeds
from webinars.models import Webinar
from webinars.rules import get_webinar_for

READINGS = (60, 3600)  # of one address; calendars ask every quarter of an hour at most
FILE = "text/calendar; charset=utf-8"


@require_safe
@login_required
def add(request: HttpRequest, webinar_id: int) -> HttpResponse:
    """Which calendar is it? Each is one tap."""
    webinar, event = _dated(request, webinar_id)
    context = {"webinar": webinar, "event": event, "links": calendars.add_links(event)}
    return render(request, "reminders/add_to_calendar.html", context)


@require_safe
@login_required
def download(request: HttpRequest, webinar_id: int) -> HttpResponse:
    _webinar, event = _dated(request, webinar_id)
    response = HttpResponse(calendar_files.download(event, user=person_of(request)), content_type=FILE)
    response["Content-Disposition"] = 'attachment; filename="webinar.ics"'
    return response


@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """For a calendar, which cannot sign in. Unknown, stopped and disabled are one answer."""
    limit, seconds = READINGS
    decision = hit(f"calendar-feed:{sha256(token.encode()).hexdigest()[:32]}", limit=limit, window_seconds=seconds)
    if not decision:
        return HttpResponse(status=429, headers={"Retry-After": str(decision.retry_after_seconds)})
    at = now()
    try:
        user = feeds.open_feed(token=token, now=at)
    except feeds.UnknownFeedError as unknown:
        raise Http404 from unknown
    with in_language(spoken(user.language)), in_zone(zone_of(user)):
        return HttpResponse(calendar_files.feed_of(user, now=at), content_type=FILE)


def _dated(request: HttpRequest, webinar_id: int) -> tuple[Webinar, calendars.Event]:
    webinar = get_webinar_for(person_of(request), webinar_id)
    event = calendar_files.events_of([webinar]).get(webinar.pk)
    if event is None or webinar.starts_at is None:
        raise Http404
    return webinar, event
