"""Browsers that show notices: added and ended by their person, and only known carriers are ever called."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.domain.devices import end_all_devices, end_device
from accounts.enums import DeviceEnd
from accounts.models import Device, User
from reminders.domain import composing, consent, notices
from reminders.enums import Channel
from reminders.models import ConsentRecord, PushSubscription
from tests.factories.accounts import UserFactory
from tests.reminders.factories import NOW, PushSubscriptionFactory, signed_in_device
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db
KEYS = {
    "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "auth": "BTBZMqHH6r4Tts7J_aSIgg",
}
ENDPOINT = "https://fcm.googleapis.com/fcm/send/abc"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


@pytest.fixture
def doctor() -> User:
    return UserFactory.create()


def add(
    user: User, *, endpoint: str = ENDPOINT, minutes: int = 0, keys: dict[str, str] | None = None
) -> PushSubscription:
    at = NOW + timedelta(minutes=minutes)
    given = {**KEYS, **(keys or {})}
    device = signed_in_device(user)
    return notices.add_browser(user=user, device=device, endpoint=endpoint, user_agent=FIREFOX, now=at, **given)


def standing(user: User) -> list[str]:
    open_ones = PushSubscription.objects.filter(user=user, ended_at=None)
    return list(open_ones.order_by("made_at", "pk").values_list("endpoint", flat=True))


class TestAdding:
    def test_it_is_kept_once_with_its_name_and_the_answer(self, doctor: User) -> None:
        add(doctor)
        add(doctor)
        assert standing(doctor) == [ENDPOINT]
        assert PushSubscription.objects.get().device == "Firefox on Linux"
        assert [(one.channel, one.is_on) for one in ConsentRecord.objects.all()] == [("push", True)]

    def test_a_browser_that_changes_hands_shows_nothing_to_the_one_before(self, doctor: User) -> None:
        other = UserFactory.create()
        add(doctor)
        add(other)
        assert (standing(doctor), standing(other)) == ([], [ENDPOINT])

    def test_of_many_the_oldest_makes_room(self, doctor: User) -> None:
        for number in range(notices.MOST + 1):
            add(doctor, endpoint=f"{ENDPOINT}/{number}", minutes=number)
        assert standing(doctor) == [f"{ENDPOINT}/{number}" for number in range(1, notices.MOST + 1)]

    @pytest.mark.parametrize(
        "endpoint",
        [
            "http://fcm.googleapis.com/x", "https://evil.example/x", "https://fcm.googleapis.com.evil.example/x",
            "https://127.0.0.1/x", "https://fcm.googleapis.com:8443/x", "https://u@fcm.googleapis.com/x",
            "https://fcm.googleapis.com@evil.example/x", "file:///etc/passwd", "", f"{ENDPOINT}{'x' * 1000}",
        ],
    )  # fmt: skip
    def test_sec_26_nobody_names_an_address_that_the_site_would_call(self, doctor: User, endpoint: str) -> None:
        with pytest.raises(notices.NoSubscriptionError):
            add(doctor, endpoint=endpoint)
        assert PushSubscription.objects.count() == 0
        assert ConsentRecord.objects.count() == 0

    @pytest.mark.parametrize(
        "keys", [{"auth": ""}, {"auth": "x" * 80}, {"p256dh": "AA"}, {"p256dh": "ä"}, {"auth": "*"}]
    )
    def test_keys_that_are_none(self, doctor: User, keys: dict[str, str]) -> None:
        with pytest.raises(notices.NoSubscriptionError):
            add(doctor, keys=keys)


class TestEnding:
    def test_with_the_last_one_the_person_says_no(self, doctor: User) -> None:
        first, second = add(doctor), add(doctor, endpoint=f"{ENDPOINT}/2")
        assert notices.end_browser(user=doctor, subscription_id=first.pk, now=NOW) is True
        assert consent.wanted([doctor.pk], Channel.PUSH) == {doctor.pk}
        assert notices.end_browser(user=doctor, subscription_id=second.pk, now=NOW) is True
        assert consent.wanted([doctor.pk], Channel.PUSH) == set()
        assert notices.end_browser(user=doctor, subscription_id=second.pk, now=NOW) is False

    def test_sec_19_somebody_elses_is_as_absent(self, doctor: User) -> None:
        theirs = PushSubscriptionFactory.create()
        browser = signed_in(doctor)
        assert browser.post(f"/account/messages/notices/{theirs.pk}/end/").status_code == 404
        assert standing(theirs.user) == [theirs.endpoint]

    def test_what_a_carrier_no_longer_knows_ends_and_the_answer_stays(self, doctor: User) -> None:
        add(doctor)
        theirs = PushSubscriptionFactory.create()
        assert notices.end_gone([ENDPOINT, "https://unknown.example/"], now=NOW) == 1
        assert (standing(doctor), standing(theirs.user)) == ([], [theirs.endpoint])
        assert consent.wanted([doctor.pk], Channel.PUSH) == {doctor.pk}


def test_where_the_site_has_no_key_there_are_none(doctor: User, settings: Any) -> None:
    settings.MESSAGES = {**settings.MESSAGES, "MESSAGES_PUSH": "none"}
    browser = signed_in(doctor)
    assert "Notices in the browser" not in browser.get("/account/messages/").content.decode()
    assert browser.post("/account/messages/notices/", {"endpoint": ENDPOINT, **KEYS}).status_code == 404


def test_the_worker_may_reach_the_whole_site_and_is_asked_for_anew() -> None:
    answer = Client().get("/notices.js")
    assert answer["Content-Type"] == "text/javascript; charset=utf-8"
    assert "no-store" in answer["Cache-Control"]
    assert "addEventListener" in answer.content.decode()


class TestDevices:
    """A notice says what a webinar is about, and whoever sits there may read it: it ends with the sign-in."""

    def turned_on(self, browser: Client) -> None:
        assert browser.post("/account/messages/notices/", {"endpoint": ENDPOINT, **KEYS}).status_code == 302

    def test_they_end_when_their_person_signs_out(
        self, doctor: User, django_capture_on_commit_callbacks: Any, settings: Any
    ) -> None:
        settings.MESSAGES = {**settings.MESSAGES, "MESSAGES_PUSH": "webpush", "VAPID_PRIVATE_KEY": "A" * 42 + "E"}
        browser = signed_in(doctor)
        self.turned_on(browser)
        assert standing(doctor) == [ENDPOINT]
        with django_capture_on_commit_callbacks(execute=True):
            browser.post("/sign-out/")
        assert standing(doctor) == []
        assert consent.wanted([doctor.pk], Channel.PUSH) == {doctor.pk}, "no answer of theirs"
        self.turned_on(signed_in(doctor))
        assert standing(doctor) == [ENDPOINT]

    def test_they_end_with_their_device_and_with_no_other(
        self, doctor: User, django_capture_on_commit_callbacks: Any
    ) -> None:
        here, there = add(doctor), add(doctor, endpoint=f"{ENDPOINT}/2")
        assert here.signed_in is not None
        with django_capture_on_commit_callbacks(execute=True):
            end_device(device=here.signed_in, reason=DeviceEnd.REVOKED, now=NOW)
        assert standing(doctor) == [there.endpoint]

    def test_a_new_password_ends_them_everywhere_else(
        self, doctor: User, django_capture_on_commit_callbacks: Any
    ) -> None:
        here, there = add(doctor), add(doctor, endpoint=f"{ENDPOINT}/2")
        assert there.signed_in is not None
        with django_capture_on_commit_callbacks(execute=True):
            end_all_devices(user=doctor, except_device=there.signed_in, reason=DeviceEnd.PASSWORD, now=NOW)
        assert standing(doctor) == [there.endpoint]
        assert here.pk != there.pk

    def test_nothing_goes_to_one_whose_end_nobody_heard_of(self, doctor: User) -> None:
        """The process died right after it ended the device; and rows of before devices were kept with them."""
        lost, old, there = (add(doctor, endpoint=f"{ENDPOINT}/{number}") for number in range(3))
        Device.objects.filter(user=doctor, pk=str(lost.signed_in_id)).update(
            ended_at=NOW, ended_reason=DeviceEnd.SIGNED_OUT
        )
        PushSubscription.objects.filter(pk=old.pk).update(signed_in=None)
        found = composing._browsers({doctor.pk})
        assert [one[0] for one in json.loads(found[doctor.pk])] == [there.endpoint]
        assert notices.end_with_devices(now=NOW) == 2
        assert standing(doctor) == [there.endpoint]

    def test_the_page_says_so(self, doctor: User, settings: Any) -> None:
        settings.MESSAGES = {**settings.MESSAGES, "MESSAGES_PUSH": "webpush", "VAPID_PRIVATE_KEY": "A" * 42 + "E"}
        page = signed_in(doctor).get("/account/messages/").content.decode()
        assert "They end when you sign out in that browser" in page
