"""The numbers of a programme: what doctors did there, and what became of the messages to them."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from analytics.domain.exporting.catalogue import datasets_of
from analytics.domain.exporting.datasets import Scope
from analytics.domain.operating.report import programme_report
from analytics.rendering.data import Bar
from analytics.rules import get_reported_programme
from analytics.views.programme_charts import charts_of
from core.cache import remember
from courses.models import Programme
from reminders.domain.performance import by_channel, by_kind, performance_of

FRESH_SECONDS, STALE_SECONDS = 60, 600


@require_safe
@login_required
def programme(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_reported_programme(request, slug)
    context = {"programme": found, "numbers": _numbers(found), "datasets": datasets_of(Scope.PROGRAMME)}
    return render(request, "analytics/operating/programme.html", context)


def _numbers(programme: Programme) -> SafeString:
    """Made once for all who read the same language in the same time zone. Our own template has escaped it."""
    key = f"operating:{programme.pk}:{get_language()}:{timezone.get_current_timezone_name()}"
    made: str = remember(
        key,
        lambda: render_to_string("analytics/operating/_programme.html", _context(programme)),
        seconds=FRESH_SECONDS,
        stale_seconds=STALE_SECONDS,
    )
    return SafeString(made)


def _context(programme: Programme) -> dict[str, Any]:
    lines = performance_of(programme_id=programme.pk)
    return {
        **charts_of(programme_report(programme, now=timezone.now())),
        "messages": lines,
        "channels": by_channel(lines),
        "channel_bars": [Bar(str(one.channel.label), one.sent) for one in by_channel(lines) if one.channel],
        "kind_bars": [Bar(str(one.kind.label), one.sent) for one in by_kind(lines) if one.kind and one.sent],
    }
