"""The numbers of a programme, for its moderators and operators."""

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.rules import person_of
from analytics.domain.operating.risk import at_risk, risks_of, tell_of_look
from analytics.rules import get_reported_programme, programmes_reported_to, require_reports
from analytics.views.programme_charts import desk_for
from certification.enums import RiskReason

PER_PAGE = 50


@require_safe
@login_required
def programmes(request: HttpRequest) -> HttpResponse:
    require_reports(request.user)
    found = programmes_reported_to(request.user).order_by("title", "pk")
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "analytics/operating/programmes.html", {"page": page})


@require_safe
@login_required
def risks(request: HttpRequest, slug: str) -> HttpResponse:
    """Names of doctors: every look is put on record."""
    found, now = get_reported_programme(request, slug), timezone.now()
    wanted = request.GET.get("reason", "")
    reason = RiskReason(wanted) if wanted in RiskReason.values else None
    counts = risks_of(found, now=now)
    total = counts.get(reason, 0) if reason else sum(counts.values())
    page = Paginator(range(total), PER_PAGE).get_page(request.GET.get("page"))
    offset = PER_PAGE * (page.number - 1)
    people = at_risk(found, reason=reason, offset=offset, limit=PER_PAGE, now=now)
    tell_of_look(programme=found, actor=person_of(request), people=people, request=request, now=now)
    context = {"programme": found, "reasons": counts.items(), "reason": reason, "page": page, "people": people}
    context["desk"] = desk_for(found, risk=reason.value if reason else "any") if total else ""
    return render(request, "analytics/operating/risks.html", context)
