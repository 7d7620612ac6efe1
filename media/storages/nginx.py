"""Grants behind nginx: Django checks the cookie, nginx sends the bytes.

`deploy/nginx/rounds.conf` asks `/media/grant/` and finds the files itself. A request that is passed on to Django all
the same is answered with X-Accel-Redirect, for an nginx with an `internal` location over the storage folder.
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
