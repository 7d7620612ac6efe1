"""Every error under /api/ is an RFC 9457 problem document, whoever raised it: DRF, Django, the router or a bug."""

import logging
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.http import Http404, HttpRequest, JsonResponse
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from core.outage import is_database_away, seconds_to_wait

logger = logging.getLogger(__name__)
CONTENT_TYPE = "application/problem+json"
LONGEST_POINTER = 200


class Conflict(exceptions.APIException):
    """`current` is the object as it stands now, where somebody else has changed it meanwhile."""

    status_code = HTTPStatus.CONFLICT
    default_detail = _("This is not possible in the present state.")
    default_code = "conflict"

    def __init__(
        self, detail: Any = None, code: str | None = None, *, current: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(detail, code)
        self.current = current


class TooLarge(exceptions.APIException):
    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_detail = _("The request is too large.")
    default_code = "too_large"


class Away(exceptions.APIException):
    """PostgreSQL cannot be reached; nothing was written."""

    status_code = HTTPStatus.SERVICE_UNAVAILABLE
    default_detail = _("The site is away for a moment. Please try again in some seconds.")
    default_code = "away"

    def __init__(self) -> None:
        super().__init__()
        self.wait = seconds_to_wait()


class Unexpected(exceptions.APIException):
    """What a caller is told of a bug: nothing but that it happened, and the number to quote."""

    default_detail = _("Something went wrong on our side. Please quote the request number.")
    default_code = "unexpected"


def handle_exception(exc: Exception, context: Mapping[str, Any]) -> Response:
    """DRF's `EXCEPTION_HANDLER`. Also answers what DRF would let through, so that no path leads to an HTML page."""
    request: HttpRequest = context["request"]._request  # noqa: SLF001 – DRF offers no public way to it
    known = _as_api_exception(exc)
    if known is None:
        logger.error("Unhandled exception in the API", exc_info=exc)
        # Error reporters and the test client listen to this; Django sends it only for what leaves the view.
        got_request_exception.send(sender=None, request=request)
        known = Away() if is_database_away(exc) else Unexpected()
    set_rollback()
    return Response(
        problem(request, known), status=known.status_code, headers=_headers(known), content_type=CONTENT_TYPE
    )


def problem_response(request: HttpRequest, exc: exceptions.APIException) -> JsonResponse:
    """The same document for errors that never reach a DRF view (middleware, the router)."""
    return JsonResponse(problem(request, exc), status=exc.status_code, headers=_headers(exc), content_type=CONTENT_TYPE)


def problem(request: HttpRequest, exc: exceptions.APIException) -> dict[str, Any]:
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(exc.status_code).phrase,
        "status": int(exc.status_code),
        "code": _code(exc),
        "detail": _("Please check the marked fields.") if _has_fields(exc) else _first(exc.detail),
        "instance": printable(request.path),
        "request_id": printable(request.META.get("HTTP_X_REQUEST_ID", "")),
    }
    if isinstance(exc, exceptions.ValidationError):
        body["errors"] = list(_errors(exc.detail))
    if isinstance(exc, Conflict) and exc.current is not None:
        body["current"] = exc.current
    return body


def printable(text: object) -> str:
    """Echoed input: short, and without lone surrogates, which no UTF-8 response can carry."""
    return str(text).encode("utf-8", "replace").decode()[:LONGEST_POINTER]


def _as_api_exception(exc: Exception) -> exceptions.APIException | None:
    """Details of Http404 and PermissionDenied stay inside: they name models and rules. A kind of refusal that the
    caller can do something about says so in `public_detail` and `public_code`."""
    match exc:
        case exceptions.APIException():
            return exc
        case Http404():
            return exceptions.NotFound()
        case PermissionDenied():
            return exceptions.PermissionDenied(getattr(exc, "public_detail", None), getattr(exc, "public_code", None))
        case RequestDataTooBig():
            return TooLarge()
        case SuspiciousOperation():
            return exceptions.ParseError()
    return None


def _headers(exc: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if challenge := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = str(challenge)
    if isinstance(exc, exceptions.Throttled | Away):
        headers["Retry-After"] = str(max(1, int(getattr(exc, "wait", None) or 1)))
    return headers


def _code(exc: exceptions.APIException) -> str:
    code = getattr(exc.detail, "code", None)
    return str(code or exc.default_code)


def _has_fields(exc: exceptions.APIException) -> bool:
    return isinstance(exc.detail, Mapping)


def _first(detail: Any) -> str:
    while isinstance(detail, list | Mapping):
        detail = next(iter(detail.values() if isinstance(detail, Mapping) else detail), "")
    return str(detail)


def _errors(detail: Any, pointer: str = "#") -> Iterator[dict[str, str]]:
    """One entry per message, each with a JSON pointer to the value it is about (`#` is the whole document)."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            yield from _errors(inner, pointer if name == "non_field_errors" else f"{pointer}/{_escape(name)}")
    elif isinstance(detail, list):
        nested = any(isinstance(inner, Mapping | list) for inner in detail)
        for index, inner in enumerate(detail):
            if inner:  # DRF marks the good rows of a list by empty entries
                yield from _errors(inner, f"{pointer}/{index}" if nested else pointer)
    else:
        yield {"pointer": pointer, "code": str(getattr(detail, "code", "invalid")), "detail": printable(detail)}


def _escape(name: object) -> str:
    return printable(name).replace("~", "~0").replace("/", "~1")
