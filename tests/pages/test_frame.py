"""What holds for every page: strict policy, outline, language and direction, escaping, error pages."""

from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import path
from django.utils.timezone import now

from accounts.models import User
from lms import errors
from tests.factories.accounts import UserFactory
from tests.factories.courses import EnrolmentFactory, LessonFactory, RoleGrantFactory
from tests.pages.html import Page
from tests.pages.world import DAY, World, add_lecture, complete, make_world, read, read_as, watch
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db

# The strings of the OWASP filter evasion list that matter where text meets HTML, attributes and addresses.
EVIL = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</title><svg/onload=alert(1)>",
    "{{ 7|add:7 }}{% now 'Y' %}",
    "javascript:alert(1)//",
    "&lt;b&gt; %3Cscript%3E \u202e\u2028",
]


def busy_world(words: str = "Fertility") -> tuple[World, User]:
    """Something in every state at once, every text field filled with `words`."""
    world = make_world(5, title=words, summary=words, society=words, closes_at=now() + 3 * DAY)
    first, second, third, fourth, _ = world.courses
    for course in world.courses:
        course.title, course.summary = f"{words} {course.position}", words
        course.save()
        course.lessons.update(title=words, summary=words)
    add_lecture(second, title=words)
    LessonFactory.create(course=second, kind="quiz", title=words, is_required=False)
    second.is_sequential = True
    second.save()
    third.prerequisites.add(fourth)
    fourth.opens_at = now() + DAY
    fourth.save()
    user = world.doctor(title=words[:30], first_name=words, last_name=words)
    complete(user, first)
    watch(user, second, (0, 400), (900, 1000))
    for presenter in User.objects.exclude(pk=user.pk):
        presenter.first_name = words
        presenter.save()
    other = make_world(1, title=words, society=words)
    EnrolmentFactory.create(user=user, programme=other.programme)
    RoleGrantFactory.create(user=user, programme=make_world(1, title=words, society=words).programme)
    return world, user


def paths(world: World) -> list[str]:
    return ["/", "/programmes/", f"/programmes/{world.programme.slug}/"]


def test_pages_keep_the_strict_policy_and_a_sound_outline() -> None:
    world, user = busy_world()
    browser = signed_in(user)
    problems = {}
    for place in [*paths(world), "/nowhere/"]:
        response = browser.get(place)
        page = Page(response.content.decode())
        problems[place] = page.forbidden() + page.outline_problems()
        policy = response["Content-Security-Policy"]
        assert "'unsafe-inline'" not in policy
        assert "'unsafe-eval'" not in policy
        assert [page.one("main").attrs["id"], page.one("a", "skip").attrs["href"]] == ["main", "#main"]
        assert len(page.all("header", "top")) == len(page.all("footer")) == 1
    assert {place: found for place, found in problems.items() if found} == {}


@pytest.mark.parametrize("words", EVIL)
def test_sec_22_names_and_titles_are_shown_as_text_on_every_page(words: str) -> None:
    world, user = busy_world(words)
    browser = signed_in(user)
    for place in paths(world):
        page = read(browser, place)
        assert page.forbidden() == []
        # What the browser reads back is what was written, sign by sign (white space aside): no part became markup.
        assert " ".join(words.split()) in page.text
        assert len(page.all("script")) == 1
        assert page.all("img") == []
        assert [link for link in page.links().values() if "alert" in link] == []


def test_sec_22_the_same_page_has_the_same_elements_whatever_the_words() -> None:
    def skeleton(words: str) -> list[list[str]]:
        world, user = busy_world(words)
        browser = signed_in(user)
        return [[element.tag for element in read(browser, place).elements] for place in paths(world)]

    assert skeleton(EVIL[1]) == skeleton("Fertility")


def test_language_and_direction_follow_the_person(settings: Any) -> None:
    settings.LANGUAGES = [("en", "English"), ("fr", "French"), ("ar", "Arabic")]
    world, user = busy_world()
    expected = {"en": "ltr", "fr": "ltr", "ar": "rtl", "pt": "ltr"}
    for language, direction in expected.items():
        user.language = language
        user.save()
        for place in paths(world):
            root = read_as(user, place).one("html")
            spoken = language if language != "pt" else "en"
            assert (root.attrs["lang"], root.attrs["dir"]) == (spoken, direction)


def test_anonymous_pages_have_no_account_menu_and_signed_in_ones_do() -> None:
    assert Page(Client().get("/nowhere/").content.decode()).all("details") == []
    menu = read_as(UserFactory.create(first_name="Meera", last_name="Nair"), "/")
    assert menu.one("summary").attrs["aria-label"] == "Your account"
    assert menu.one("span", "avatar").text == "MN"
    links = menu.links()
    assert links["Profile and time zone"] == "/account/"
    assert links["My devices"] == "/account/devices/"
    assert "Administration" not in links
    forms = {form.attrs["action"] for form in menu.all("form")}
    assert forms == {"/sign-out/", "/account/time-zone/"}


def test_time_zone_question_is_hidden_until_the_script_finds_another_zone() -> None:
    page = read_as(UserFactory.create(timezone="Asia/Kolkata"), "/programmes/?page=2")
    banner = page.one("section", "zone-banner")
    assert ("hidden" in banner.attrs, banner.attrs["data-zone"]) == (True, "Asia/Kolkata")
    fields = {field.attrs["name"]: field.attrs["value"] for field in page.all("input")}
    assert (fields["timezone"], fields["next"]) == ("", "/programmes/?page=2")


def test_the_page_one_is_on_is_marked() -> None:
    world, user = busy_world()
    marks = {}
    for place in paths(world):
        navigation = read_as(user, place)
        marks[place] = {link.text: link.attrs.get("aria-current") for link in navigation.all("a")}
    home, catalogue, programme = (marks[place] for place in paths(world))
    assert (home["Home"], home["Programmes"]) == ("page", None)
    assert (catalogue["Home"], catalogue["Programmes"]) == (None, "page")
    assert (programme["Home"], programme["Programmes"]) == (None, "true")


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "429", "500", "503", "away"])
def test_error_pages_need_no_context_and_lead_on(name: str) -> None:
    page = Page(render_to_string(f"{name}.html"))
    assert page.forbidden() + page.outline_problems() == []
    assert "/" in page.links().values()
    assert settings.SITE_NAME in page.one("title").text


def test_sec_40_a_failure_shows_the_number_of_the_request_and_nothing_else(client: Client, settings: object) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        raise RuntimeError("password=hunter2")

    urls = type("urls", (), {"urlpatterns": [path("boom/", view)], "handler500": errors.server_error})
    settings.ROOT_URLCONF = urls  # type: ignore[attr-defined]
    client.raise_request_exception = False
    response = client.get("/boom/")
    page = Page(response.content.decode())
    assert response.status_code == 500
    assert page.one("h1").text == "Something went wrong on our side"
    assert page.one("span", "num").text == response["X-Request-ID"]
    assert "hunter2" not in page.source
    assert "RuntimeError" not in page.source


def test_a_broken_request_and_an_expired_form_have_pages_of_their_own() -> None:
    browser = signed_in(UserFactory.create(), enforce_csrf_checks=True)
    response = browser.post("/account/time-zone/", {"timezone": "UTC"})
    assert response.status_code == 403
    assert "This page was open for too long" in Page(response.content.decode()).text
    request = RequestFactory().get("/")
    request.user = UserFactory.create()
    answer = errors.bad_request(request, BadRequest("secret detail"))
    assert answer.status_code == 400
    assert "secret detail" not in answer.content.decode()
