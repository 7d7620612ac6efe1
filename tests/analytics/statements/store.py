"""A learning record store on this machine: takes a batch whole or not at all, and knows statements by their ids."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.test import override_settings

from lms.environment import Environment
from lms.xapi import xapi
from tests.analytics.statements.conformance import problems_of
from tests.reminders.transports.servers import Answer, Request, Sink, running

KEY, SECRET = "lrs-key", "5ec2e7-lrs"
HOME = "https://learn.example.org"


@dataclass
class RecordStore:
    """`unwanted`: ids it does not want; `broken`: ids over which it falls. `taken`: by id, as first told."""

    taken: dict[str, dict[str, Any]] = field(default_factory=dict)
    unwanted: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    tellings: list[list[str]] = field(default_factory=list)
    sink: Sink | None = None

    def respond(self, request: Request) -> Answer:
        expected = "Basic " + base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
        if request.headers.get("authorization") != expected:
            return 401, {}, b""
        if request.headers.get("x-experience-api-version") != "1.0.3":
            return 400, {}, b"X-Experience-API-Version is missing"
        if request.method == "GET":
            return 200, {"Content-Type": "application/json"}, b'{"statements": [], "more": ""}'
        return self._post(json.loads(request.body))

    def _post(self, batch: list[dict[str, Any]]) -> Answer:
        ids = [one["id"] for one in batch]
        self.tellings.append(ids)
        if self.broken & set(ids):
            return 500, {}, b"NullPointerException"
        problems = [problem for one in batch for problem in problems_of(one)]
        self.problems += problems
        if problems or self.unwanted & set(ids) or len(set(ids)) < len(ids):
            return 400, {}, b"Statement rejected\x00"
        if any(one["id"] in self.taken and self.taken[one["id"]] != one for one in batch):
            return 409, {}, b"Statement conflict"
        self.taken |= {one["id"]: one for one in batch}
        return 200, {"Content-Type": "application/json"}, json.dumps(ids).encode()

    def said(self) -> list[tuple[str, str]]:
        """Verb and object, in the order of their arrival."""
        return [
            (one["verb"]["id"].rpartition("/")[2], one["object"]["id"].removeprefix(f"{HOME}/xapi/"))
            for one in self.taken.values()
        ]


def settings_for(url: str, **more: str) -> dict[str, Any]:
    values = {"XAPI_URL": url, "XAPI_KEY": KEY, "XAPI_SECRET": SECRET, "XAPI_HOME_PAGE": HOME} | more
    env = Environment(values)
    found = xapi(env, site_url="https://elsewhere.example", production=False)
    assert env.problems == []
    return found


@contextmanager
def record_store(**more: str) -> Iterator[RecordStore]:
    store = RecordStore()
    with running(store.respond) as sink:
        store.sink = sink
        with override_settings(XAPI=settings_for(f"{sink.url}/xapi", **more)):
            yield store
