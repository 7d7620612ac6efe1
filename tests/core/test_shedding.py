"""Who waits when too much is asked: newcomers first and in order, people who are in late, what they send never."""

import base64
import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django_redis import get_redis_connection
from redis.backoff import NoBackoff
from redis.retry import Retry

from core import metrics
from core.shedding import line, page, tickets
from core.shedding.kinds import Kind, kind_of
from core.shedding.line import KEYS, Line
from core.shedding.middleware import SheddingMiddleware
from core.shedding.pressure import STANDING_SECONDS, Queue, note_wait, take_wait
from core.shedding.tickets import Ticket

SLOW = 60.0  # seconds of waiting for a thread: over every limit, and for longer than a hiccup


@pytest.fixture(autouse=True)
def _limits(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.SHED_JOIN_MS, settings.SHED_READ_MS, settings.ENTRY_SECONDS = 500, 3_000, 1_800
    times = "OPEN_AFTER, REPORT, REMEMBERED, KEPT = 5, 3,"
    assert times in line.SCRIPT
    # However busy the machine is, the door does not open in the middle of a test.
    monkeypatch.setattr(line, "SCRIPT", line.SCRIPT.replace(times, times.replace("5, 3", "600, 600")))
    get_redis_connection("default").delete(*KEYS)
    yield
    get_redis_connection("default").delete(*KEYS)
    take_wait()


class Door:
    """A browser in front of one process: keeps its cookies, and says how long its requests waited for a thread."""

    def __init__(self, client: Any = None, **headers: Any) -> None:
        self.cookie_of: dict[str, str] = {}
        self.served: list[str] = []
        self.given: dict[str, Any] = headers
        self.cache_control = "private, no-store"
        self.middleware = SheddingMiddleware(self._view)
        # The real Valkey with more patience than a page has: this machine may be busy.
        self.middleware.line = Line(get_redis_connection("default") if client is None else client)

    def _view(self, request: HttpRequest) -> HttpResponse:
        self.served.append(request.path)
        return HttpResponse("the page", headers={"Cache-Control": self.cache_control})

    def ask(self, path: str = "/", *, waited: float | None = 0.0, method: str = "GET") -> Any:
        request = RequestFactory().generic(method, path, **self.given)
        request.COOKIES = dict(self.cookie_of)
        if waited is not None:
            note_wait(waited)
        response = self.middleware(request)
        for name, morsel in response.cookies.items():
            if morsel["max-age"] == 0:
                self.cookie_of.pop(name, None)
            else:
                self.cookie_of[name] = morsel.value
        return response


def clock_at(*times: float) -> Callable[[], float]:
    given = iter(times)
    return lambda: next(given)


class TestQueue:
    def test_a_hiccup_is_no_queue(self) -> None:
        queue = Queue(0.5, clock=clock_at(10.0, 10.1, 10.2))
        assert [queue.is_over(waited) for waited in (0.5, 0.55, 0.1, 0.6)] == [False, False, False, False]

    def test_a_queue_that_stands_is_one_until_somebody_waits_less(self) -> None:
        queue = Queue(0.5, clock=clock_at(10.0, 10.0 + STANDING_SECONDS, 11.0, 12.0))
        assert [queue.is_over(waited) for waited in (0.5, 0.5, 0.7, 0.4, 0.6)] == [False, True, True, False, False]

    def test_the_first_who_comes_out_of_a_long_queue_says_that_it_stood(self) -> None:
        assert Queue(0.5, clock=clock_at(10.0)).is_over(5.0)

    def test_a_server_that_does_not_measure_sheds_nothing(self) -> None:
        take_wait()
        door = Door()
        assert door.ask(waited=None).status_code == 200
        assert door.cookie_of == {}


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("GET", "/", Kind.PAGE),
        ("GET", "/webinars/7/", Kind.PAGE),
        ("GET", "/sign-in/link/abc/", Kind.PAGE),
        ("GET", "/api/v1/webinars/7/playback/", Kind.READ),
        ("POST", "/api/v1/webinars/7/beats/", Kind.WORK),
        ("POST", "/api/v1/webinars/7/play-sessions/", Kind.WORK),
        ("POST", "/api/v1/webinars/7/playback-reports/", Kind.READ),
        ("GET", "/webinars/7/keep-alive/", Kind.WORK),
        ("POST", "/webinars/7/questions/", Kind.SAVE),
        ("PUT", "/api/v1/webinars/7/questions/3/", Kind.SAVE),
        ("GET", "/media/grant/", Kind.ALWAYS),
        ("GET", "/admin/", Kind.ALWAYS),
    ],
)
def test_whose_request_may_wait_is_said_by_method_and_path(method: str, path: str, kind: Kind) -> None:
    assert kind_of(method, path) is kind


class TestNewcomers:
    def test_come_in_while_there_is_room_and_are_in_from_then_on(self) -> None:
        door = Door()
        response = door.ask()
        assert response.status_code == 200
        cookie = response.cookies[tickets.PASS]
        assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 1_800)
        assert door.ask(waited=1.0).status_code == 200, "in, and the queue is not long enough to shed reading"

    def test_wait_where_the_queue_stands(self) -> None:
        before = metrics.SHED.labels("newcomer")._value.get()
        door = Door()
        response = door.ask("/webinars/7/", waited=SLOW)
        assert (response.status_code, door.served) == (503, [])
        assert 1 <= int(response["Retry-After"]) <= 24
        assert response["Cache-Control"] == "no-store"
        assert metrics.SHED.labels("newcomer")._value.get() == before + 1

    def test_wait_at_every_replica_once_a_quarter_of_them_is_full(self) -> None:
        Door().ask(waited=SLOW)
        elsewhere = Door()
        assert elsewhere.ask(waited=0.0).status_code == 503
        assert list(elsewhere.cookie_of) == [tickets.TICKET]

    def test_get_in_in_the_order_they_came_whatever_the_order_they_ask_again_in(self) -> None:
        doors = [Door() for _ in range(4)]
        for door in doors:
            door.ask(waited=SLOW)
            door.middleware.line._looked_at = float("inf")  # as of the last look: shut
        for door in reversed(doors):  # nobody has been let in yet: all are in line now
            door.ask()
        let_in: list[int] = []
        deadline = time.monotonic() + 60
        while len(let_in) < 4 and time.monotonic() < deadline:
            for number in (3, 2, 1, 0):
                if number not in let_in and doors[number].ask().status_code == 200:
                    let_in.append(number)
        assert sorted(let_in) == [0, 1, 2, 3]
        assert all(tickets.TICKET not in door.cookie_of and tickets.PASS in door.cookie_of for door in doors)

    def test_without_valkey_they_wait_where_it_is_full_and_come_in_where_it_is_not(self, refused: Any) -> None:
        door = Door(refused)
        response = door.ask(waited=SLOW)
        assert response.status_code == 503
        assert b"One moment, please" in response.content
        assert door.cookie_of == {}
        assert door.ask(waited=0.0).status_code == 200

    def test_a_page_for_everybodys_cache_carries_no_pass(self) -> None:
        door = Door()
        door.cache_control = "public, max-age=60"
        assert door.ask().cookies == {}


@pytest.fixture
def refused() -> Any:
    return redis.Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0))


class TestPeopleWhoAreIn:
    @pytest.fixture
    def door(self) -> Door:
        door = Door()
        door.ask()
        door.served.clear()
        return door

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", "/api/v1/webinars/7/beats/"),
            ("POST", "/api/v1/webinars/7/play-sessions/"),
            ("POST", "/webinars/7/questions/"),
            ("POST", "/api/v1/webinars/7/questions/"),
            ("GET", "/media/grant/"),
            ("GET", "/admin/"),
        ],
    )
    def test_are_never_refused_what_they_do(self, door: Door, method: str, path: str) -> None:
        assert door.ask(path, method=method, waited=SLOW).status_code == 200
        assert door.served == [path]

    def test_read_later_when_the_queue_is_long(self, door: Door) -> None:
        shown = door.ask("/programmes/", waited=SLOW)
        assert shown.status_code == 503
        assert b"is safe" in shown.content
        answer = door.ask("/api/v1/me/", waited=SLOW)
        assert (answer.status_code, answer["Content-Type"]) == (503, "application/problem+json")
        assert int(answer["Retry-After"]) >= 1
        assert json.loads(answer.content)["code"] == "busy"
        assert door.served == []

    def test_stay_in_by_what_they_do(self, door: Door, settings: Any) -> None:
        settings.ENTRY_SECONDS = 0.0001  # half of it is over at once, and given whole seconds are not older
        door.cookie_of[tickets.PASS] = door.ask().cookies[tickets.PASS].value
        settings.ENTRY_SECONDS = 1_800
        assert door.ask("/api/v1/webinars/7/beats/", method="POST").cookies == {}
        old = HttpResponse()
        tickets.hand_out_pass(old, now=time.time() - 1_000)
        door.cookie_of[tickets.PASS] = old.cookies[tickets.PASS].value
        assert tickets.PASS in door.ask("/api/v1/webinars/7/beats/", method="POST").cookies

    def test_what_somebody_sends_who_may_be_in_is_never_refused(self) -> None:
        """A pass that ran out in a tab with an open test: the session's cookie is enough."""
        door = Door()
        assert door.ask("/quiz/3/", method="POST", waited=SLOW).status_code == 503
        door.cookie_of[settings.SESSION_COOKIE_NAME] = "x" * 32
        assert door.ask("/quiz/3/", method="POST", waited=SLOW).status_code == 200


class TestTickets:
    def read(self, name: str, value: str) -> tuple[Ticket | None, float | None]:
        request = RequestFactory().get("/")
        request.COOKIES = {name: value}
        now = time.time()
        return tickets.read_ticket(request, now=now), tickets.pass_age(request, now=now)

    def given(self, hand_out: Callable[[HttpResponse], None]) -> str:
        response = HttpResponse()
        hand_out(response)
        [morsel] = response.cookies.values()
        return str(morsel.value)

    def test_what_was_handed_out_is_read(self) -> None:
        ticket = Ticket.of(int(time.time() * 1e6))
        assert self.read(tickets.TICKET, self.given(lambda to: tickets.hand_out_ticket(to, ticket)))[0] == ticket

    @pytest.mark.parametrize("value", ["", ".", "1-a", "é" * 10, "9" * 5000, "1-a." + "0" * 32, "-1.", "\x00.1"])
    def test_what_was_not_is_nothing(self, value: str) -> None:
        assert self.read(tickets.TICKET, value)[0] is None
        assert self.read(tickets.PASS, value)[1] is None

    def test_an_old_one_does_not_overtake(self) -> None:
        old = Ticket.of(int((time.time() - tickets.TICKET_SECONDS - 1) * 1e6))
        assert self.read(tickets.TICKET, self.given(lambda to: tickets.hand_out_ticket(to, old)))[0] is None

    def test_a_ticket_is_no_pass_and_a_pass_no_ticket(self) -> None:
        ticket = Ticket.of(int(time.time() * 1e6))
        assert self.read(tickets.PASS, self.given(lambda to: tickets.hand_out_ticket(to, ticket)))[1] is None
        entry = self.given(lambda to: tickets.hand_out_pass(to, now=time.time()))
        assert self.read(tickets.TICKET, entry)[0] is None

    def test_a_former_secret_still_counts_and_a_foreign_one_does_not(self, settings: Any) -> None:
        entry = self.given(lambda to: tickets.hand_out_pass(to, now=time.time()))
        former, settings.SECRET_KEY = settings.SECRET_KEY, "another" * 10
        assert self.read(tickets.PASS, entry)[1] is None
        settings.SECRET_KEY_FALLBACKS = [former]
        assert self.read(tickets.PASS, entry)[1] is not None


class TestWaitingRoom:
    def test_sec_34_only_its_own_style_and_script_run(self) -> None:
        response = Door().ask(waited=SLOW)
        text = response.content.decode()
        policy = response["Content-Security-Policy"]
        for tag in ("style", "script"):
            [inside] = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
            hashed = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
            assert f"{tag}-src 'sha256-{hashed}'" in policy
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert not re.search(r"\son\w+=|style=", text)
        assert re.findall(r'(?:src|href)="([^"]*)"', text) == ["data:,"], "nothing more is asked for"
        assert len(response.content) < 14_000, "one round trip of a fresh connection"

    def test_it_opens_by_itself_also_without_script(self) -> None:
        response = Door().ask(waited=SLOW)
        assert f'content="{response["Retry-After"]}"' in response.content.decode()
        assert "Location" not in response

    def test_it_speaks_the_callers_language(self, settings: Any) -> None:
        settings.LANGUAGES = [("en", "English"), ("ar", "Arabic")]
        text = Door(HTTP_ACCEPT_LANGUAGE="ar").ask(waited=SLOW).content.decode()
        assert '<html lang="ar" dir="rtl">' in text

    def test_the_script_learns_the_place_and_is_let_in(self) -> None:
        door = Door()
        door.ask(waited=SLOW)
        answer = json.loads(door.ask(page.ADDRESS).content)
        assert set(answer) == {"open", "people", "time", "after"}
        assert answer["people"] == "You are next."
        deadline = time.monotonic() + 60
        while not (answer := json.loads(door.ask(page.ADDRESS).content))["open"]:
            assert time.monotonic() < deadline
        assert door.ask("/webinars/7/").status_code == 200
        assert door.served == ["/webinars/7/"]

    @pytest.mark.parametrize(
        ("ahead", "people"),
        [(0, "You are next."), (1, "1 person is ahead of you."), (19, "19 people are ahead of you."),
         (144, "140 people are ahead of you."), (1_234, "1200 people are ahead of you.")],
    )  # fmt: skip
    def test_numbers_are_as_exact_as_they_stay(self, ahead: int, people: str) -> None:
        assert page.words_for_people(ahead) == people

    @pytest.mark.parametrize(
        ("seconds", "text"),
        [(0, "Less than a minute"), (44, "Less than a minute"), (60, "About 1 minute"), (100, "About 2 minutes"),
         (600, "About 10 minutes"), (9_999, "More than an hour")],
    )  # fmt: skip
    def test_the_wait_is_said_in_minutes(self, seconds: float, text: str) -> None:
        assert page.words_for_time(seconds) == text
