"""A doctor's own certificates. Files are made by workers; a request only hands them out."""

from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.domain.audit import record
from accounts.models import User
from certification.domain.badges import linkedin_of
from certification.domain.facts import thaw_printed
from certification.domain.files import file_name, read_file
from certification.domain.standing import overtaken_by, state_in_list, with_states
from certification.rules import certificates_for, get_certificate_for
from certification.tasks import make_file
from core.clock import now

PER_PAGE = 20
AGAIN_SECONDS = 8


@require_safe
@login_required
def certificates(request: HttpRequest) -> HttpResponse:
    """Those that were replaced are left out: their newer edition is here."""
    own = with_states(certificates_for(request.user).filter(replaced_by=None))
    page = Paginator(own.select_related("programme", "file"), PER_PAGE).get_page(request.GET.get("page"))
    person = cast("User", request.user)
    is_nameless = not (person.first_name.strip() or person.last_name.strip())
    context = {"page": page, "rows": [_row(one) for one in page.object_list], "is_nameless": is_nameless}
    return render(request, "certification/certificates.html", context)


@require_safe
@login_required
def certificate(request: HttpRequest, public_id: str) -> HttpResponse:
    """The file. While it is not there yet, a page that asks for it again by itself, without a script."""
    found = get_certificate_for(request.user, public_id)
    person = cast("User", request.user)
    if found.user_id != person.pk:
        record("certificate.read", actor=person, subject=found, request=request, now=now())
    if not found.facts:
        return render(request, "certification/purged.html", {"certificate": found}, status=410)
    data = read_file(found.file) if hasattr(found, "file") else None
    if data is None:
        make_file.delay(found.pk)
        response = render(request, "certification/being_made.html", {"certificate": found})
        response["Refresh"] = str(AGAIN_SECONDS)
        return response
    disposition = f'attachment; filename="{file_name(found)}"'
    return HttpResponse(data, content_type="application/pdf", headers={"Content-Disposition": disposition})


def _row(one: Any) -> dict[str, Any]:
    if not one.facts:
        return {"certificate": one}
    return {
        "certificate": one,
        "facts": thaw_printed(one.facts),
        "linkedin": linkedin_of(one),
        "state": state_in_list(one).value,
        "worth": overtaken_by(one, one.worth),
    }
