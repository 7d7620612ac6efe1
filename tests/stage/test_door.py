"""The door over HTTP, as a doctor without an account meets it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client, override_settings
from django.urls import reverse
from django.utils.timezone import now

from accounts.models import SignInRequest, User
from tests.factories.accounts import UserFactory
from tests.factories.courses import EnrolmentFactory
from tests.signing_in import signed_in
from tests.stage.doors import ASKER, ask, live_webinar, moderator_of, open_door, programme_of
from tests.stage.pages import text_of
from webinars.domain import spot
from webinars.enums import SpotApproval, SpotState
from webinars.models import SpotRequest, SpotWindow

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_limits() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def address(window: SpotWindow) -> str:
    return reverse("door", args=(window.slug,))


def knock(window: SpotWindow, browser: Client | None = None, **given: str) -> tuple[Client, Any]:
    browser = browser or Client()
    return browser, browser.post(address(window), {**ASKER, **given}, follow=True)


def let_in(window: SpotWindow) -> SpotRequest:
    request = SpotRequest.objects.get(window=window, state=SpotState.PENDING)
    return spot.approve(request=request, actor=moderator_of(programme_of(window)), now=now())


class TestStates:
    @pytest.mark.parametrize(
        ("given", "words"),
        [
            ({"opens_at": now() + timedelta(minutes=30)}, "The door is not open yet"),
            ({}, "Ask to be let in"),
            ({"approved_count": 10}, "All places are taken"),
            ({"opens_at": now() - timedelta(hours=2), "closes_at": now() - timedelta(hours=1)}, "The door is closed"),
        ],
    )
    def test_each_state_says_what_to_do(self, given: dict[str, Any], words: str) -> None:
        response = Client().get(address(open_door(**given)))

        assert response.status_code == 200
        assert words in text_of(response)

    def test_an_unknown_link_does_not_exist(self) -> None:
        assert Client().get("/door/nobody-knows-me/").status_code == 404

    def test_an_invited_doctor_goes_straight_in(self) -> None:
        window = open_door()
        doctor = EnrolmentFactory.create(programme=programme_of(window)).user

        response = signed_in(doctor).get(address(window))

        assert response.headers["Location"] == f"/webinars/{window.webinar_id}/"

    def test_what_is_missing_is_said_beside_the_field(self) -> None:
        _browser, response = knock(open_door(), registration_number="", email="no address")

        assert set(response.context["form"].errors) == {"registration_number", "email"}
        assert not SpotRequest.objects.exists()

    def test_sec_03_nobody_asks_at_a_closed_door(self) -> None:
        window = open_door(closes_at=now() - timedelta(minutes=1))

        _browser, response = knock(window)

        assert (response.status_code, SpotRequest.objects.count()) == (403, 0)


class TestWayIn:
    def test_from_asking_to_the_webinar_in_one_tap(self) -> None:
        window = open_door()
        browser, waiting = knock(window, timezone="Asia/Kolkata")
        assert "You are in the queue" in text_of(waiting)
        assert browser.get(reverse("door_state", args=(window.slug,))).json() == {"state": "pending"}

        let_in(window)

        assert browser.get(reverse("door_state", args=(window.slug,))).json() == {"state": "approved"}
        assert "You are let in" in text_of(browser.get(address(window)))
        entered = browser.post(reverse("door_enter", args=(window.slug,)))
        assert entered.headers["Location"] == f"/webinars/{window.webinar_id}/"
        assert browser.get(entered.headers["Location"]).status_code == 200
        user = User.objects.get(email=ASKER["email"])
        assert user.devices.get().method == "invitation"

    def test_the_ticket_is_hidden_from_scripts_and_bound_to_this_door(self) -> None:
        window = open_door()
        browser, _response = knock(window)

        (cookie,) = [one for name, one in browser.cookies.items() if name.startswith("door_")]

        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", f"/door/{window.slug}/")

    def test_sec_03_a_forged_ticket_is_no_ticket(self) -> None:
        window = open_door()
        knock(window)
        let_in(window)
        stranger = Client()
        stranger.cookies[f"door_{window.pk}"] = "forged:ticket"

        assert "Ask to be let in" in text_of(stranger.get(address(window)))
        assert stranger.post(reverse("door_enter", args=(window.slug,))).status_code == 302
        assert "_auth_user_id" not in stranger.session

    def test_looking_never_enters(self) -> None:
        window = open_door()
        browser, _response = knock(window)
        let_in(window)

        browser.get(address(window))

        assert browser.get(reverse("door_enter", args=(window.slug,))).status_code == 405
        assert "_auth_user_id" not in browser.session

    def test_who_is_not_let_in_reads_it_politely(self) -> None:
        window = open_door()
        browser, _response = knock(window)
        request = SpotRequest.objects.get()
        spot.deny(request=request, actor=moderator_of(programme_of(window)), now=now())

        assert "Thank you for asking" in text_of(browser.get(address(window)))

    def test_whom_a_rule_let_in_is_sent_to_the_mailbox(self) -> None:
        window = open_door(approval=SpotApproval.EVERYBODY)

        browser, response = knock(window)

        assert "open your e-mail" in text_of(response)
        browser.post(reverse("door_enter", args=(window.slug,)))
        assert "_auth_user_id" not in browser.session


class TestNoHints:
    @pytest.mark.parametrize("approval", SpotApproval.values)
    def test_sec_04_a_known_and_an_unknown_address_get_the_same_page(self, approval: str) -> None:
        UserFactory.create(email="known@clinic.example", registration_number="1", first_name="K")
        pages = []
        for email in ("known@clinic.example", "other@clinic.example"):
            cache.clear()
            webinar = live_webinar(lesson__title="IVF today")
            window = open_door(webinar, approval=approval, email_domains=["clinic.example"])
            _browser, response = knock(window, email=email, registration_number=email, last_name=email)
            pages.append(text_of(response).replace(email, "…").replace(window.slug, "…"))

        assert pages[0] == pages[1]

    def test_an_existing_account_gets_a_link_and_the_browser_does_not(self) -> None:
        known = UserFactory.create(email=ASKER["email"])
        window = open_door()
        browser, _response = knock(window)
        assert SignInRequest.objects.filter(user=known).count() == 1
        let_in(window)

        response = browser.post(reverse("door_enter", args=(window.slug,)))

        assert "open your e-mail" in text_of(response)
        assert "_auth_user_id" not in browser.session
        assert SignInRequest.objects.filter(user=known).count() == 2

    def test_a_robot_fills_the_hidden_field_and_waits_for_nothing(self) -> None:
        window = open_door()

        _browser, response = knock(window, website="https://spam.example")

        assert "You are in the queue" in text_of(response)
        assert not SpotRequest.objects.exists()

    def test_too_many_are_asked_to_wait(self) -> None:
        window = open_door()
        for _ in range(600):
            spot.ASKS_PER_ADDRESS.hit(f"{window.pk}:127.0.0.1")

        _browser, response = knock(window)

        assert (response.status_code, "Please wait" in text_of(response)) == (429, True)
        assert int(response.headers["Retry-After"]) > 0

    def test_sec_22_a_name_of_markup_is_text_everywhere(self) -> None:
        window = open_door()
        ask(window, first_name="<script>alert(1)</script>", last_name='"><img src=x>')
        staff = signed_in(moderator_of(programme_of(window)))

        page = staff.get(reverse("admin:webinars_spotwindow_queue", args=(window.pk,))).content.decode()

        assert "<script>alert(1)" not in page
        assert "<img src=x>" not in page


class TestQueue:
    def page(self, window: SpotWindow) -> tuple[Client, str]:
        staff = signed_in(moderator_of(programme_of(window)))
        return staff, reverse("admin:webinars_spotwindow_queue", args=(window.pk,))

    def test_one_tap_lets_in_one_tap_does_not(self) -> None:
        window = open_door()
        first, second = ask(window), ask(window, email="b@x.example", registration_number="2", last_name="B")
        staff, queue = self.page(window)

        staff.post(queue, {"approve": first.pk})
        staff.post(queue, {"deny": second.pk})

        assert dict(SpotRequest.objects.values_list("pk", "state")) == {first.pk: "approved", second.pk: "denied"}

    def test_the_ticked_ones_are_let_in_together(self) -> None:
        window = open_door()
        asked = [ask(window, email=f"{n}@x.example", registration_number=str(n), last_name=str(n)) for n in range(3)]
        staff, queue = self.page(window)

        staff.post(queue, {"many": "approve", "request": [asked[0].pk, asked[2].pk]})

        assert set(SpotRequest.objects.filter(state="approved")) == {asked[0], asked[2]}

    def test_a_possible_double_is_said_in_words(self) -> None:
        window = open_door()
        UserFactory.create(email=ASKER["email"])
        ask(window)
        staff, queue = self.page(window)

        assert "Look twice: Has an account with this e-mail address." in text_of(staff.get(queue))

    def test_requests_of_another_door_are_not_decided_here(self) -> None:
        window, other = open_door(), open_door()
        foreign = ask(other)
        staff, queue = self.page(window)

        staff.post(queue, {"approve": foreign.pk})

        foreign.refresh_from_db()
        assert foreign.state == SpotState.PENDING
        foreign_queue = reverse("admin:webinars_spotwindow_queue", args=(other.pk,))
        assert staff.get(foreign_queue).status_code == 404

    def test_the_queue_costs_the_same_whatever_its_length(self, django_assert_max_num_queries: Any) -> None:
        window, counts = open_door(), []
        staff, queue = self.page(window)
        for number in range(3):
            ask(window, email=f"{number}@x.example", registration_number=str(number), last_name=str(number))
            with django_assert_max_num_queries(25) as counted:
                staff.get(queue, headers={"X-Fragment": "1"})
            counts.append(len(counted.captured_queries))

        assert len(set(counts)) == 1

    def test_a_door_is_opened_changed_and_closed_in_the_admin(self) -> None:
        window = open_door()
        staff, _queue = self.page(window)
        programme = programme_of(window)
        programme.timezone = "Europe/Berlin"
        programme.save()
        change = reverse("admin:webinars_spotwindow_change", args=(window.pk,))
        form = {
            "opens_at_0": "2030-01-15", "opens_at_1": "13:00", "closes_at_0": "2030-01-15", "closes_at_1": "15:00",
            "capacity": 40, "approval": "domain", "quota": "IN 20\nKE 5", "domains": "@Clinic.example\nhospital.org",
        }  # fmt: skip

        response = staff.post(change, form)

        window.refresh_from_db()
        assert response.status_code == 302, response.context["adminform"].form.errors
        assert (window.capacity, window.country_quota) == (40, {"IN": 20, "KE": 5})
        assert window.email_domains == ["clinic.example", "hospital.org"]
        assert f"{window.opens_at:%H:%M}" == "12:00"
        assert "<svg" in staff.get(change).content.decode()
        staff.post(reverse("admin:webinars_spotwindow_close_now", args=(window.pk,)), {"_form_submitted": "on"})
        window.refresh_from_db()
        assert spot.door_of(window, now=now()) == spot.Door.CLOSED


class TestLanguage:
    @override_settings(LANGUAGES=[("en", "English"), ("fr", "French")])
    def test_who_read_the_door_in_french_gets_french_mail(self) -> None:
        window = open_door()

        Client(headers={"accept-language": "fr-CA,fr;q=0.9"}).post(address(window), ASKER)
        Client().post(address(window), {**ASKER, "email": "b@clinic.example", "last_name": "B"})
        for _ in range(2):
            request = SpotRequest.objects.filter(window=window, state=SpotState.PENDING).first()
            assert request is not None
            spot.approve(request=request, actor=moderator_of(programme_of(window)), now=now())

        languages = dict(User.objects.filter(email__endswith="clinic.example").values_list("email", "language"))
        assert languages == {ASKER["email"]: "fr", "b@clinic.example": "en"}

    def test_who_asks_again_in_another_language_is_written_to_in_that(self) -> None:
        window = open_door()
        ask(window, language="fr")

        assert ask(window, language="sw").language == "sw"

    def test_an_account_that_exists_keeps_its_language(self) -> None:
        window = open_door()
        UserFactory.create(email=ASKER["email"], language="de")
        ask(window, language="fr")

        assert let_in(window).user == User.objects.get(email=ASKER["email"], language="de")
