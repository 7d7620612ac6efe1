"""Grants behind nginx: Django checks the cookie, nginx sends the bytes.

Either nginx passes /media/videos/ on and this answers with X-Accel-Redirect into an `internal` location over the
storage folder, or `auth_request /media/grant/` before files that nginx finds itself. Both check the same cookie.
"""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from media.storages.local import LocalGrants

INTERNAL_PATH = "/protected-media"


class NginxGrants(LocalGrants):
    def respond(self, request: HttpRequest, *, key: UUID, name: str) -> HttpResponseBase:
        response = HttpResponse()
        response["X-Accel-Redirect"] = f"{INTERNAL_PATH}/videos/{key}/{name}"
        return response
