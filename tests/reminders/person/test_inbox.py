"""Messages on the site: one's own, in full, read when the person says so."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from reminders.models import Delivery, InboxItem
from tests.factories.accounts import UserFactory
from tests.reminders.factories import NOW, InboxItemFactory
from tests.signing_in import device_of, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def doctor() -> User:
    return UserFactory.create()


@pytest.fixture
def browser(doctor: User) -> Client:
    return signed_in(doctor)


def badge(browser: Client) -> str:
    page = browser.get("/account/").content.decode()
    return page.partition('class="messages-count" aria-hidden="true">')[2].partition("<")[0]


class TestThePage:
    def test_sec_19_it_shows_exactly_ones_own(self, doctor: User, browser: Client) -> None:
        mine = [InboxItemFactory.create(user=doctor, subject=f"Mine {n}") for n in range(2)]
        InboxItemFactory.create(subject="Theirs", body="Theirs too")
        page = browser.get("/messages/")
        assert list(page.context["items"]) == [mine[1], mine[0]]
        assert "Theirs" not in page.content.decode()

    def test_what_is_in_it_is_text(self, doctor: User, browser: Client) -> None:
        InboxItemFactory.create(
            user=doctor, subject="<script>alert(1)</script>", body="<b>x</b>\n\n{{ 7|add:1 }}", button="<i>"
        )
        page = browser.get("/messages/").content.decode()
        assert [one for one in ("<script>alert", "<b>x", "<i>") if one in page.partition("<main")[2]] == []
        assert "&lt;script&gt;alert(1)" in page
        assert "{{ 7|add:1 }}" in page

    def test_without_any_it_says_what_will_be_here(self, browser: Client) -> None:
        assert "No messages yet" in browser.get("/messages/").content.decode()

    def test_twenty_to_a_page(self, doctor: User, browser: Client) -> None:
        InboxItemFactory.create_batch(21, user=doctor)
        assert len(browser.get("/messages/").context["items"]) == 20
        assert len(browser.get("/messages/?page=2").context["items"]) == 1

    @pytest.mark.parametrize("rows", [1, 3])
    def test_it_costs_the_same_for_many(
        self, doctor: User, browser: Client, rows: int, django_assert_num_queries: Any
    ) -> None:
        InboxItemFactory.create_batch(rows, user=doctor)
        browser.get("/messages/")
        with django_assert_num_queries(3):  # the device with its person and the number of new ones; how many; which
            browser.get("/messages/")


class TestTheBadge:
    def test_it_counts_ones_own_new_messages_on_every_page(self, doctor: User, browser: Client) -> None:
        assert badge(browser) == ""
        InboxItemFactory.create_batch(2, user=doctor)
        InboxItemFactory.create(user=doctor, read_at=NOW)
        InboxItemFactory.create()
        assert badge(browser) == "2"
        assert "2 new ones" in browser.get("/programmes/").content.decode()

    def test_it_costs_no_query(self, doctor: User, browser: Client, django_assert_num_queries: Any) -> None:
        InboxItemFactory.create(user=doctor)
        browser.get("/account/devices/")
        with django_assert_num_queries(2):  # the person with the device, and the list
            assert "1 new one" in browser.get("/account/devices/").content.decode()

    def test_it_is_what_the_database_counts(self, doctor: User, browser: Client) -> None:
        from accounts.domain.devices import device_of_session

        InboxItemFactory.create_batch(3, user=doctor)
        device: Any = device_of_session(device_of(browser).session_key)
        assert device.unread_messages == 3


class TestReading:
    def test_its_button_reads_it_and_leads_on(self, doctor: User, browser: Client) -> None:
        item = InboxItemFactory.create(user=doctor, path="/credits/")
        answer = browser.post(f"/messages/{item.pk}/open/")
        assert (answer.status_code, answer["Location"]) == (302, "/credits/")
        assert badge(browser) == ""
        delivery = Delivery.objects.get()
        assert delivery.read_at is not None
        assert delivery.followed_at is not None

    @pytest.mark.parametrize("path", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", ""])
    def test_sec_22_it_leads_nowhere_else(self, doctor: User, browser: Client, path: str) -> None:
        item = InboxItemFactory.create(user=doctor, path=path)
        assert browser.post(f"/messages/{item.pk}/open/")["Location"] == "/messages/"

    def test_sec_19_somebody_elses_is_as_absent(self, browser: Client) -> None:
        item = InboxItemFactory.create()
        assert browser.post(f"/messages/{item.pk}/open/").status_code == 404
        assert browser.post(f"/messages/{2**70}/open/").status_code == 404
        item.refresh_from_db()
        assert item.read_at is None

    def test_sec_21_looking_at_the_page_reads_nothing(self, doctor: User, browser: Client) -> None:
        InboxItemFactory.create(user=doctor)
        browser.get("/messages/")
        assert badge(browser) == "1"

    def test_all_that_were_shown_are_read_and_what_came_since_stays_new(self, doctor: User, browser: Client) -> None:
        shown = InboxItemFactory.create_batch(2, user=doctor)
        newest = browser.get("/messages/").context["newest"]
        assert newest == shown[1].pk
        later = InboxItemFactory.create(user=doctor, made_at=NOW + timedelta(hours=1))
        theirs = InboxItemFactory.create()
        browser.post("/messages/read/", {"until": str(newest)})
        assert set(InboxItem.objects.filter(read_at=None)) == {later, theirs}
        assert Delivery.objects.filter(read_at=None).count() == 2

    @pytest.mark.parametrize("until", ["", "x", "-1", "９", "9" * 30])
    def test_nonsense_reads_nothing(self, doctor: User, browser: Client, until: str) -> None:
        InboxItemFactory.create(user=doctor)
        assert browser.post("/messages/read/", {"until": until}).status_code == 302
        assert InboxItem.objects.filter(read_at=None).count() == 1

    def test_the_first_reading_counts(self, doctor: User, browser: Client) -> None:
        item = InboxItemFactory.create(user=doctor, read_at=NOW)
        Delivery.objects.update(read_at=NOW)
        browser.post(f"/messages/{item.pk}/open/")
        item.refresh_from_db()
        assert item.read_at == NOW
        assert Delivery.objects.get().read_at == NOW
