"""A doctor's own credit: what there is, how it was counted, taking it, the file of all of it."""

from decimal import Decimal, InvalidOperation
from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from certification.domain.ahead import certificates_ahead
from certification.domain.claiming import ClaimError, claim
from certification.domain.overview import Row, State, row_of, rows_of
from certification.domain.people import today_of
from certification.domain.transcript import table_of, transcript_of
from certification.domain.transcript_file import file_of
from certification.rules import get_accreditation_for
from core.clock import now
from core.exports import csv_lines

GROUPS = (
    (State.READY, gettext_lazy("Ready for you")),
    (State.MISSING, gettext_lazy("Still to do")),
    (State.GRANTED, gettext_lazy("Granted")),
    (State.REVOKED, gettext_lazy("Revoked")),
    (State.REFUSED, gettext_lazy("Not possible")),
)


@require_safe
@login_required
def overview(request: HttpRequest) -> HttpResponse:
    person, moment = cast("User", request.user), now()
    rows = rows_of(user=person, now=moment)
    groups = [(state, title, found) for state, title in GROUPS if (found := _of(rows, state))]
    context = {
        "ready": [one for one in groups if one[0] == State.READY],
        "groups": [one for one in groups if one[0] != State.READY],
        "ahead": certificates_ahead(user=person, now=moment),
        "asks_council": next((row for row in rows if row.go_on and row.go_on.code == "council"), None),
        "accounts": transcript_of(user=person, rows=rows, today=today_of(person, now=moment)),
        "next": next((row for row in rows if row.state in {State.READY, State.MISSING}), None),
        "has_claims": any(row.claim for row in rows),
    }
    return render(request, "certification/credits.html", context)


@require_safe
@login_required
def counted(request: HttpRequest, accreditation_id: int) -> HttpResponse:
    person = cast("User", request.user)
    row = row_of(user=person, accreditation=get_accreditation_for(person, accreditation_id), now=now())
    if row is None:
        raise Http404
    return render(request, "certification/credit.html", {"row": row, "changes": row.lines[1:]})


@require_POST
@login_required
def take(request: HttpRequest, accreditation_id: int) -> HttpResponse:
    """A second tap finds the credit that the first one took."""
    person = cast("User", request.user)
    accreditation = get_accreditation_for(person, accreditation_id)
    try:
        taken = claim(accreditation=accreditation, user=person, asked=_asked(request), now=now())
    except ClaimError as refused:
        messages.error(request, str(refused.message))
    else:
        told = _("It is yours, and stands in your record.") if taken.is_new else _("You have this credit already.")
        messages.success(request, told)
    return redirect("certification:credit", accreditation.pk)


@require_safe
@login_required
def transcript(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    rows = rows_of(user=cast("User", request.user), now=now())
    answer = StreamingHttpResponse(csv_lines(table_of(rows=rows, now=now())), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="credits.csv"'
    return answer


@require_safe
@login_required
def transcript_pdf(request: HttpRequest) -> HttpResponse:
    """A worker makes it; until then a page that looks again by itself."""
    pdf = file_of(user=cast("User", request.user), language=get_language() or "en", now=now())
    if pdf is None:
        waiting = render(request, "certification/transcript_wait.html")
        waiting["Refresh"] = "2"
        return waiting
    answer = HttpResponse(pdf, content_type="application/pdf")
    answer["Content-Disposition"] = 'attachment; filename="transcript.pdf"'
    return answer


def _of(rows: list[Row], state: State) -> list[Row]:
    return [row for row in rows if row.state == state]


def _asked(request: HttpRequest) -> Decimal | None:
    """Nothing chosen is all of it; what is no number is no amount that is offered."""
    text = request.POST.get("credits", "").strip()
    if not text:
        return None
    try:
        asked = Decimal(text[:12])
    except InvalidOperation:
        return Decimal(-1)
    return asked if asked.is_finite() else Decimal(-1)
