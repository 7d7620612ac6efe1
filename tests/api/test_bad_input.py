"""Nothing a client can send makes a 500, or is half taken."""

import gzip

import pytest
from django.test import Client

from accounts.models import User
from tests.factories.accounts import UserFactory
from tests.factories.courses import EnrolmentFactory, LessonFactory
from tests.factories.webinars import WebinarFactory
from tests.signing_in import signed_in
from webinars.models import PlaySession, WatchRecord, Webinar

pytestmark = pytest.mark.django_db

BROKEN = {
    "a field of 10 MB": (b'{"title": "' + b"x" * 10_000_000 + b'"}', 413),
    "lists nested 200,000 deep": (b"[" * 200_000, 400),
    "objects nested 10,000 deep": (b'{"title":' * 10_000 + b"1" + b"}" * 10_000, 400),
    "cut off": (b'{"title": "Dr', 400),
    "not JSON": (b"title=Dr", 400),
    "bytes that are no UTF-8": (b'{"title": "\xff\xfe\xfa"}', 400),
    "UTF-16": ('{"title": "Dr"}'.encode("utf-16"), 400),
    "a compressed body": (gzip.compress(b'{"title": "Dr"}'), 400),
    "NUL bytes": (b"\x00" * 100, 400),
    "an integer of 5,000 digits": (b'{"title": ' + b"9" * 5_000 + b"}", 400),
    "not a number": (b'{"title": NaN}', 400),
    "null": (b"null", 400),
    "a list": (b"[]", 400),
    "a text": (b'"x"', 400),
    "a number": (b"12", 400),
    "20,000 unknown fields": (b"{" + b",".join(b'"f%d": 1' % n for n in range(20_000)) + b"}", 400),
    "a field with an unsayable name": (rb'{"\ud800": 1}', 400),
    "a field with a long name": (b'{"' + b"n" * 100_000 + b'": 1}', 400),
}
OTHER_TYPES = ["text/plain", "application/xml", "multipart/form-data; boundary=x", "application/msgpack", "x", ""]


@pytest.fixture
def doctor() -> User:
    return UserFactory.create()


@pytest.fixture
def browser(doctor: User) -> Client:
    return signed_in(doctor)


@pytest.fixture
def webinar(doctor: User) -> Webinar:
    enrolment = EnrolmentFactory.create(user=doctor)
    return WebinarFactory.create(lesson=LessonFactory.create(course__programme=enrolment.programme))


def doors(webinar: Webinar) -> list[tuple[str, str]]:
    """Every address of the API that reads a body."""
    return [("PATCH", "/api/v1/me/"), ("POST", f"/api/v1/webinars/{webinar.pk}/beats/")]


def written() -> list[object]:
    return [list(model.objects.order_by("pk").values()) for model in (User, PlaySession, WatchRecord)]


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_body_is_a_clean_refusal(browser: Client, webinar: Webinar, name: str) -> None:
    body, status = BROKEN[name]
    before = written()

    for method, path in doors(webinar):
        response = browser.generic(method, path, body, content_type="application/json")

        assert response.status_code == status, path
        assert response["Content-Type"] == "application/problem+json"
        assert response.json()["status"] == status
        assert len(response.content) < 20_000
    assert written() == before


@pytest.mark.parametrize("content_type", OTHER_TYPES)
def test_another_type_of_body_is_refused(browser: Client, webinar: Webinar, content_type: str) -> None:
    for method, path in doors(webinar):
        response = browser.generic(method, path, b'{"title": "Dr"}', content_type=content_type)

        assert response.status_code == 415, path
        assert response["Content-Type"] == "application/problem+json"


def test_another_form_of_answer_is_not_on_offer(browser: Client) -> None:
    response = browser.get("/api/v1/me/", HTTP_ACCEPT="application/xml")

    assert response.status_code == 406
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
def test_another_method_is_named_as_such(browser: Client, method: str) -> None:
    response = browser.generic(method, "/api/v1/me/")

    assert response.status_code == 405
    assert response["Content-Type"] == "application/problem+json"
    assert response["Allow"] == "GET, PATCH, HEAD, OPTIONS"


@pytest.mark.parametrize("path", ["%00", "%ff", "..%2f..%2fetc%2fpasswd", "%E2%80%AE", "a" * 5_000, "'%20OR%201=1--"])
def test_odd_addresses_are_absent(browser: Client, path: str) -> None:
    for prefix in ("/api/v1/programmes/", "/api/v1/lessons/", "/api/v1/devices/", "/api/v1/webinars/"):
        response = browser.get(f"{prefix}{path}/")

        assert response.status_code == 404
        assert response["Content-Type"] == "application/problem+json"
