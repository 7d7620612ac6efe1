from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

NOTHING_KEPT = "private, no-store"


class PrivateByDefaultMiddleware:
    """No page is kept by a browser or a CDN unless its view says so; nothing that sets a cookie ever is.

    A shared cache that kept a Set-Cookie would hand one doctor's session to the next. Static files never pass here:
    WhiteNoise answers them earlier.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.cookies or not response.has_header("Cache-Control"):
            response["Cache-Control"] = NOTHING_KEPT
        return response
