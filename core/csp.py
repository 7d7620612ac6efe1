from functools import cache
from typing import Any

from csp.constants import HEADER, NONCE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CheckableLazyObject, CSPMiddleware, PolicyParts
from csp.utils import build_policy
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

# The admin's theme evaluates expressions from attributes and sets styles inline. No doctor comes there.
# A nonce in style-src would switch 'unsafe-inline' off again, so it is left out; scripts keep theirs.
ADMIN_POLICY = {"script-src": [SELF, NONCE, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]}


class PolicyMiddleware(CSPMiddleware):
    """The strict policy of the settings everywhere but under the admin."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if request.path_info.startswith(reverse("admin:index")):
            relaxed: dict[str, Any] = dict(ADMIN_POLICY)
            parts.replace = relaxed | (parts.replace or {})
        return parts

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Nearly every answer has the same header, and to make it anew took a tenth of the time of a small one."""
        if not _is_usual(request, response):
            return super().process_response(request, response)
        response.headers.setdefault(HEADER, _usual_policy())
        request.csp_nonce = CheckableLazyObject(self._csp_nonce_post_response)  # type: ignore[attr-defined]
        return response


def _is_usual(request: HttpRequest, response: HttpResponseBase) -> bool:
    """No nonce was asked for, no view says otherwise, and it is not the admin. Errors may be pages for developers."""
    is_decorated = any(name.startswith("_csp") for name in vars(response))
    is_admin = request.path_info.startswith(reverse("admin:index"))
    return response.status_code < 400 and not (is_decorated or is_admin or getattr(request, "_csp_nonce", None))


@cache
def _usual_policy() -> str:
    return build_policy()
