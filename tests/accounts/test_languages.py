"""People's languages: what is offered, what is kept, and what is spoken."""

import re
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from accounts.domain import invitations, mail
from accounts.models import User
from tests.accounts.helpers import deliver
from tests.pages.html import Page
from tests.signing_in import signed_in

SEVERAL = [("en", "English"), ("fr", "French"), ("ar", "Arabic")]
PROFILE = {"title": "Dr", "first_name": "Meera", "last_name": "Nair", "timezone": "Asia/Kolkata", "country": "IN"}


def read(browser: Client, path: str) -> Page:
    response = browser.get(path)
    assert response.status_code == 200
    return Page(response.content.decode())


def options(page: Page) -> list[str]:
    """Codes in the selector of languages; time zones and countries have selectors of their own."""
    codes = {code for code, _name in SEVERAL} | {"pt"}
    return [option.attrs["value"] for option in page.all("option") if option.attrs.get("value") in codes]


def test_one_language_is_no_question(client: Client, doctor: User) -> None:
    _, token = invitations.invite(user=doctor, created_by=None, now=now(), occasion="Fertility 2026")
    pages = [read(client, "/sign-in/"), read(client, f"/invitation/{token}/"), read(signed_in(doctor), "/account/")]

    assert [options(page) for page in pages] == [[], [], []]
    assert [page.all("form", "language") for page in pages] == [[], [], []]


def test_several_are_offered_by_their_own_names(client: Client, doctor: User, settings: Any) -> None:
    settings.LANGUAGES = SEVERAL
    page = read(client, "/sign-in/")

    assert [(one.attrs["lang"], one.text) for one in page.all("option")] == [
        ("en", "English"), ("fr", "français"), ("ar", "العربيّة"),
    ]  # fmt: skip
    assert options(read(signed_in(doctor), "/account/")) == ["en", "fr", "ar"]


def test_a_preference_outside_the_offer_is_english_and_survives_the_profile(doctor: User) -> None:
    doctor.language = "ar"
    doctor.save()
    browser = signed_in(doctor)

    root = read(browser, "/account/").one("html")
    assert (root.attrs["lang"], root.attrs["dir"]) == ("en", "ltr")
    assert browser.post("/account/", PROFILE | {"specialty": "Gynaecology"}).status_code == 302
    doctor.refresh_from_db()
    assert (doctor.specialty, doctor.language) == ("Gynaecology", "ar")


def test_with_several_on_offer_a_preference_for_another_one_is_shown_and_kept(doctor: User, settings: Any) -> None:
    settings.LANGUAGES = SEVERAL
    doctor.language = "pt"
    doctor.save()
    browser = signed_in(doctor)

    page = read(browser, "/account/")
    (chosen,) = [one for one in page.all("option") if one.attrs.get("value") == "pt"]
    assert ("selected" in chosen.attrs, chosen.text) == (True, "Português (not available yet)")
    assert browser.post("/account/", PROFILE | {"language": "pt"}).status_code == 302
    doctor.refresh_from_db()
    assert doctor.language == "pt"
    assert browser.post("/account/", PROFILE | {"language": "es"}).status_code == 200, "nobody offered Spanish"


def test_a_language_nobody_offers_cannot_be_chosen_at_the_door(client: Client, doctor: User, settings: Any) -> None:
    settings.LANGUAGES = SEVERAL
    for code, chosen in (("fr", "fr"), ("pt", None), ("../etc", None)):
        client.cookies.clear()
        client.post("/language/", {"language": code, "next": "/sign-in/"})
        cookie = client.cookies.get("django_language")
        assert (cookie.value if cookie else None) == chosen


@pytest.mark.parametrize(("offered", "spoken"), [(SEVERAL, ("ar", "rtl")), (SEVERAL[:1], ("en", "ltr"))])
def test_e_mails_speak_what_is_offered(
    doctor: User, settings: Any, offered: list[tuple[str, str]], spoken: tuple[str, str]
) -> None:
    settings.LANGUAGES = offered
    doctor.language = "ar"
    doctor.save()
    invitations.queue_invitations(user_ids=[doctor.pk], created_by=None, now=now())
    (message,) = deliver()

    html = str(message.alternatives[0][0])  # type: ignore[attr-defined]  # it is one with alternatives
    (root,) = re.findall(r'<html lang="(\w+)" dir="(\w+)">', html)
    assert root == spoken
    assert mail.zone_of(doctor).key == "Asia/Kolkata"


def test_the_api_keeps_any_language_there_is(doctor: User) -> None:
    browser = signed_in(doctor)
    answers = {
        code: browser.patch("/api/v1/me/", {"language": code}, content_type="application/json").status_code
        for code in ("ta", "pt-br", "tlh", "", "FR")
    }
    assert answers == {"ta": 200, "pt-br": 200, "tlh": 400, "": 400, "FR": 400}
    doctor.refresh_from_db()
    assert doctor.language == "pt-br"
