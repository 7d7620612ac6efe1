"""HTTP calls to providers, and what may be concluded from how one ended.

A message that was on its way when the line broke may have been taken. That nothing happened is certain only where no
byte of it can have left, or where the provider answers that it did not take it.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Self

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from core.logging import get_logger
from reminders.transports.base import NOT_REACHED, Outgoing, Refused, Result, Uncertain

log = get_logger("reminders")
CONNECT_SECONDS = 5.0
LANES = 8  # calls at the same time for a chunk: a provider 100 ms away would take 10 messages a second by one
MOST_PATIENCE_SECONDS = 3600.0
SILENT_SECONDS = 60.0  # a provider that answers nothing is left alone for so long
WRONG_CREDENTIALS_SECONDS = 300.0
Auth = tuple[str, str] | Callable[[requests.PreparedRequest], requests.PreparedRequest]


def read_seconds() -> float:
    """How long an answer is waited for."""
    return float(settings.MESSAGES["MESSAGES_TIMEOUT"])


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is what the JSON says; None where there is none."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300

    def get(self, *path: str) -> Any:
        """What stands in the JSON under these names, or None."""
        found = self.body
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        return found


class CallError(Exception):
    """The call did not end with an answer; `result` says what that means for the message in it."""

    def __init__(self, result: Refused | Uncertain) -> None:
        super().__init__(result.why)
        self.result = result


class Caller:
    """One session with a provider: connections are kept for the calls of a chunk, and not longer.

    Redirects are not followed: the addresses of providers come from settings, and from nowhere else.
    """

    def __init__(self, base: str, *, auth: Auth | None = None) -> None:
        self.base = base.rstrip("/")
        self.timeout = (CONNECT_SECONDS, read_seconds())
        self.session = requests.Session()
        self.session.auth = auth
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=LANES, max_retries=0)
        self.session.mount("https://", adapter)
        self.session.mount("http://", adapter)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def call(self, method: str, path: str, **parts: Any) -> Answer:
        """`parts`: params, data, json, as requests takes them. Raises CallError."""
        try:
            response = self.session.request(
                method, self.base + path, timeout=self.timeout, allow_redirects=False, **parts
            )
        except requests.RequestException as problem:
            raise CallError(what_it_means(problem)) from problem
        try:
            body = response.json()
        except ValueError:
            body = None
        return Answer(response.status_code, response.headers, body)


def bearer(token: str) -> Auth:
    """As a function, because a header alone would be replaced by what a .netrc says."""

    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {token}"
        return request

    return sign


def what_it_means(problem: BaseException) -> Refused | Uncertain:
    """Of a failed call. Its own text is not used: it holds the address that was called."""
    if is_unsent(problem):
        return Refused(f"no connection ({type(problem).__name__})", is_temporary=True)
    return Uncertain(f"no answer ({type(problem).__name__})")


def is_unsent(problem: BaseException) -> bool:
    """Whether it is certain that no byte of the request left this machine."""
    if isinstance(problem, requests.exceptions.ConnectTimeout):
        return True
    if not isinstance(problem, requests.exceptions.ConnectionError):
        return isinstance(problem, ValueError)  # an address that cannot be called at all
    reason = problem.args[0] if problem.args else None
    if isinstance(reason, MaxRetryError):
        reason = reason.reason
    if isinstance(reason, NewConnectionError | ConnectTimeoutError):
        return True
    return "CERTIFICATE_VERIFY_FAILED" in str(reason)


def refusal(answer: Answer, *, credentials: str) -> Refused | Uncertain | None:
    """What holds for every provider; None: ask its own codes. `credentials` names the variables they stand in.

    An error of the server (5xx) says nothing about whether the message was taken before it happened.
    """
    if answer.status >= 500:
        return Uncertain(f"HTTP {answer.status}")
    if answer.status == 429:
        return Refused("too many messages (HTTP 429)", is_temporary=True, retry_after=patience(answer.headers))
    if answer.status in {401, 403}:
        return Refused(
            f"credentials refused (HTTP {answer.status}): {credentials}",
            is_temporary=True,
            retry_after=WRONG_CREDENTIALS_SECONDS,
        )
    if answer.status == 408:
        return Refused("the provider was too slow to read (HTTP 408)", is_temporary=True)
    if not 400 <= answer.status < 500:
        return Uncertain(f"HTTP {answer.status}, not understood")
    return None


def problem_of(call: Callable[[], Answer], *, credentials: str) -> str:
    """For `Transport.check`: empty where the provider answers as to somebody it knows."""
    try:
        answer = call()
    except CallError as problem:
        return f"{NOT_REACHED}: {problem.result.why}"
    if answer.status in {401, 403}:
        return f"credentials refused (HTTP {answer.status}): {credentials}"
    return "" if answer.is_good else f"{NOT_REACHED}: HTTP {answer.status}"


def patience(headers: Mapping[str, str]) -> float | None:
    """Seconds of a Retry-After, which is a number or a date."""
    text = headers.get("Retry-After", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
        except (TypeError, ValueError):
            return None
    return min(max(seconds, 0.0), MOST_PATIENCE_SECONDS)


def in_lanes(messages: Sequence[Outgoing], send: Callable[[Outgoing], Result], lanes: int = LANES) -> list[Result]:
    """Each by a call of its own, several at a time; results in the order of the messages.

    A provider that was silent to as many calls in a row as there are lanes is asked no more: what has not left yet may
    be tried again later, while each further try would leave one more message in doubt and hold up the others.
    """
    silent = 0

    def one(message: Outgoing) -> Result:
        nonlocal silent
        if silent >= lanes:
            return Refused("the provider gives no answer", is_temporary=True, retry_after=SILENT_SECONDS)
        try:
            result = send(message)
        except CallError as problem:
            silent += 1
            return problem.result
        except Exception as problem:  # noqa: BLE001  # it may have left: whoever sends must learn that, not fall over
            log.error("message not understood", error=type(problem).__name__)  # noqa: TRY400  # a traceback quotes addresses
            return Uncertain(f"not understood ({type(problem).__name__})")
        silent = 0
        return result

    if len(messages) < 2:
        return [one(message) for message in messages]
    with ThreadPoolExecutor(min(lanes, len(messages)), thread_name_prefix="messages") as pool:
        return list(pool.map(one, messages))
