"""A doctor's own data: how long it is kept, a copy to take along, and asking to be erased."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.domain.erasure import withdraw_erasure
from accounts.rules import person_of
from certification.domain import my_data as data
from core.clock import now
from core.limits import hit

DOWNLOADS = (6, 3600)  # an hour and person


@require_safe
@login_required
def my_data(request: HttpRequest) -> HttpResponse:
    return render(request, "certification/my_data.html", {"tab": "data"})


@require_POST
@login_required
def download(request: HttpRequest) -> HttpResponse:
    """Kept by no cache, like every answer to a person who is signed in."""
    person, (limit, seconds) = person_of(request), DOWNLOADS
    decision = hit(f"own-data:{person.pk}", limit=limit, window_seconds=seconds)
    if not decision:
        refused = render(request, "429.html", status=429)
        refused["Retry-After"] = str(decision.retry_after_seconds)
        return refused
    answer = HttpResponse(data.own_file(user=person, now=now()), content_type="application/zip")
    answer["Content-Disposition"] = 'attachment; filename="my-data.zip"'
    return answer


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def erasure(request: HttpRequest) -> HttpResponse:
    """Says what goes and what stays; POST asks."""
    person = person_of(request)
    outlook = data.outlook_of(user=person, now=now())
    if request.method == "POST" and not outlook.has_duties:
        data.ask(user=person, now=now(), request=request)
        messages.success(request, _("The office has your request. You can withdraw it here until it is done."))
        return redirect("certification:my_data")
    return render(request, "certification/erasure.html", {"tab": "data", "outlook": outlook})


@require_POST
@login_required
def withdraw(request: HttpRequest) -> HttpResponse:
    if withdraw_erasure(user=person_of(request), now=now(), request=request):
        messages.success(request, _("Your request is withdrawn. Everything stays as it is."))
    return redirect("certification:my_data")
