"""A virtual doctor: comes, signs in, opens the webinar, watches, asks, votes, goes, perhaps comes back.

`join` is measured from the first request of a visit to playing-ready: the pages, the play session, the first playlists
and the first segment through the signed cookie, the socket's welcome and the state of the room; waiting at the door of
a busy site included, waiting for a moderator at the webinar's not. Nobody hesitates before the tap on play, so this is
the steepest surge that many people can make.
"""

import asyncio
import random
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from operations.domain.crowd.browser import CONFLICT, Browser, GaveUpError, Page, RefusedError, absolute
from operations.domain.crowd.door import Door
from operations.domain.crowd.measure import JOIN
from operations.domain.crowd.plan import CrowdPlan, Member
from operations.domain.crowd.room import Room

LIVE = "live"
SETTLE_SECONDS = 15.0
BEHIND_SECONDS = 8.0  # live: what plays is that much older than what is filmed
RENEW_SHARE, RENEW_MOST = 0.6, 240.0  # static/js/player/session.js
SEGMENT_SECONDS = 2.0
PEOPLE_A_SECOND, LONGEST_SPREAD = 100, 8.0  # static/js/live/page.js
JOIN_SECONDS = 60.0  # who does not get as far as playing by then counts as failed


@dataclass(slots=True)
class Showing:
    """What plays, once a play session is open."""

    session: str
    phase: str
    position: float
    length: float  # of what there is; live without end
    renew_in: float
    playlist: str = ""


class Doctor:
    def __init__(self, browser: Browser, plan: CrowdPlan, draw: random.Random) -> None:
        self.browser, self.plan, self.draw = browser, plan, draw
        self.ledger = browser.ledger
        self.does = plan.behaviour
        self.loop = asyncio.get_running_loop()
        self.number = 0  # of the last beat of the session

    async def attend(self, *, due: float, until: float) -> None:
        """All visits of this doctor. `due` is when they wanted to come: a generator that is late makes joins longer."""
        self.until = until
        self.ledger.came()
        try:
            began = await self.get_in(due)
            while self.loop.time() < until and await self._visit(began):
                await asyncio.sleep(self.does.return_seconds * (0.5 + self.draw.random()))
                began = self.loop.time()
        except GaveUpError as error:
            self.ledger.failed(JOIN, f"gave up: {error}")
        finally:
            self.browser.close()

    async def get_in(self, due: float) -> float:
        """Since when they are on their way to playing: for who waits for a person's decision, since that was made."""
        member = self.browser.member
        if member.door:
            await Door(self.browser, self.draw).pass_through(until=self.until + SETTLE_SECONDS)
            return self.loop.time()
        if not member.session_key:
            await self._sign_in(member)
        return due

    async def _sign_in(self, member: Member) -> None:
        path = f"/sign-in/link/{member.link_token}/" if member.link_token else f"/invitation/{member.invitation_token}/"
        answer = await self.browser.get("sign_in", path)
        page = Page(answer.text)
        await self.browser.submit("sign_in", path, {"csrfmiddlewaretoken": page.form_token, "timezone": "Asia/Kolkata"})

    # One visit

    async def _visit(self, began: float) -> bool:
        """Whether the doctor left before the end and wants to come back."""
        if not self.browser.member.door and self.draw.random() < self.does.home_share:
            await self.browser.open_page("/")
        page = await self._open()
        if self.draw.random() < self.does.new_browser_share:
            await self.browser.fetch_files(page.files)
        room = Room(self.browser, page.settings["page-config"], self.draw, polls=self._polls())
        voting = asyncio.create_task(self._vote(room))
        room.show_polls(page.settings.get("room-config", {}).get("polls", []))
        room.start()
        try:
            joining: float | None = began
            while not room.over and self.loop.time() < self.until:
                if "player-config" in page.settings:
                    reason = await self._watch(page, room, joining)
                    joining = None
                    if reason == "left":
                        return self.draw.random() < self.does.return_share
                else:
                    await self._wait(room.heard.changed, self.until - self.loop.time())
                if room.heard.changed.is_set() and self.loop.time() < self.until:
                    room.heard.changed.clear()
                    await asyncio.sleep(self.draw.random() * min(LONGEST_SPREAD, room.heard.people / PEOPLE_A_SECOND))
                    page = await self._open()
            return False
        finally:
            voting.cancel()
            await asyncio.gather(voting, return_exceptions=True)
            await room.stop()

    def _polls(self) -> bool:
        return self.draw.random() < self.does.polling_share

    async def _open(self) -> Page:
        page = await self.browser.open_page(f"/webinars/{self.plan.webinar_id}/")
        if "page-config" not in page.settings:
            self.ledger.failed("page", "no webinar in it")
            raise GaveUpError("page")
        return page

    @staticmethod
    async def _wait(event: asyncio.Event, seconds: float) -> bool:
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await event.wait()
        except TimeoutError:
            return False
        return True

    # Watching

    async def _watch(self, page: Page, room: Room, joining: float | None) -> str:
        """Until the room changes ("changed"), the doctor goes ("left") or all do ("over")."""
        showing = await self._begin(page, room)
        if showing is None:
            await self._wait(room.heard.changed, 5.0)
            return "changed"
        if joining is not None:
            await self._note_join(room, joining)
        renewing = asyncio.create_task(self._renew(showing))
        following = asyncio.create_task(self._follow(showing)) if self.does.follows_media else None
        try:
            reason = await self._beat(showing, room)
        finally:
            for task in (renewing, following):
                if task is not None:
                    task.cancel()
            await asyncio.gather(*(task for task in (renewing, following) if task), return_exceptions=True)
        if reason == "left":
            await room.post()  # the beacon of a page that is closed
        else:
            await room.settle(SETTLE_SECONDS)
        return reason

    async def _begin(self, page: Page, room: Room) -> Showing | None:
        """The tap on play. None when the site says that this phase is over: the page is fetched again."""
        player = page.settings["player-config"]
        self.sessions_url = player["urls"]["sessions"]
        try:
            answer = await self.browser.send("play_session", "POST", self.sessions_url, {"version": player["version"]})
        except RefusedError as error:
            if error.status == CONFLICT:
                return None
            raise
        self.number = 0
        showing = self._shown(answer, player)
        room.greet(showing.session, showing.phase)
        showing.playlist = await self._load(answer.get("live") or player["sources"]["hls"])
        return showing

    def _shown(self, answer: dict[str, Any], player: dict[str, Any]) -> Showing:
        phase, left = answer["phase"], _seconds_until(answer["grant_expires_at"])
        position, length = float(answer["position"]), float(player["duration"])
        if phase == LIVE:
            length = float("inf")
            position = max(0.0, -_seconds_until(answer["epoch"]) - BEHIND_SECONDS)
        renew_in = min(RENEW_MOST, max(1.0, left * RENEW_SHARE))
        return Showing(answer["session"], phase, position, length, renew_in)

    async def _load(self, master_url: str) -> str:
        """As hls.js: the master playlist, the first rendition's, its newest segment. Returns its address."""
        if not master_url:
            return ""
        master = await self.browser.get("playlist", master_url, accept="*/*")
        names = _entries(master.text)
        playlist = absolute(master_url, names[0]) if names else master_url
        segments = _entries((await self.browser.get("playlist", playlist, accept="*/*")).text) if names else []
        if segments:
            await self.browser.get("segment", absolute(playlist, segments[-1]), accept="*/*")
        return playlist

    async def _note_join(self, room: Room, began: float) -> None:
        try:
            async with asyncio.timeout(JOIN_SECONDS):
                await room.welcome.wait()
                await room.entered.wait()
        except TimeoutError:
            self.ledger.failed(JOIN, "no socket")
            return
        self.ledger.ok(JOIN, self.loop.time() - began)
        self.ledger.joined += 1

    async def _renew(self, showing: Showing) -> None:
        while self.does.renews_grants:
            await asyncio.sleep(showing.renew_in)
            try:
                answer = await self.browser.send("renew", "POST", self.sessions_url, {"session": showing.session})
            except GaveUpError:
                continue  # the page of the other phase, or the end, is on its way
            showing.renew_in = min(RENEW_MOST, max(1.0, _seconds_until(answer["grant_expires_at"]) * RENEW_SHARE))

    async def _follow(self, showing: Showing) -> None:
        latest = ""
        while True:
            await asyncio.sleep(SEGMENT_SECONDS)
            try:
                found = _entries((await self.browser.get("playlist", showing.playlist, accept="*/*")).text)
                if found and found[-1] != latest:
                    latest = found[-1]
                    await self.browser.get("segment", absolute(showing.playlist, latest), accept="*/*")
            except GaveUpError:
                continue

    async def _beat(self, showing: Showing, room: Room) -> str:
        """A beat every ten seconds of what was played since the last one, and what doctors do meanwhile."""
        leaving = self.does.leaves_an_hour * self.does.beat_seconds / 3600
        asking = self.does.questions_an_hour * self.does.beat_seconds / 3600
        began = self.loop.time()
        due = began
        while True:
            due += self.does.beat_seconds
            changed = await self._wait(room.heard.changed, min(due, self.until) - self.loop.time())
            played = min(self.loop.time() - began, showing.length - showing.position)
            if played > 0.5:
                self.number += 1
                end = showing.position + played
                await room.beat((self.number, [(showing.position, end)], end))
                showing.position, began = end, self.loop.time()
            if changed:
                return "changed"
            if self.loop.time() >= self.until or room.over:
                return "over"
            if self.draw.random() < leaving:
                return "left"
            if room.heard.may_ask and self.draw.random() < asking:
                await self._ask(showing)

    # In the room

    async def _ask(self, showing: Showing) -> None:
        key = uuid4()  # not of the seed: the same crowd again asks anew
        body = {
            "text": f"Would you change the dose after the second cycle? ({self.number})",
            "client_key": str(key),
            "at_seconds": round(showing.position, 1),
        }
        await self._write("question", "POST", self._url("questions"), body, key)

    async def _vote(self, room: Room) -> None:
        while True:
            poll = await room.heard.polls.get()
            if self.draw.random() < self.does.vote_share:
                await asyncio.sleep(self.draw.random() * self.does.vote_seconds)
                body = _choice(poll, self.draw)
                url = f"{self._url('polls')}{poll['id']}/vote/"
                await self._write("vote", "PUT", url, body, poll["id"], late="vote_late")

    async def _write(
        self, name: str, method: str, url: str, body: dict[str, Any], key: object, *, late: str = ""
    ) -> None:
        """What one person writes, and for `verify` what the site has said about it."""
        try:
            await self.browser.send(name, method, url, body, late=late)
            said = "ok"
        except GaveUpError as error:
            is_late = late and isinstance(error, RefusedError) and error.status == CONFLICT
            said = "unknown" if error.is_uncertain else "late" if is_late else "failed"
        self.ledger.note(name, self.browser.member.user_id, said, key)

    def _url(self, name: str) -> str:
        return f"/api/v1/webinars/{self.plan.webinar_id}/{name}/"


def _choice(poll: dict[str, Any], draw: random.Random) -> dict[str, Any]:
    if poll["kind"] == "words":
        return {"words": [draw.choice(("dose", "cost", "time", "pain"))]}
    if poll["kind"] == "scale":
        return {"choices": [draw.randint(poll["scale_from"], poll["scale_to"])]}
    return {"choices": [draw.choice(poll["options"])["position"]]}


def _entries(playlist: str) -> list[str]:
    return [line for line in playlist.splitlines() if line and not line.startswith("#")]


def _seconds_until(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp() - time.time()
