"""Virtual doctors and moderators: each thing they do has a token of its own, and stands in the journal.

Players and followers hold sockets through the balancer; actors ask by HTTP. Nobody knows what is being broken.
"""

import asyncio
import contextlib
import json
import random
from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import urlencode
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, WebSocketException
from websockets.typing import Origin

from tests.faults.asking import CSRF, PATIENCE, Answer, LostError, NotSentError, Request, ask
from tests.faults.followers import Follower
from tests.faults.journal import Journal, Outcome
from tests.faults.players import Player
from tests.faults.world import ORIGIN

PAUSE = (0.1, 0.6)  # seconds between two things that one person does
AGAIN = 0.5  # how often somebody sends once more what got no answer, as a browser does
HTTP_FIRST = 2000  # beats by HTTP cover the seconds from here, those by socket the ones before


def token(*parts: object) -> str:
    return ":".join(map(str, parts))


@dataclass
class Watcher(Player):
    """A player whose beats stand in the journal."""

    beat_seconds: ClassVar[float] = 0.4

    journal: Journal = field(kw_only=True)
    open: dict[int, int] = field(default_factory=dict)

    def said(self, number: int) -> None:
        who = self.viewer["user"]
        self.open[number] = self.journal.invoke("beat", token(who, number), who=who)

    def answered(self, number: int, refusal: str = "") -> None:
        if (line := self.open.pop(number, None)) is not None:
            outcome = Outcome.FAILED if refusal else Outcome.OK
            self.journal.end(line, outcome, kind="beat", why=refusal)


@dataclass
class Listener(Follower):
    journal: Journal = field(kw_only=True)

    def listened(self, number: int) -> None:
        self.journal.hear(self.viewer["user"], number)


@dataclass
class Actor(ABC):
    """Does one thing after the other. `done` counts what was answered with yes."""

    journal: Journal
    port: int
    world: dict[str, Any]
    rng: random.Random
    done: int = 0
    complaints: list[str] = field(default_factory=list)
    is_ending: bool = False

    async def run(self) -> None:
        while not self.is_ending:
            await self.act()
            await asyncio.sleep(self.rng.uniform(*PAUSE))

    @abstractmethod
    async def act(self) -> None: ...

    async def attempt(
        self, kind: str, name: str, who: int, request: Request, *, effect: int = 1, repeatable: bool = False
    ) -> Answer | None:
        """The answer, when there was a yes. Each try is an operation of its own: a lost one may still be done later."""
        for tries in (1, 0):
            line = self.journal.invoke(kind, name, who=who, effect=effect)
            outcome, why, answer = await self._once(request)
            self.journal.end(line, outcome, kind=kind, why=why)
            if outcome is Outcome.OK:
                self.done += 1
                return answer
            if not (tries and repeatable and outcome is Outcome.UNKNOWN and self.rng.random() < AGAIN):
                break
            await asyncio.sleep(self.rng.uniform(0.2, 1.0))
        return None

    async def _once(self, request: Request) -> tuple[Outcome, str, Answer | None]:
        try:
            answer = await ask(self.port, request)
        except NotSentError as error:
            return Outcome.FAILED, str(error), None
        except LostError as error:
            return Outcome.UNKNOWN, str(error), None
        if answer.status >= 500:  # a COMMIT whose answer was lost ends in a 500 as well
            return Outcome.UNKNOWN, str(answer.status), answer
        said_yes = answer.status == 302 if request.is_form else answer.status in {200, 201, 204}
        return (Outcome.OK if said_yes else Outcome.FAILED), str(answer.status), answer

    def api(self, webinar: str, rest: str) -> str:
        return f"/api/v1/webinars/{self.world[webinar]}/{rest}/"


@dataclass
class Doctor(Actor):
    """Acts in the name of one person after the other: what a person can do once is never used up by one."""

    people: list[dict[str, Any]] = field(default_factory=list)
    voted: set[str] = field(default_factory=set)
    seconds: dict[int, int] = field(default_factory=dict)

    async def act(self) -> None:
        person = self.rng.choice(self.people)
        work = self.rng.choices(
            [self.beat, self.open, self.ask, self.vote, self.poll, self.place, self.complete, self.knock],
            [3, 2, 4, 4, 2, 3, 2, 2],
        )[0]
        await work(person, f"sessionid={person['cookie']}")

    async def beat(self, person: dict[str, Any], cookie: str) -> None:
        user = person["user"]
        second = self.seconds[user] = self.seconds.get(user, HTTP_FIRST - 1) + 1
        beat = {"n": second, "s": [[second, second + 1]], "p": second + 1}
        body = {"session": person["session"], "beats": [beat]}
        request = Request("POST", self.api("webinar", "beats"), body, cookie)
        await self.attempt("beat", token(user, second), user, request, repeatable=True)

    async def open(self, person: dict[str, Any], cookie: str) -> None:
        """How many a person has opened is counted: the token comes from the server, if at all."""
        request = Request("POST", self.api("webinar", "play-sessions"), {}, cookie)
        await self.attempt("session", token(person["user"]), person["user"], request)

    async def ask(self, person: dict[str, Any], cookie: str) -> None:
        """One in six is empty: what is refused has to stay out as surely as what is taken has to stay in."""
        key = str(uuid4())
        body = {"text": "" if self.rng.random() < 1 / 6 else f"Is {key} safe?", "client_key": key}
        request = Request("POST", self.api("live", "questions"), body, cookie)
        await self.attempt("question", key, person["user"], request, repeatable=True)

    async def vote(self, person: dict[str, Any], cookie: str) -> None:
        """Given, or taken back where it was given."""
        question = self.rng.choice(self.world["voted"])
        name = token(question, person["user"])
        gives = name not in self.voted
        request = Request("POST" if gives else "DELETE", self.api("live", f"questions/{question}/votes"), None, cookie)
        if await self.attempt("vote", name, person["user"], request, effect=int(gives), repeatable=True):
            (self.voted.add if gives else self.voted.discard)(name)

    async def poll(self, person: dict[str, Any], cookie: str) -> None:
        choice = person["user"] % 2 + 1
        path = self.api("live", f"polls/{self.world['poll']}/vote")
        request = Request("PUT", path, {"choices": [choice]}, cookie)
        await self.attempt("poll", token(person["user"], choice), person["user"], request, repeatable=True)

    async def place(self, person: dict[str, Any], cookie: str) -> None:
        """There are half as many places as people; one in three gives it back."""
        takes = self.rng.random() < 2 / 3
        request = Request("POST" if takes else "DELETE", self.api("scarce", "registration"), {}, cookie)
        await self.attempt("place", token(person["user"]), person["user"], request, effect=int(takes), repeatable=True)

    async def complete(self, person: dict[str, Any], cookie: str) -> None:
        """All of a short recording at once: the worker, or its sweep, completes the lesson."""
        beat = {"n": 1, "s": [[0, 20]], "p": 20}
        request = Request("POST", self.api("short", "beats"), {"session": person["short"], "beats": [beat]}, cookie)
        name = token(person["user"])
        answer = await self.attempt("lesson", name, person["user"], request, repeatable=True)
        if answer and not answer.json()["done"]:
            self.complaints.append(f"lesson {name}: all of it was acknowledged, and it is not done")

    async def knock(self, _person: dict[str, Any], _cookie: str) -> None:
        """At the door, as somebody whom nobody knows."""
        email = f"door-{uuid4().hex}@example.org"
        fields = {
            "csrfmiddlewaretoken": CSRF,
            "first_name": "Asha",
            "last_name": email[5:17],
            "email": email,
            "country": "KE",
            "medical_council": "KMPDC",
            "registration_number": email[5:25],
            "timezone": "",
            "website": "",
        }
        request = Request("POST", f"/door/{self.world['door']['slug']}/", urlencode(fields), is_form=True)
        await self.attempt("door", email, 0, request, repeatable=True)


@dataclass
class Moderator(Actor):
    """Announces, publishes and takes back. Its announcements are what the followers of the room hear most."""

    person: dict[str, Any] = field(default_factory=dict)

    async def act(self) -> None:
        if self.rng.random() < 0.7:
            await self.announce()
        else:
            await self.move()

    @property
    def cookie(self) -> str:
        return f"sessionid={self.person['cookie']}"

    async def announce(self) -> None:
        key = str(uuid4())
        body = {"text": f"Announcement {key}", "client_key": key}
        request = Request("POST", self.api("live", "desk/announcements"), body, self.cookie)
        await self.attempt("announcement", key, self.person["user"], request, repeatable=True)

    async def move(self) -> None:
        """Two moderators have questions of their own, so each move follows the one before it."""
        user = self.person["user"]
        mine = [one for one in self.world["moved"] if one % 2 == self.world["moderators"].index(self.person)]
        question = self.rng.choice(mine)
        try:
            answer = await ask(self.port, Request("GET", self.api("live", "desk/questions"), None, self.cookie))
        except (NotSentError, LostError):
            return
        if answer.status != 200:
            return
        found = next((one for one in answer.json()["results"] if one["id"] == question), None)
        if found is None:  # on another page of the queue
            return
        publishes = found["state"] != "published"
        path = self.api("live", f"desk/questions/{question}/{'publish' if publishes else 'unpublish'}")
        request = Request("POST", path, {"version": found["version"]}, self.cookie)
        await self.attempt("move", token(question), user, request, effect=int(publishes))


# People of each honest actor who wait until it is sent to a replica: a slow run must not have used them all by then.
KEPT = 6


@dataclass
class Honest(Actor):
    """Opens the player anew and watches at double speed, no faster: every second that is said to be seen was played.

    Each time as another person: somebody who has watched before has time to spare.
    """

    people: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 7.0  # at double speed more than the slack that everybody has
    opens_at: int = 0  # the port of one replica, instead of the balancer's
    watches_at: int = 0
    watched: Counter[int] = field(default_factory=Counter)  # to the end, by both ports

    async def act(self) -> None:
        is_sent = bool(self.opens_at or self.watches_at)
        if len(self.people) <= (0 if is_sent else KEPT):
            await asyncio.sleep(1)
            return
        person, ports = self.people.pop(), (self.opens_at or self.port, self.watches_at or self.port)
        cookie = f"sessionid={person['cookie']}"
        try:
            opened = await ask(ports[0], Request("POST", self.api("fresh", "play-sessions"), {}, cookie))
        except (NotSentError, LostError):
            return
        if opened.status != 201:
            return
        with contextlib.suppress(OSError, EOFError, TimeoutError, WebSocketException, InvalidHandshake):
            async with self._socket(ports[1], cookie) as line:
                await line.send(json.dumps({"t": "hello", "session": opened.json()["session"]}))
                await self._watch(person["user"], line)
                self.watched.update(ports)

    def _socket(self, port: int, cookie: str) -> connect:
        """Opened by one web replica, watched by a realtime one: they need not agree on the time."""
        return connect(
            f"ws://127.0.0.1:{port}/ws/webinars/{self.world['fresh']}/",
            origin=Origin(ORIGIN),
            additional_headers={"Cookie": cookie},
            compression=None,
            open_timeout=10,
            close_timeout=1,
        )

    async def _watch(self, user: int, line: ClientConnection) -> None:
        began, seen = asyncio.get_running_loop().time(), 0
        while seen < self.seconds * 2 and not self.is_ending:
            await asyncio.sleep(0.5)
            until = int((asyncio.get_running_loop().time() - began) * 2)
            for second in range(seen, until):
                await self._second(user, line, second)
            seen = until

    async def _second(self, user: int, line: ClientConnection, second: int) -> None:
        entry = self.journal.invoke("honest", token(user, second), who=user)
        outcome, why = Outcome.UNKNOWN, "lost"
        try:
            async with asyncio.timeout(PATIENCE):
                await line.send(json.dumps({"t": "beat", "n": second, "s": [[second, second + 1]], "p": second + 1}))
                while outcome is Outcome.UNKNOWN:
                    frame = json.loads(await line.recv())
                    if second in frame.get("n", ()) and frame["t"] in {"ack", "refused"}:
                        outcome = Outcome.OK if frame["t"] == "ack" else Outcome.FAILED
                        why = frame.get("reason", "")
                    elif frame["t"] in {"bye", "retry"}:  # it gives up where a player would send again
                        raise EOFError(frame["t"])
        finally:
            self.journal.end(entry, outcome, kind="honest", why=why)
