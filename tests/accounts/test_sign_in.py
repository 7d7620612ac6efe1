"""By e-mail: link and code."""

import contextlib
import statistics
import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import now

from accounts.domain import limits, sign_in
from accounts.enums import SignInMethod
from accounts.models import AuditEvent, SignInRequest, User
from tests.accounts.helpers import code_in, deliver, link_in
from tests.factories.accounts import UserFactory
from tests.signing_in import device_of

pytestmark = pytest.mark.django_db

START = "/sign-in/"
CODE = "/sign-in/code/"


def ask(client: Client, email: str, **extra: str) -> None:
    response = client.post(START, {"email": email, **extra})
    assert (response.status_code, response["Location"]) == (302, CODE)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def test_by_link_on_another_device(client: Client, doctor: User) -> None:
    ask(client, "  MEERA.NAIR@example.org ", next="/account/devices/")
    (message,) = deliver()
    phone = Client()

    shown = phone.get(link_in(message))
    assert shown.status_code == 200
    assert "_auth_user_id" not in phone.session
    response = phone.post(link_in(message), {"timezone": "Asia/Kolkata"})

    assert response["Location"] == "/account/devices/"
    assert phone.session["_auth_user_id"] == str(doctor.pk)
    assert device_of(phone).method == SignInMethod.LINK
    assert "_auth_user_id" not in client.session


def test_by_code_in_the_same_browser(client: Client, doctor: User) -> None:
    ask(client, doctor.email)
    (message,) = deliver()
    code = code_in(message)

    response = client.post(CODE, {"code": f"{code[:3]} {code[3:]}"})

    assert (response.status_code, response["Location"]) == (302, "/")
    assert device_of(client).method == SignInMethod.CODE


def test_link_and_code_of_one_mail_open_together_once(client: Client, doctor: User) -> None:
    ask(client, doctor.email)
    (message,) = deliver()
    Client().post(link_in(message))

    client.post(CODE, {"code": code_in(message)})

    assert "_auth_user_id" not in client.session
    assert Client().post(link_in(message)).status_code == 410


def test_signing_in_ends_every_other_mail_of_that_person(client: Client, doctor: User) -> None:
    ask(client, doctor.email)
    (first,) = deliver()
    ask(client, doctor.email)
    (second,) = deliver()
    client.post(link_in(second))

    assert Client().get(link_in(first)).status_code == 410


def test_sec_08_a_code_works_only_in_the_browser_that_asked(client: Client, doctor: User) -> None:
    ask(client, doctor.email)
    (message,) = deliver()
    thief = Client()
    ask(thief, "nobody@example.org")

    response = thief.post(CODE, {"code": code_in(message)})

    assert response.status_code == 200
    assert "_auth_user_id" not in thief.session
    assert Client().post(CODE, {"code": code_in(message)})["Location"] == START


def test_sec_08_a_code_lives_at_most_ten_minutes(client: Client, doctor: User) -> None:
    ask(client, doctor.email)
    (message,) = deliver()
    request = SignInRequest.objects.get()
    assert request.expires_at - request.created_at <= timedelta(minutes=10)

    with pytest.raises(sign_in.CodeError):
        sign_in.use_code(request_id=request.pk, code=code_in(message), address="192.0.2.1", now=request.expires_at)
    with pytest.raises(sign_in.LinkError):
        sign_in.use_link(token=link_in(message).split("/")[-2], now=request.expires_at)


def test_sec_08_five_wrong_codes_end_the_request(client: Client, doctor: User) -> None:
    ask(client, doctor.email)
    (message,) = deliver()
    code = code_in(message)
    for _ in range(5):
        client.post(CODE, {"code": wrong(code)})

    response = client.post(CODE, {"code": code})

    assert "no longer works" in response.content.decode()
    assert "_auth_user_id" not in client.session
    assert AuditEvent.objects.filter(action="sign_in.refused", actor=doctor).count() == 5


def test_a_stranger_who_guesses_all_day_does_not_lock_the_doctor_out(doctor: User) -> None:
    most = limits.CODE_GUESSES_PER_ACCOUNT.most
    for _ in range(most + 1):
        limits.CODE_GUESSES_PER_ACCOUNT.hit(f"{doctor.pk}:203.0.113.66")
    mine, strangers = (sign_in.request_sign_in(email=doctor.email, address="192.0.2.1", now=now()) for _ in range(2))
    codes = {code_in(message): message for message in deliver()}

    def tries(request: SignInRequest, address: str) -> list[str]:
        opened = []
        for code in codes:
            with contextlib.suppress(sign_in.CodeError):
                sign_in.use_code(request_id=request.pk, code=code, address=address, now=now())
                opened.append(code)
        return opened

    assert tries(strangers, "203.0.113.66") == []
    assert len(tries(mine, "192.0.2.1")) == 1


@pytest.mark.parametrize("text", ["", "12345", "1234567", "abcdef", "１２３", "1" * 5000])
def test_a_code_that_is_none_costs_no_attempt(client: Client, doctor: User, text: str) -> None:
    ask(client, doctor.email)
    deliver()

    response = client.post(CODE, {"code": text})

    assert response.status_code == 200
    assert SignInRequest.objects.get().attempts == 0


def test_digits_of_other_scripts_are_digits(client: Client, doctor: User) -> None:
    ask(client, doctor.email)
    (message,) = deliver()
    arabic = code_in(message).translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))

    client.post(CODE, {"code": arabic})

    assert client.session["_auth_user_id"] == str(doctor.pk)


def test_sec_04_known_and_unknown_addresses_get_the_same_answers(doctor: User) -> None:
    disabled = UserFactory.create(is_active=False)
    answers = []
    for email in (doctor.email, "nobody@example.org", disabled.email):
        browser = Client()
        started = browser.post(START, {"email": email})
        shown = browser.get(CODE)
        refused = [browser.post(CODE, {"code": "000000"}) for _ in range(6)]
        pages = [shown, *refused]
        answers.append(
            (
                started.status_code,
                started["Location"],
                [page.status_code for page in pages],
                [_without_secrets(page.content.decode(), email) for page in pages],
            )
        )

    assert answers[0] == answers[1] == answers[2]


def _without_secrets(page: str, email: str) -> str:
    lines = [line for line in page.splitlines() if "csrfmiddlewaretoken" not in line]
    return "\n".join(lines).replace("<wbr>", "").replace(email, "…")


def test_sec_04_nothing_is_sent_to_unknown_and_disabled_people(client: Client) -> None:
    disabled = UserFactory.create(is_active=False)
    for email in ("nobody@example.org", disabled.email):
        ask(client, email)

    assert deliver() == []
    assert SignInRequest.objects.count() == 2


def test_sec_04_known_and_unknown_addresses_take_the_same_time(doctor: User) -> None:
    """Interleaved medians, so that a slow moment of this machine meets both. The work itself is the same statements."""
    took: dict[str, list[float]] = {doctor.email: [], "nobody@example.org": []}
    for number in range(60):
        for email, times in took.items():
            started = time.perf_counter()
            sign_in.request_sign_in(email=_alias(email, doctor, number), address=f"192.0.2.{number}", now=now())
            times.append(time.perf_counter() - started)

    known, unknown = (statistics.median(times[10:]) for times in took.values())
    assert 0.5 < known / unknown < 2


def _alias(email: str, doctor: User, number: int) -> str:
    """A limit counts per address; a known person needs a new one for every try."""
    if email != doctor.email:
        return f"{number}.{email}"
    User.objects.filter(pk=doctor.pk).update(email=f"{number}.{email}")
    return f"{number}.{email}"


def test_sec_04_the_same_statements_run_for_known_and_unknown(doctor: User) -> None:
    shapes = []
    for email in (doctor.email, "nobody@example.org"):
        with CaptureQueriesContext(connection) as captured:
            sign_in.request_sign_in(email=email, address="192.0.2.1", now=now())
        shapes.append([query["sql"][:60] for query in captured.captured_queries if "SAVEPOINT" not in query["sql"]])

    assert shapes[0] == shapes[1]


@pytest.mark.parametrize(
    "next_path", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_next_never_leads_elsewhere(client: Client, doctor: User, next_path: str) -> None:
    ask(client, doctor.email, next=next_path)
    (message,) = deliver()

    assert client.post(link_in(message), {"next": next_path})["Location"] == "/"


@pytest.mark.parametrize(
    "email", ["", "x", "a@b", "x" * 300 + "@example.org", "a@example.org\r\nBcc: b@example.org", "\x00@example.org"]
)
def test_what_is_no_address_is_said_to_be_none(client: Client, email: str) -> None:
    response = client.post(START, {"email": email})

    assert response.status_code == 200
    assert "errors" in response.content.decode()
    assert SignInRequest.objects.count() == 0


def test_a_lost_bell_is_made_good_by_the_sweep_and_rung_twice_sends_once(client: Client, doctor: User) -> None:
    ask(client, doctor.email)

    assert len(deliver()) == 1
    assert deliver() == []
    assert not sign_in.send_request(request_id=SignInRequest.objects.get().pk, now=now())


def test_sec_09_the_session_gets_a_new_key_at_sign_in(client: Client, doctor: User) -> None:
    ask(client, doctor.email)
    (message,) = deliver()
    before = client.session.session_key

    client.post(CODE, {"code": code_in(message)})

    assert client.session.session_key != before
    assert device_of(client).session_key == client.session.session_key


def test_head_and_strange_methods_change_nothing(client: Client, doctor: User) -> None:
    ask(client, doctor.email)
    (message,) = deliver()

    assert client.head(link_in(message)).status_code == 200
    assert [client.put(link_in(message)).status_code, client.delete(link_in(message)).status_code] == [405, 405]
    assert SignInRequest.objects.get().used_at is None


def test_sec_21_the_button_needs_the_pages_own_token(doctor: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    pending = sign_in.request_sign_in(email=doctor.email, address="192.0.2.1", now=now())
    (message,) = deliver()

    for path in (START, CODE, link_in(message), reverse("accounts:sign_out"), "/account/devices/end-others/"):
        assert browser.post(path, {"email": doctor.email, "code": "123456"}).status_code == 403
    pending.refresh_from_db()
    assert pending.used_at is None


@pytest.mark.django_db(transaction=True)
def test_sec_08_parallel_guesses_share_one_count() -> None:
    doctor = UserFactory.create()
    request = sign_in.request_sign_in(email=doctor.email, address="192.0.2.1", now=now())
    (message,) = deliver()
    code = code_in(message)
    barrier = threading.Barrier(8)
    left: list[int] = []

    def guess() -> None:
        barrier.wait(timeout=60)
        try:
            sign_in.use_code(request_id=request.pk, code=wrong(code), address="192.0.2.1", now=now())
        except sign_in.CodeError as error:
            left.append(error.attempts_left)
        finally:
            connection.close()

    _at_once(guess, 8)

    request.refresh_from_db()
    assert (request.attempts, len(left)) == (5, 8)
    with pytest.raises(sign_in.CodeError):
        sign_in.use_code(request_id=request.pk, code=code, address="192.0.2.1", now=now())


@pytest.mark.django_db(transaction=True)
def test_of_two_racing_taps_on_a_link_one_gets_in() -> None:
    doctor = UserFactory.create()
    sign_in.request_sign_in(email=doctor.email, address="192.0.2.1", now=now())
    (message,) = deliver()
    token = link_in(message).split("/")[-2]
    barrier = threading.Barrier(2)
    answers: list[str] = []

    def tap() -> None:
        barrier.wait(timeout=60)
        try:
            sign_in.use_link(token=token, now=now())
            answers.append("in")
        except sign_in.LinkError:
            answers.append("spent")
        finally:
            connection.close()

    _at_once(tap, 2)

    assert sorted(answers) == ["in", "spent"]


def _at_once(work: Callable[[], None], count: int) -> None:
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
