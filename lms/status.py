from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.urls import resolve
from django.utils import translation

from operations.views import status_json, status_page

PAGES = {"/status/": status_page, "/status.json": status_json}


class StatusMiddleware:
    """Answers before sessions and sign-in, which need the database: that it is away is what people come to read.

    The pages stand in the URLconf all the same, for their addresses and for every other method.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        page = PAGES.get(request.path_info)
        if page is None or request.method not in {"GET", "HEAD"}:
            return self.get_response(request)
        request.resolver_match = resolve(request.path_info)  # for the metrics, which count by route
        with translation.override(translation.get_language_from_request(request)):
            return page(request)
