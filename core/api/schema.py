"""The OpenAPI document and its page. `docs/openapi.yaml` is the committed copy."""

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.generic import TemplateView
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.problems import CONTENT_TYPE
from core.api.views import ApiView

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457 problem document.",
    "required": ["type", "title", "status", "code", "detail", "instance", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable and for programs; the texts are for people."},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "request_id": {"type": "string", "description": "Quote it when asking for help."},
        "current": {
            "type": "object",
            "description": "With 409: the object as it stands now, changed by somebody else.",
        },
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "JSON pointer to the value; # is the whole body."},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}
ALWAYS = {
    "400": "The request is malformed or a value is not acceptable.",
    "401": "Not signed in.",
    "406": "JSON is the only form on offer.",
    "429": "Too many requests.",
}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "core.api.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.SESSION_COOKIE_NAME,
            "description": "Sign in on the web page. Unsafe methods also need the CSRF token in X-CSRFToken.",
        }


def add_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A spectacular hook: the errors every operation can answer, once and for all.

    A view that answers 409 or 410, or 403 where no address has an id, says so with `409: None`; the document's form is
    added here.
    """
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            if "responses" not in operation:
                continue
            errors = dict(ALWAYS)
            if method in {"post", "put", "patch", "delete"}:
                errors |= {"403": "The CSRF token is missing or wrong."}
            if "requestBody" in operation:
                errors |= {"413": "The body is too large.", "415": "The body is of another type than JSON."}
            if "{" in path or "403" in operation["responses"]:
                errors |= {"403": "The role is missing."}
            if "{" in path:
                errors |= {"404": "Absent, or not for this person."}
            if "409" in operation["responses"]:
                errors |= {"409": "Not possible in the present state."}
            if "410" in operation["responses"]:
                errors |= {"410": "Asked for what is no longer kept: begin anew."}
            for status, description in errors.items():
                operation["responses"][status] = _problem_response(description, status)
    return result


def _problem_response(description: str, status: str) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": description,
        "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status == "429":
        response["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
    return response


class SchemaView(ApiView, SpectacularAPIView):
    """The OpenAPI 3 document, as YAML or (`Accept: application/vnd.oai.openapi+json`) as JSON."""

    schema = None

    def _get_version_parameter(self, request: Request) -> str:
        return ""

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Without spectacular's `lang` and `version` parameters, which go unchecked into the language and a header."""
        response: Response = self._get_schema_response(request)  # type: ignore[no-untyped-call]
        return response


@method_decorator([login_required, ensure_csrf_cookie], name="dispatch")
class DocsView(TemplateView):
    """Swagger UI from our own static files: it draws itself by script only, so the strict CSP stays."""

    template_name = "api/docs.html"
