"""What is answered when no view could: a problem document under /api/, a page elsewhere; never what went wrong."""

import sys

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views import defaults
from rest_framework import exceptions

from core.api.problems import Away, Unexpected, problem_response
from core.outage import is_database_away, seconds_to_wait

API = "/api/"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(API):
        return problem_response(request, exceptions.ParseError())
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(API):
        return problem_response(request, exceptions.PermissionDenied())
    return defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(API):
        return problem_response(request, exceptions.NotFound())
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django calls it while it handles the exception."""
    if is_database_away(sys.exc_info()[1]):
        return _away(request)
    if request.path.startswith(API):
        return problem_response(request, Unexpected())
    return defaults.server_error(request)


def _away(request: HttpRequest) -> HttpResponse:
    """Rendered without the request: who is signed in, the database would have to say."""
    if request.path.startswith(API):
        return problem_response(request, Away())
    response = HttpResponse(render_to_string("away.html"), status=503)
    response["Retry-After"] = seconds = str(seconds_to_wait())
    if request.method == "GET":
        response["Refresh"] = seconds
    return response
