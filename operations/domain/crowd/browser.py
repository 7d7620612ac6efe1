"""One doctor's browser: cookies, a kept connection, and what a browser does with each kind of answer."""

import asyncio
import functools
import gc
import json
import random
import re
import ssl
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from operations.domain.crowd.ledger import Ledger
from operations.domain.crowd.lines import Answer, Connection, LostError, NotSentError, Route, Socket, handshake, request
from operations.domain.crowd.plan import CrowdError, CrowdPlan, Member, Place, place_of

TRIES = 5
MOST_RETRY_AFTER = 60.0
CONFLICT, BUSY = 409, 503
_SCRIPT = re.compile(r'<script id="([a-z-]+)" type="application/json">(.*?)</script>', re.DOTALL)
_FILE = re.compile(r'(?:src|href)="(/static/[^"#?]+)')
_FORM_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class GaveUpError(Exception):
    """It was tried as often as a person would; every attempt is in the ledger.

    `is_uncertain`: an attempt without an answer, or with a server error, may have come through all the same.
    """

    def __init__(self, what: str, *, is_uncertain: bool = False) -> None:
        super().__init__(what)
        self.is_uncertain = is_uncertain


class RefusedError(GaveUpError):
    """The site's answer is final: a 4xx."""

    def __init__(self, status: int, *, is_uncertain: bool) -> None:
        super().__init__(str(status), is_uncertain=is_uncertain)
        self.status = status


class Page:
    """What a browser finds in the HTML."""

    def __init__(self, html: str) -> None:
        self.settings: dict[str, Any] = {name: json.loads(text) for name, text in _SCRIPT.findall(html)}
        self.files = sorted(set(_FILE.findall(html)))
        token = _FORM_TOKEN.search(html)
        self.form_token = token[1] if token else ""


class Backoff:
    """static/js/player/backoff.js: full jitter below a limit that doubles."""

    def __init__(self, draw: random.Random, *, base: float = 1.0, most: float = 30.0) -> None:
        self.draw, self.base, self.most, self.attempts = draw, base, most, 0

    def next(self) -> float:
        limit: float = min(self.most, self.base * 2.0 ** min(self.attempts, 30))
        self.attempts += 1
        return self.draw.random() * limit

    def reset(self) -> None:
        self.attempts = 0


class Browser:
    def __init__(self, plan: CrowdPlan, member: Member, ledger: Ledger, draw: random.Random, *, address: str) -> None:
        self.plan, self.member, self.ledger, self.draw = plan, member, ledger, draw
        self.site = place_of(plan.base_url, plan.allowed_hosts)
        self.address = address
        self.cookies: dict[str, tuple[str, str]] = {}
        if member.session_key:
            self.cookies["sessionid"] = (member.session_key, "/")
        self.lines: dict[Place, list[Connection]] = {}
        self.csrf = ""

    # Requests

    async def get(self, name: str, path: str, *, accept: str = "text/html") -> Answer:
        return await self.ask(name, "GET", path, headers={"Accept": accept})

    async def send(self, name: str, method: str, path: str, body: Mapping[str, Any], *, late: str = "") -> Any:
        """As static/js/player/wire.js. The decoded answer, {} for none."""
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "X-CSRFToken": self.csrf,
            "Origin": self.site.origin,
            "Referer": self.site.origin + "/",
        }
        answer = await self.ask(name, method, path, headers=headers, body=json.dumps(body).encode(), late=late)
        return json.loads(answer.text) if answer.body else {}

    async def submit(self, name: str, path: str, fields: Mapping[str, str], *, tries: int = TRIES) -> Answer:
        """A form; a redirect is an answer."""
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": self.site.origin,
            "Referer": self.site.origin + path,
        }
        return await self.ask(name, "POST", path, headers=headers, body=urlencode(fields).encode(), tries=tries)

    async def ask(
        self,
        name: str,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        tries: int = TRIES,
        late: str = "",
    ) -> Answer:
        """Until it is answered, as often as a browser or its owner would try. Every attempt is counted.

        `late` is what a refusal with 409 counts as, where a person may simply be too late: no error.
        503 with Retry-After is obeyed, as often as it comes: the doctor waits, within the bounds of the whole visit.
        """
        loop, backoff, is_uncertain = asyncio.get_running_loop(), Backoff(self.draw), False
        while tries > 0:
            began = loop.time()
            try:
                answer = await self._exchange(method, url, headers, body)
            except NotSentError as error:
                self.ledger.failed(name, str(error).partition(":")[0], str(error))
            except LostError as error:
                is_uncertain = True
                if method == "GET":
                    self.ledger.failed(name, str(error).partition(":")[0], url)
                else:
                    self.ledger.unknown(name, str(error))
            else:
                if answer.status == BUSY and "retry-after" in answer.headers:
                    self.ledger.shed(name)
                    await asyncio.sleep(retry_after(answer.headers["retry-after"], self.draw))
                    continue
                if answer.status < 400:
                    self.ledger.ok(name, loop.time() - began)
                    return answer
                if late and answer.status == CONFLICT:
                    self.ledger.ok(late, loop.time() - began)
                    raise RefusedError(CONFLICT, is_uncertain=is_uncertain)
                self.ledger.failed(name, str(answer.status), f"{url} {answer.body[:200]!r}")
                if answer.status < 500 and answer.status not in {408, 429}:
                    raise RefusedError(answer.status, is_uncertain=is_uncertain)
                is_uncertain = is_uncertain or answer.status >= 500
            tries -= 1
            if tries:
                await asyncio.sleep(0.5 + backoff.next())
        raise GaveUpError(name, is_uncertain=is_uncertain)

    async def _exchange(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        place, path = self._whereto(url)
        cookies = self._cookies_for(path, place)
        text = request(method, path, host=_host(place), cookies=cookies, headers=headers, body=body)
        kept = self.lines[place] = [line for line in self.lines.get(place, ()) if line.is_open]
        free = next((line for line in kept if not line.is_busy), None)
        if free is not None:
            try:
                return self._keep_cookies(await free.ask(text, self.plan.timeout_seconds))
            except NotSentError:  # the server had closed it meanwhile: a fresh one, at once
                pass
        fresh = await self._route(place).connect(Connection, self.plan.timeout_seconds)
        self.lines[place].append(fresh)
        return self._keep_cookies(await fresh.ask(text, self.plan.timeout_seconds))

    def _whereto(self, url: str) -> tuple[Place, str]:
        parts = urlsplit(url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        if not parts.scheme:
            base = self.plan.media_base if parts.path.startswith("/media/") else ""
            return (place_of(base, self.plan.allowed_hosts) if base else self.site), path
        try:
            return place_of(url, self.plan.allowed_hosts), path
        except CrowdError as error:
            raise NotSentError(f"not allowed: {parts.hostname}") from error

    def _route(self, place: Place) -> Route:
        return Route(place, self.address, _tls() if place.is_secure else None)

    # Cookies

    def _cookies_for(self, path: str, place: Place) -> str:
        if place != self.site and not self.plan.media_base:
            return ""
        return "; ".join(f"{name}={value}" for name, (value, scope) in self.cookies.items() if path.startswith(scope))

    def _keep_cookies(self, answer: Answer) -> Answer:
        for line in answer.cookies:
            pair, *attributes = line.split(";")
            name, _, value = pair.partition("=")
            scope = "/"
            for attribute in attributes:
                key, _, given = attribute.strip().partition("=")
                if key.lower() == "path":
                    scope = given
            self.cookies[name.strip()] = (value.strip(), scope)
        return answer

    # The page's socket

    async def open_socket(self, path: str, **heard: Any) -> Socket:
        """Raises NotSentError; whether the server let it in, `opened` says."""
        text = handshake(
            path, host=_host(self.site), origin=self.site.origin, cookies=self._cookies_for(path, self.site)
        )
        socket = await self._route(self.site).connect(lambda: Socket(text, **heard), self.plan.timeout_seconds)
        try:
            async with asyncio.timeout(self.plan.timeout_seconds):
                await asyncio.shield(socket.opened)
        except TimeoutError as error:
            socket.close()
            raise NotSentError("handshake: timeout") from error
        return socket

    # Pages

    async def open_page(self, path: str) -> Page:
        answer = await self.get("page", path)
        page = Page(answer.text)
        token = page.settings.get("page-config", {}).get("csrf")
        self.csrf = token or self.csrf
        return page

    async def fetch_files(self, files: Collection[str]) -> None:
        for path in files:
            await self.get("static", path, accept="*/*")

    def close(self) -> None:
        for kept in self.lines.values():
            for line in kept:
                line.close()
        self.lines.clear()


def retry_after(value: str, draw: random.Random) -> float:
    """Seconds; a little later than asked for, so that those who were told the same do not come back together."""
    try:
        seconds = float(value)
    except ValueError:  # a date: the site never sends one
        seconds = 5.0
    return min(MOST_RETRY_AFTER, max(0.5, seconds)) * (1 + draw.random() / 4)


def absolute(base: str, reference: str) -> str:
    return urljoin(base, reference)


@functools.cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _host(place: Place) -> str:
    return urlsplit(place.origin).netloc


def prefer_throughput() -> None:
    """A generator of many small objects: the collector's default would take a tenth of its time."""
    gc.set_threshold(50_000, 50, 50)
