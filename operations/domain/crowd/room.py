"""A doctor's line to the room, as static/js/line.js and static/js/live/room.js: the socket, or polling without one.

It carries beats up, keeps them until they are acknowledged, and says them again on a new line.
"""

import asyncio
import json
import random
import time
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from operations.domain.crowd.browser import Backoff, Browser, GaveUpError, RefusedError, retry_after
from operations.domain.crowd.lines import SWITCHING, NotSentError, Socket

WELCOME_SECONDS = 8.0
ACK_SECONDS = 12.0
RESTARTING, TRY_AGAIN = 1012, 1013
FINAL = {4401: "signed out", 4403: "no place"}
Beat = tuple[int, list[tuple[float, float]], float]  # number, spans, position


@dataclass(slots=True)
class Sent:
    beat: Beat
    session: str
    phase: str
    first: float  # when it was first said
    last: float


@dataclass(slots=True)
class Heard:
    """What the doctor knows of the room."""

    number: int
    state: str = ""
    people: int = 0
    may_ask: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)  # the page has to be fetched anew
    polls: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)


class Room:
    def __init__(self, browser: Browser, settings: dict[str, Any], draw: random.Random, *, polls: bool) -> None:
        self.browser, self.ledger, self.draw, self.polls = browser, browser.ledger, draw, polls
        self.urls: dict[str, str] = settings["urls"]
        self.heard = Heard(number=settings["number"], state=settings["state"])
        self.beats_url = f"/api/v1/webinars/{settings['webinar']}/beats/"
        self.session = self.phase = ""
        self.unacked: dict[int, Sent] = {}
        self.entered = asyncio.Event()
        self.welcome = asyncio.Event()
        self.over = ""  # why nothing more can be heard
        self.is_counted = False
        self._socket: Socket | None = None
        self._greeted = 0.0
        self._task: asyncio.Task[None] | None = None
        self._silence: asyncio.TimerHandle | None = None

    def show_polls(self, polls: list[dict[str, Any]]) -> None:
        """Those that stood open when the page came."""
        for poll in polls:
            if poll["state"] == "open" and poll["mine"] is None:
                self.heard.polls.put_nowait(poll)

    def start(self) -> None:
        self._task = asyncio.create_task(self._poll() if self.polls else self._stay())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._drop()

    def greet(self, session: str, phase: str) -> None:
        self.session, self.phase = session, phase
        self.welcome.clear()
        if self.polls:
            self.welcome.set()
        elif self._socket is not None and self._socket.is_open:
            self._hello(self._socket)

    # The socket

    async def _stay(self) -> None:
        backoff = Backoff(self.draw)
        while not self.over:
            lost: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            if await self._connect(lost):
                code = await lost
                self._note_loss(code)
                if code not in {RESTARTING, TRY_AGAIN}:
                    backoff.reset()
            self._drop()
            await asyncio.sleep(backoff.next())

    async def _connect(self, lost: "asyncio.Future[int]") -> bool:
        began = asyncio.get_running_loop().time()
        try:
            socket = await self.browser.open_socket(self.urls["socket"], heard=self._receive, lost=partial(_tell, lost))
        except NotSentError as error:
            self.ledger.failed("socket", str(error).partition(":")[0], str(error))
            return False
        status = socket.opened.result()
        if status != SWITCHING:
            if status == 503 and socket.retry_after:
                self.ledger.shed("socket")
                await asyncio.sleep(retry_after(socket.retry_after, self.draw))
            else:
                self.ledger.failed("socket", str(status or "closed"))
            return False
        self._socket, self._greeted = socket, began
        self._count(1)
        socket.say(b'{"t":"room","since":%d}' % self.heard.number)
        if self.session:
            self._hello(socket)
        self._silence = asyncio.get_running_loop().call_later(WELCOME_SECONDS, self._silent, "no room")
        return True

    def _hello(self, socket: Socket) -> None:
        self._greeted = asyncio.get_running_loop().time()
        socket.say(b'{"t":"hello","session":"%s"}' % self.session.encode())

    def _note_loss(self, code: int) -> None:
        if code in FINAL:
            self.over = FINAL[code]
        if code in {RESTARTING, TRY_AGAIN}:
            self.ledger.shed("socket")
        elif code:
            self.ledger.failed("socket", f"lost {code}")

    def _silent(self, why: str) -> None:
        if self._socket is not None:
            self.ledger.failed("socket", why)
            self._socket.close()

    def _drop(self) -> None:
        if self._silence is not None:
            self._silence.cancel()
        if self._socket is not None:
            self._socket.close()
            self._socket = None
            self._count(-1)

    def _count(self, step: int) -> None:
        if (step > 0) != self.is_counted:
            self.is_counted = step > 0
            (self.ledger.entered if step > 0 else self.ledger.left)()

    def _receive(self, text: bytes) -> None:
        frame = json.loads(text)
        kind = frame["t"]
        if kind == "ack":
            self._acked(frame["n"])
        elif kind == "presence":
            self.heard.people = frame["people"]
        elif kind == "event":
            self._happened(frame)
        elif kind == "room_state":
            self._stands(frame)
        elif kind == "welcome":
            self._welcomed()
        elif kind == "refused":
            self._refused(frame)
        elif kind == "retry":
            asyncio.get_running_loop().call_later(frame["after"], self._resend, frame["n"])
        elif kind == "bye" and frame["reason"] != "restarting":
            self.over = frame["reason"]
        elif kind == "reload":
            self.heard.changed.set()

    def _welcomed(self) -> None:
        self.welcome.set()
        self._resend(list(self.unacked))

    def _stands(self, frame: dict[str, Any]) -> None:
        if self._silence is not None:
            self._silence.cancel()
        if not self.polls and not self.entered.is_set():
            self.ledger.ok("socket", asyncio.get_running_loop().time() - self._greeted)
        heard = self.heard
        heard.people, heard.may_ask = frame["people"], frame["may"]["ask"]
        self._is(frame["state"])
        self.entered.set()

    def _is(self, state: str) -> None:
        if state != self.heard.state:
            self.heard.state = state
            self.heard.changed.set()

    def _happened(self, frame: dict[str, Any]) -> None:
        heard = self.heard
        if frame["number"] <= heard.number:
            return
        heard.number = frame["number"]
        if self.entered.is_set():
            self.ledger.ok("event", max(0.0, time.time() - datetime.fromisoformat(frame["at"]).timestamp()))
        kind, data = frame["kind"], frame["data"]
        if kind == "state":
            self._is(data["state"])
        elif kind == "poll" and data["state"] == "open":
            heard.polls.put_nowait(data)

    # Beats

    async def beat(self, beat: Beat) -> None:
        """Said now, on the line that stands; without one it waits for the next.

        In milliseconds, as browsers say it: the journal must round to the same whole seconds as the site does.
        """
        number, spans, position = beat
        beat = (number, [(round(start, 3), round(end, 3)) for start, end in spans], round(position, 3))
        now = asyncio.get_running_loop().time()
        self.unacked[beat[0]] = Sent(beat, self.session, self.phase, now, now)
        if self.polls:
            await self.post()
        elif self._socket is not None and self.welcome.is_set():
            self._say(beat)
        oldest = min((one.last for one in self.unacked.values()), default=now)
        if now - oldest > ACK_SECONDS and self._socket is not None and self.welcome.is_set():
            self._silent("no ack")

    def _say(self, beat: Beat) -> None:
        if self._socket is not None:
            number, spans, position = beat
            parts = ",".join(f"[{start:.3f},{end:.3f}]" for start, end in spans)
            self._socket.say(f'{{"t":"beat","n":{number},"s":[{parts}],"p":{position:.3f}}}'.encode())

    def _resend(self, numbers: list[int]) -> None:
        now = asyncio.get_running_loop().time()
        for number in numbers:
            sent = self.unacked.get(number)
            if sent is not None and sent.session == self.session and self.welcome.is_set():
                sent.last = now
                self._say(sent.beat)

    def _acked(self, numbers: list[int]) -> None:
        now = asyncio.get_running_loop().time()
        for number in numbers:
            sent = self.unacked.pop(number, None)
            if sent is not None:
                self.ledger.ok("beat_ack", now - sent.first)
                for start, end in sent.beat[1]:
                    self.ledger.note("beat", self.browser.member.user_id, sent.phase, start, end)

    def _refused(self, frame: dict[str, Any]) -> None:
        for number in frame["n"]:
            self.unacked.pop(number, None)
        self.ledger.failed("beat_ack", frame["reason"])

    async def post(self) -> None:
        """All that wait, as an open page without a socket sends them, and one that is being left."""
        waiting = [one for one in self.unacked.values() if one.session == self.session]
        if not waiting:
            return
        beats = [{"n": number, "s": spans, "p": position} for number, spans, position in (one.beat for one in waiting)]
        try:
            answer = await self.browser.send(
                "beats_by_http", "POST", self.beats_url, {"session": self.session, "beats": beats}
            )
        except GaveUpError:
            return
        self._acked(answer["acked"])
        for refusal in answer["refused"]:
            self._refused({"n": [refusal["n"]], "reason": refusal["reason"]})

    async def settle(self, seconds: float) -> None:
        """Before the doctor goes: what was said is answered, or counts as unknown."""
        end = asyncio.get_running_loop().time() + seconds
        while self.unacked and asyncio.get_running_loop().time() < end and not self.over:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        for _ in self.unacked:
            self.ledger.unknown("beat_ack", "never acknowledged")
        self.unacked.clear()

    # Asking, where no socket passes

    async def _poll(self) -> None:
        self._count(1)
        try:
            pause = self.draw.random()  # two sockets fail first
            while not self.over:
                await asyncio.sleep(pause)
                pause = await self._ask()
        finally:
            self._count(-1)

    async def _ask(self) -> float:
        try:
            url = f"{self.urls['events']}?since={self.heard.number}"
            found = json.loads((await self.browser.get("poll", url, accept="application/json")).text)
        except RefusedError as error:
            self.over = str(error)
            return 0.0
        except GaveUpError:
            return 3.0
        for event in found["events"]:
            self._happened(event)
        self._stands(found)
        return float(found["again"])


def _tell(lost: "asyncio.Future[int]", code: int) -> None:
    if not lost.done():
        lost.set_result(code)
