"""Request ids, log lines and the caller's address."""

import io
import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory, override_settings

from core.http import client_address, client_address_of_scope
from core.logging import formatter, get_logger
from core.middleware import RequestIdMiddleware
from lms.celery import bind_request_id, send_request_id_and_time

TOKEN = "kZ3vQ9-abcdefghijklmnop"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter(json=True))
    root = logging.getLogger()
    root.addHandler(handler)
    yield stream
    root.removeHandler(handler)
    structlog.contextvars.clear_contextvars()


def parsed(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def ask(path: str = "/programmes/", *, status: int = 200, request_id: str = "") -> Any:
    def view(_request: HttpRequest) -> HttpResponse:
        get_logger("view").info("inside")
        return HttpResponse(status=status)

    return RequestIdMiddleware(view)(
        RequestFactory().get(path, headers={"X-Request-ID": request_id} if request_id else {})
    )


def test_a_request_gets_an_id_that_its_log_lines_carry(lines: io.StringIO) -> None:
    response = ask()
    assert re.fullmatch(r"[0-9a-f]{32}", response["X-Request-ID"])
    inside, request = parsed(lines)
    assert inside["request_id"] == request["request_id"] == response["X-Request-ID"]
    facts = {name: request[name] for name in ("event", "method", "path", "status", "level")}
    assert facts == {"event": "request", "method": "GET", "path": "/programmes/", "status": 200, "level": "info"}


def test_two_requests_on_one_thread_do_not_share_an_id(lines: io.StringIO) -> None:
    assert ask()["X-Request-ID"] != ask()["X-Request-ID"]


@pytest.mark.parametrize("given", ["edge-4f9c2a71", "A" * 64])
def test_a_harmless_id_of_the_caller_is_kept(lines: io.StringIO, given: str) -> None:
    assert ask(request_id=given)["X-Request-ID"] == given


@pytest.mark.parametrize(
    "given", ["short", "A" * 65, "with space in it", "new\nline-is-bad", '{"json":"breaks"}', "-leading-dash"]
)
def test_any_other_id_is_replaced(lines: io.StringIO, given: str) -> None:
    assert re.fullmatch(r"[0-9a-f]{32}", ask(request_id=given)["X-Request-ID"])


def test_an_error_is_logged_as_one(lines: io.StringIO) -> None:
    ask(status=503)
    assert parsed(lines)[-1]["level"] == "error"


@pytest.mark.parametrize("part", ["sign-in/link", "invitation", "disclosures", "m", "u", "calendar"])
def test_tokens_that_open_something_never_reach_the_log(lines: io.StringIO, part: str) -> None:
    ask(f"/{part}/{TOKEN}.ics" if part == "calendar" else f"/{part}/{TOKEN}/")
    assert TOKEN not in lines.getvalue()
    assert parsed(lines)[-1]["path"].rstrip("/") == f"/{part}/[hidden]"


def test_secrets_in_messages_fields_and_tracebacks_never_reach_the_log(lines: io.StringIO) -> None:
    log = get_logger("any")
    log.info("tried", password=TOKEN, detail={"token": TOKEN, "ok": 1}, url=f"redis://:{TOKEN}@host/0")
    logging.getLogger("old.style").warning("GET %s", f"/sign-in/link/{TOKEN}/?next=/")
    try:
        int(f"https://x/y?signature={TOKEN}")
    except ValueError:
        log.exception("failed")
    assert TOKEN not in lines.getvalue()
    assert [line["event"] for line in parsed(lines)] == ["tried", "GET /sign-in/link/[hidden]/?next=/", "failed"]
    assert parsed(lines)[0]["detail"] == {"token": "[hidden]", "ok": 1}


def test_a_task_carries_the_id_of_the_request_that_sent_it() -> None:
    class Task:
        name = "media.tasks.transcode"

        class request:  # noqa: N801  # Celery's own name
            request_id = "edge-4f9c2a71"

    headers: dict[str, Any] = {}
    with structlog.contextvars.bound_contextvars(request_id="edge-4f9c2a71"):
        send_request_id_and_time(headers=headers)
    assert headers["request_id"] == "edge-4f9c2a71"
    bind_request_id(task_id="1", task=Task())
    assert structlog.contextvars.get_contextvars() == {
        "request_id": "edge-4f9c2a71",
        "task": "media.tasks.transcode",
        "task_id": "1",
    }
    structlog.contextvars.clear_contextvars()


@pytest.mark.parametrize(
    ("hops", "forwarded", "expected"),
    [
        (0, "203.0.113.9", "192.0.2.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.66, 203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.66, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (2, "203.0.113.9", "192.0.2.1"),
        (1, "", "192.0.2.1"),
        (1, "not an address", "192.0.2.1"),
        (1, "::ffff:203.0.113.9", "203.0.113.9"),
        (1, "2001:DB8::1", "2001:db8::1"),
    ],
)
def test_sec_05_the_address_is_the_nth_from_the_right(hops: int, forwarded: str, expected: str) -> None:
    """What stands further left was written by the caller; what is missing makes everybody share one limit."""
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.1", headers={"X-Forwarded-For": forwarded})
    scope = {"client": ("192.0.2.1", 5), "headers": [(b"x-forwarded-for", forwarded.encode())]}
    with override_settings(TRUSTED_PROXIES=hops):
        assert client_address(request) == expected
        assert client_address_of_scope(scope) == expected
