"""What a shared cache may keep: nothing, unless a view says so, and never together with a cookie."""

from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from core.caching import PrivateByDefaultMiddleware


def answer(*, cache_control: str = "", cookie: bool = False) -> str:
    def view(_: HttpRequest) -> HttpResponse:
        response = HttpResponse("Dr Meera Nair")
        if cache_control:
            response["Cache-Control"] = cache_control
        if cookie:
            response.set_cookie("sessionid", "secret")
        return response

    return str(PrivateByDefaultMiddleware(view)(RequestFactory().get("/"))["Cache-Control"])


def test_sec_35_a_page_that_says_nothing_is_not_kept() -> None:
    assert answer() == "private, no-store"


def test_sec_35_a_view_may_say_otherwise() -> None:
    assert answer(cache_control="public, max-age=60") == "public, max-age=60"


def test_sec_35_a_cookie_is_never_kept_whatever_the_view_said() -> None:
    """The next person would get it from the shared cache, and be the first one."""
    assert answer(cache_control="public, max-age=60", cookie=True) == "private, no-store"
