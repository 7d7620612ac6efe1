"""The presenters' pages: all their lectures, and the numbers of one of them."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.rules import person_of
from analytics.domain.exporting.catalogue import datasets_of
from analytics.domain.exporting.datasets import Scope
from analytics.domain.presenting.audience import Group
from analytics.domain.presenting.overview import overview_of
from analytics.domain.presenting.report import WebinarReport, report_of
from analytics.domain.presenting.together import together_of
from analytics.rules import get_reported_webinar, presented_by
from analytics.views import coming_charts as coming
from analytics.views import feedback_charts as thought
from analytics.views import together_charts as common
from analytics.views import webinar_charts as charts
from core.cache import remember
from webinars.domain.schedule import state_of
from webinars.enums import WebinarState
from webinars.models import Webinar

# What thousands of seconds of thousands of doctors give is made once for all who look, and again while it is live.
OVER = mark_safe("<span data-over hidden></span>")
FRESH_SECONDS, FRESH_LIVE_SECONDS, STALE_SECONDS = 60, 10, 600


@require_safe
@login_required
def lectures(request: HttpRequest) -> HttpResponse:
    """Made once for all who gave the same lectures."""
    presenter = person_of(request)
    webinars = sorted(presented_by(presenter).values_list("pk", flat=True))
    key = f"lectures:{sha256(repr(webinars).encode()).hexdigest()}:{_reader()}"
    made: str = remember(key, lambda: _lectures(presenter), seconds=FRESH_SECONDS, stale_seconds=STALE_SECONDS)
    return render(request, "analytics/lectures.html", {"has_any": bool(webinars), "numbers": SafeString(made)})


def _reader() -> str:
    """Who reads in the same language and time zone reads the same words."""
    return f"{get_language()}:{timezone.get_current_timezone_name()}"


def _lectures(presenter: User) -> SafeString:
    overview = overview_of(presenter)
    webinars = [line.webinar for line in overview.lectures if line.webinar]
    together = together_of(webinars)
    charted = {
        "overview": overview,
        "questions": together.questions,
        "thought": thought.dimensions(together.thought),
        "trend": thought.trend_of_lectures(overview),
        "devices": coming.devices(together.devices),
        "viewings": together.devices,
        **_places(together.countries, together.specialties),
        **common.charts(together, webinars),
    }
    return render_to_string("analytics/_lectures.html", charted)


def _places(countries: Sequence[Group], specialties: Sequence[Group]) -> dict[str, Any]:
    return {
        "map": charts.countries_map(countries),
        "countries": charts.countries(countries),
        "specialties": charts.specialties(specialties),
    }


@require_safe
@login_required
def lecture(request: HttpRequest, webinar_id: int) -> HttpResponse:
    """With `X-Fragment` only what changes: the page asks for that again while the webinar is live."""
    found = get_reported_webinar(request.user, webinar_id)
    now = timezone.now()
    is_live = state_of(found, now=now) is WebinarState.LIVE
    context: dict[str, Any] = {"webinar": found, "is_live": is_live, "numbers": _numbers(found, is_live=is_live)}
    context["datasets"] = datasets_of(Scope.WEBINAR)
    if request.headers.get("X-Fragment"):
        return HttpResponse(context["numbers"] if is_live else context["numbers"] + OVER)
    return render(request, "analytics/lecture.html", context)


def _numbers(webinar: Webinar, *, is_live: bool) -> SafeString:
    """Made once for all who read the same language in the same time zone. Our own template has escaped it."""
    key = f"report:{webinar.pk}:{_reader()}"
    made: str = remember(
        key,
        lambda: render_to_string("analytics/_lecture.html", _charts(report_of(webinar, now=timezone.now()))),
        seconds=FRESH_LIVE_SECONDS if is_live else FRESH_SECONDS,
        stale_seconds=0 if is_live else STALE_SECONDS,
    )
    return SafeString(made)


def _charts(report: WebinarReport) -> dict[str, Any]:
    return {
        "report": report,
        "total": report.audience.total,
        "is_live": report.webinar.live_at is not None and report.webinar.ended_at is None,
        "retention": charts.retention(report),
        "retention_words": charts.retention_words(report),
        "marks": charts.marks(report),
        "live": coming.live(report),
        "live_words": coming.live_words(report.coming),
        "recorded": coming.recorded(report.coming),
        "recorded_words": coming.recorded_words(report.coming),
        "devices": coming.devices(report.devices),
        "half_or_full": "half" if report.coming.minutes and report.coming.days else "full",
        **_places(report.audience.countries, report.audience.specialties),
        "answers": thought.answers(),
        "feedback": thought.feedback(report),
        "trend": thought.trend(report.feedback),
        "trend_marks": thought.trend_marks(report.feedback),
        "polls": [charts.poll_chart(one) for one in report.polls],
        "items": charts.items(report),
    }
