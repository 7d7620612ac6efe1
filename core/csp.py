from typing import Any

from csp.constants import NONCE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
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
