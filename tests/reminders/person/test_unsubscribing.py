"""One tap ends a channel, without signing in: RFC 8058 and the page for people."""

import re

import pytest
from django.test import Client, override_settings

from accounts.models import User
from reminders.domain import consent, unsubscribing
from reminders.domain.preferences import wording
from reminders.enums import Channel, ConsentSource, SuppressionReason
from reminders.models import ConsentRecord, Suppression
from tests.factories.accounts import UserFactory
from tests.reminders.factories import NOW, suppressed

pytestmark = pytest.mark.django_db


@pytest.fixture
def doctor() -> User:
    return UserFactory.create()


def path_of(user: User, channel: Channel = Channel.EMAIL) -> str:
    return f"/u/{unsubscribing.token_of(user.pk, channel)}/"


def wants(user: User, channel: Channel = Channel.EMAIL) -> bool:
    return consent.wanted([user.pk], channel) == {user.pk}


def test_sec_39_a_mail_provider_ends_it_with_one_post_and_no_cookie(doctor: User) -> None:
    other = UserFactory.create()
    answer = Client(enforce_csrf_checks=True).post(
        path_of(doctor), "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded"
    )
    assert answer.status_code == 200  # RFC 8058: no redirect
    assert not wants(doctor)
    assert wants(other)
    row = ConsentRecord.objects.get()
    assert (row.user, row.channel, row.is_on, row.source) == (doctor, "email", False, ConsentSource.UNSUBSCRIBE)


def test_asking_twice_is_once(doctor: User) -> None:
    for _ in range(2):
        Client().post(path_of(doctor), {"List-Unsubscribe": "One-Click"})
    assert ConsentRecord.objects.count() == 1


def test_sec_21_opening_the_link_changes_nothing(doctor: User) -> None:
    page = Client().get(path_of(doctor))
    assert page.status_code == 200
    assert "No more e-mails?" in page.content.decode()
    assert wants(doctor)
    assert ConsentRecord.objects.count() == 0


def test_the_page_says_nothing_of_whose_it_is(doctor: User) -> None:
    page = Client().get(path_of(doctor)).content.decode()
    assert [text for text in (doctor.email, doctor.first_name, doctor.last_name) if text in page] == []


def test_it_can_be_taken_back_at_once(doctor: User) -> None:
    browser = Client()
    stopped = browser.post(path_of(doctor), {"do": "stop"}).content.decode()
    assert "You get no more e-mails from us" in stopped
    assert "Start them again" in stopped
    assert "They go on" in browser.post(path_of(doctor), {"do": "start"}).content.decode()
    assert wants(doctor)


def test_sec_39_a_yes_is_kept_with_the_words_beside_its_button(doctor: User) -> None:
    browser = Client()
    words = wording()[Channel.EMAIL]
    assert words in browser.post(path_of(doctor), {"do": "stop"}).content.decode()
    assert words in browser.get(path_of(doctor)).content.decode()
    browser.post(path_of(doctor), {"do": "start"})
    rows = ConsentRecord.objects.order_by("pk").values_list("is_on", "source", "wording")
    assert list(rows) == [(False, "unsubscribe", ""), (True, "unsubscribe", words)]


@pytest.mark.parametrize("source", [ConsentSource.COMPLAINT, ConsentSource.UNSUBSCRIBE])
def test_who_complained_and_says_yes_again_is_written_to(doctor: User, source: ConsentSource) -> None:
    """Where the page says that they go on, they do."""
    consent.stop(channel=Channel.EMAIL, address=doctor.email, source=source, said_at=NOW)
    other = suppressed(Channel.EMAIL, "other@example.org", reason=SuppressionReason.COMPLAINT)
    page = Client().post(path_of(doctor), {"do": "start"}).content.decode()
    assert "They go on" in page
    assert wants(doctor)
    assert list(Suppression.objects.filter(lifted_at=None)) == [other]


@pytest.mark.parametrize("reason", [SuppressionReason.HARD_BOUNCE, SuppressionReason.INVALID])
def test_of_a_dead_address_it_is_not_said_that_they_go_on(doctor: User, reason: SuppressionReason) -> None:
    suppressed(Channel.EMAIL, doctor.email, reason=reason)
    browser = Client()
    browser.post(path_of(doctor), {"do": "stop"})
    page = browser.post(path_of(doctor), {"do": "start"}).content.decode()
    assert "They go on" not in page
    assert "Your address takes no messages" in page
    assert wants(doctor)
    assert Suppression.objects.filter(lifted_at=None).count() == 1


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.WHATSAPP, Channel.PUSH])
def test_each_channel_by_itself(doctor: User, channel: Channel) -> None:
    consent.choose(user_id=doctor.pk, choices=dict.fromkeys(Channel, True), source=ConsentSource.PROFILE, now=NOW)
    Client().post(path_of(doctor, channel), {"do": "stop"})
    assert {one for one, is_on in consent.choices_of(doctor).items() if not is_on} == {channel}


def test_a_link_that_was_not_made_here_opens_nothing(doctor: User) -> None:
    other = UserFactory.create()
    token = unsubscribing.token_of(doctor.pk, Channel.EMAIL)
    name, _, digest = token.partition("-")
    forged = [
        f"e{other.pk}-{digest}", f"s{doctor.pk}-{digest}", f"{name}-{digest[:-1]}", f"{name}-", name, "-", "x", "ä-ö",
        f"{name}-{'A' * 22}",
    ]  # fmt: skip
    for one in forged:
        assert Client().get(f"/u/{one}/").status_code == 404, one
        assert Client().post(f"/u/{one}/").status_code == 404, one
    assert ConsentRecord.objects.count() == 0


def test_a_closed_account_has_none(doctor: User) -> None:
    User.objects.filter(pk=doctor.pk).update(is_active=False)
    assert Client().post(path_of(doctor)).status_code == 404


def test_links_live_through_a_change_of_the_secret(doctor: User, settings: object) -> None:
    path = path_of(doctor)
    with override_settings(SECRET_KEY="n" * 60, SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):  # type: ignore[attr-defined]
        assert Client().get(path).status_code == 200
    with override_settings(SECRET_KEY="n" * 60, SECRET_KEY_FALLBACKS=[]):
        assert Client().get(path).status_code == 404


def test_the_headers_are_those_of_the_rfc(doctor: User) -> None:
    url = unsubscribing.unsubscribe_url(doctor.pk, Channel.EMAIL)
    assert re.fullmatch(r"http://127\.0\.0\.1:8000/u/e\d+-[\w-]{22}/", url)
    assert unsubscribing.headers(url) == {
        "List-Unsubscribe": f"<{url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
