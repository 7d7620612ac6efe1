"""Disclosures: the page of who states them, for everybody with the link, and the page of who reads them first."""

from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts.rules import person_of
from certification.domain import disclosures
from certification.domain.sheets import acknowledge, newest_sheet, readable, readable_interest
from certification.domain.told import readable_told
from certification.forms.disclosures import Statement
from certification.models import DisclosureRequest, DisclosureSheet
from certification.rules import get_announced_activity
from core.clock import now
from core.http import client_address
from courses.domain.lesson_kinds import address_of

SHOWN_SALT = "certification.sheet"
SHOWN_SECONDS = 86_400
NOWHERE = "0.0.0.0"
STATUS = {disclosures.LinkUnknownError: 404, disclosures.TooOftenError: 429}


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
def disclosure(request: HttpRequest, token: str) -> HttpResponse:
    """GET changes nothing: mail scanners open every link. POST signs."""
    try:
        asked = disclosures.find(token=token, now=now())
        if request.method != "POST":
            return _form(request, asked, Statement(last=disclosures.newest_of(asked.person)))
        if "more" in request.POST:
            return _form(request, asked, Statement(request.POST, more=True))
        given = Statement(request.POST)
        if not given.is_valid():
            return _form(request, asked, given, status=422)
        _state(request, token, given)
    except disclosures.DisclosureError as refused:
        return _refused(request, refused)
    return redirect("certification:disclosure_thanks", token)


@require_safe
def thanks(request: HttpRequest, token: str) -> HttpResponse:
    """What was stated last, as it was signed."""
    try:
        asked = disclosures.find(token=token, now=now())
    except disclosures.DisclosureError as refused:
        return _refused(request, refused)
    stated = disclosures.newest_of(asked.person)
    if stated is None:
        return redirect("certification:disclosure", token)
    context = {"asked": asked, "person": asked.person, "stated": stated, "token": token}
    context["relationships"] = [readable_interest(one) for one in stated.interests]
    return render(request, "certification/disclosures/thanks.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def sheet(request: HttpRequest, activity_id: int) -> HttpResponse:
    """Read before the start. When it was shown comes back with the button, signed: reading writes nothing."""
    activity = get_announced_activity(request.user, activity_id)
    shown, user = newest_sheet(activity), person_of(request)
    onward = address_of(lesson=activity.lesson) or "/"
    if shown is None:
        return redirect(onward)
    if request.method == "POST" and (at := _shown_at(request, shown)):
        acknowledge(user=user, sheet=shown, shown_at=at, now=now())
        return redirect(onward)
    seal = signing.dumps([shown.pk, user.pk, now().timestamp()], salt=SHOWN_SALT)
    context: dict[str, Any] = {
        "activity": activity,
        "lesson": activity.lesson,
        "about": readable_told(shown.content.get("about") or {}),
        "people": readable(shown.content["people"]),
        "has_relevant": any(one["interests"] for one in shown.content["people"]),
        "seal": seal,
        "is_again": request.method == "POST",
    }
    return render(request, "certification/disclosures/sheet.html", context)


def _shown_at(request: HttpRequest, shown: DisclosureSheet) -> datetime | None:
    """None: the wording changed while it was open, or the page is older than a day. Then it is shown again."""
    try:
        sheet_id, user_id, at = signing.loads(request.POST.get("shown", ""), salt=SHOWN_SALT, max_age=SHOWN_SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    if (sheet_id, user_id) != (shown.pk, request.user.pk):
        return None
    return datetime.fromtimestamp(at, tz=now().tzinfo)


def _state(request: HttpRequest, token: str, given: Statement) -> None:
    address = client_address(request)
    disclosures.state(
        token=token,
        interests=given.interests,
        signed_name=given.form.cleaned_data["signed_name"],
        address=None if address == NOWHERE else address,
        now=now(),
    )


def _form(request: HttpRequest, asked: DisclosureRequest, given: Statement, *, status: int = 200) -> HttpResponse:
    context = {
        "asked": asked,
        "person": asked.person,
        "programme": asked.person.programme,
        "given": given,
        "last": disclosures.newest_of(asked.person),
    }
    return render(request, "certification/disclosures/form.html", context, status=status)


def _refused(request: HttpRequest, refused: disclosures.DisclosureError) -> HttpResponse:
    context = {"reason": type(refused).__name__, "message": refused.message}
    return render(request, "certification/disclosures/refused.html", context, status=STATUS.get(type(refused), 410))
