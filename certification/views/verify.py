"""What anybody with a certificate in hand may know: is it ours, does it stand. Needs no account, tells nothing else.

An unknown code is answered like a mistyped one. Codes are 128 random bits; the limit by address is against load.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from certification.domain.badges import badge_of, keys_document, status_of
from certification.domain.checking import MOST_BYTES, check_file
from certification.domain.facts import thaw_printed
from certification.domain.standing import Standing, standing_of
from certification.enums import UNCONFIRMED, CertificateState
from certification.models import Certificate
from certification.rules import find_certificate, typed_id
from core.clock import now
from core.http import client_address
from core.limits import hit

LOOKS = (60, 60)  # a minute and address: an auditor with a stack of paper, a hospital behind one address
UPLOADS = (20, 60)
JWT = "application/vc+jwt"
View = Callable[..., HttpResponse]


def limited(name: str, rate: tuple[int, int]) -> Callable[[View], View]:
    """And kept out of search engines and caches."""

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            limit, seconds = rate
            decision = hit(f"verify:{name}:{client_address(request)}", limit=limit, window_seconds=seconds)
            if decision:
                response = view(request, *args, **kwargs)
            else:
                response = render(request, "429.html", status=429)
                response["Retry-After"] = str(decision.retry_after_seconds)
            response["Cache-Control"] = "no-store"
            response["X-Robots-Tag"] = "noindex, nofollow"
            return response

        return wrapped

    return decorate


@require_safe
@limited("look", LOOKS)
def verify(request: HttpRequest) -> HttpResponse:
    typed = typed_id(request.GET.get("code", ""))
    if typed:
        return redirect("certification:verify_one", typed)
    return render(request, "certification/verify.html", {"is_empty": "code" in request.GET})


@require_safe
@limited("look", LOOKS)
def verify_one(request: HttpRequest, public_id: str) -> HttpResponse:
    certificate = find_certificate(public_id)
    if certificate is None:
        return render(request, "certification/verify.html", {"is_unknown": True}, status=404)
    return render(request, "certification/verified.html", _told(certificate, standing_of(certificate)))


@require_POST
@limited("file", UPLOADS)
def check(request: HttpRequest) -> HttpResponse:
    """The file is looked at in memory and kept nowhere."""
    file = request.FILES.get("file")
    if file is None or not file.size or file.size > MOST_BYTES:
        return render(request, "certification/verify.html", {"is_no_file": True}, status=400)
    checked = check_file(file.read())
    context: dict[str, Any] = {"verdict": checked.verdict.value, "sealed_on": checked.sealed_on}
    if checked.certificate is not None:
        context |= {"certificate": checked.certificate, "standing": standing_of(checked.certificate)}
    return render(request, "certification/checked.html", context)


@require_safe
@limited("look", LOOKS)
def badge(request: HttpRequest, public_id: str) -> HttpResponse:
    """The Open Badge. One that was revoked stays readable: its status says so."""
    certificate, standing = _known(public_id)
    if standing.state in UNCONFIRMED or standing.is_purged:
        raise Http404
    return HttpResponse(badge_of(certificate), content_type=JWT)


@require_safe
@limited("look", LOOKS)
def badge_status(request: HttpRequest, public_id: str) -> HttpResponse:
    certificate, standing = _known(public_id)
    if standing.state == CertificateState.UNKNOWN_KEY:
        raise Http404  # "revoked" would be wrong, and "valid" nobody knows
    return HttpResponse(status_of(certificate, is_valid=standing.is_valid, now=now()), content_type=JWT)


@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    """`did:web`: the public keys, for whoever checks a badge."""
    return JsonResponse(keys_document(), content_type="application/did+json")


def _known(public_id: str) -> tuple[Certificate, Standing]:
    certificate = find_certificate(public_id)
    if certificate is None:
        raise Http404
    return certificate, standing_of(certificate)


def _told(certificate: Certificate, standing: Standing) -> dict[str, Any]:
    """The facts only where they are known to be those that were issued. Days are those of the programme's zone."""
    is_shown = standing.state not in UNCONFIRMED and not standing.is_purged
    zone = ZoneInfo(certificate.programme.timezone)
    return {
        "certificate": certificate,
        "standing": standing,
        "facts": thaw_printed(certificate.facts) if is_shown else None,
        "changed_on": standing.changed_at.astimezone(zone).date() if standing.changed_at else None,
    }
