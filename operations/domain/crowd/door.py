"""A doctor without an account at the door of the webinar: fills in its form, waits as static/js/stage/door.js, goes in.

Whom a moderator lets in, the waiting page does; whom a rule lets in, a link in their mailbox. `spot` is measured from
sending the form to being in. Each request is counted as `door`, `door_state` or `sign_in` besides, and the way of the
message as `mail`.
"""

import asyncio
import json
import random
import re

from operations.domain.crowd.browser import Browser, GaveUpError, Page, RefusedError
from operations.domain.crowd.mailbox import LOOK_SECONDS, mailboxes_in
from operations.domain.crowd.measure import MAIL, SPOT

DOOR, STATE, LINK = "door", "door_state", "sign_in"
FIRST_SECONDS, MOST_SECONDS, SLOWER = 3.0, 15.0, 1.15  # static/js/stage/door.js
MAIL_SECONDS = 90.0  # a bell that nobody heard costs a minute, until the sweep; after that a message is missing
PENDING = "pending"
WAITS, ENTERS = "data-door-state=", "data-device-zone"  # the waiting page, and the one with the way in
_ENTER = re.compile(r'<form[^>]* action="(/door/[^"]+/enter/)"')


def pause(number: int, draw: random.Random) -> float:
    """Seconds before the page asks for the `number`-th time."""
    return min(MOST_SECONDS, FIRST_SECONDS * SLOWER**number) * (0.83 + draw.random() / 3)


class Door:
    def __init__(self, browser: Browser, draw: random.Random) -> None:
        self.browser, self.draw, self.ledger = browser, draw, browser.ledger
        self.member = browser.member
        self.path = f"/door/{self.member.door}/"
        self.loop = asyncio.get_running_loop()

    async def pass_through(self, *, until: float) -> None:
        """Raises GaveUpError who is not in by `until`."""
        form = Page((await self.browser.get(DOOR, self.path)).text)
        began = self.loop.time()
        try:
            await self._ask(form)
            page = await self._wait(until)
            if ENTERS in page or not self.browser.plan.mail_folder:
                await self._enter(page)
            else:
                await self._open_mail(until)
        except GaveUpError as error:
            self.ledger.failed(SPOT, f"gave up: {error}")
            raise
        self.ledger.ok(SPOT, self.loop.time() - began)

    async def _ask(self, form: Page) -> None:
        try:
            answer = await self.browser.submit(DOOR, self.path, {**self._fields(), **_token(form)})
        except GaveUpError as error:
            self._note("unknown" if error.is_uncertain else "failed")
            raise
        if answer.status != 302:  # the form again, with what is wrong in it
            self._note("failed")
            raise self._turned_away("the form was refused")
        self._note("ok")

    def _fields(self) -> dict[str, str]:
        """Whoever has the same name and country, or the same number, would be somebody's double."""
        name = self.member.email.partition("@")[0]
        return {
            "first_name": "Doctor",
            "last_name": name,
            "email": self.member.email,
            "country": self.member.country,
            "medical_council": "Drill",
            "registration_number": name,
            "timezone": "",
            "website": "",
        }

    async def _wait(self, until: float) -> str:
        """The page that tells the decision. By a rule it is there at once."""
        page = (await self.browser.get(DOOR, self.path)).text
        if WAITS not in page:
            return page
        number, state = 0, PENDING
        while state == PENDING:
            number += 1
            seconds = pause(number, self.draw)
            if self.loop.time() + seconds > until:
                raise self._turned_away("nobody decided")
            await asyncio.sleep(seconds)
            answer = await self.browser.get(STATE, f"{self.path}state/", accept="application/json")
            state = json.loads(answer.text)["state"]
        return (await self.browser.get(DOOR, self.path)).text

    async def _enter(self, page: str) -> None:
        form = _ENTER.search(page) if ENTERS in page else None
        if form is None:
            raise self._turned_away("not let in")
        answer = await self.browser.submit(DOOR, form[1], {"timezone": "", **_token(Page(page))})
        if "/webinars/" not in answer.headers.get("location", ""):  # back to the door, or on to the mailbox
            raise self._turned_away("not in after the tap")
        self._note("in")

    async def _open_mail(self, until: float) -> None:
        """The newest link, and again when a newer one comes: a message that is sent twice ends the first one's link."""
        began, spent = self.loop.time(), ""
        while True:
            link = mailboxes_in(self.browser.plan.mail_folder).newest_link(self.member.email)
            if link != spent:
                if not spent:
                    self.ledger.ok(MAIL, self.loop.time() - began)
                if await self._tap(link):
                    self._note("in")
                    return
                spent = link
            waited = self.loop.time() - began
            if waited > MAIL_SECONDS:
                self.ledger.failed(MAIL, "not there")
            if waited > MAIL_SECONDS or self.loop.time() + LOOK_SECONDS > until:
                raise GaveUpError(MAIL)
            await asyncio.sleep(LOOK_SECONDS)

    async def _tap(self, link: str) -> bool:
        try:
            page = Page((await self.browser.get(LINK, link)).text)
            answer = await self.browser.submit(LINK, link, {"timezone": "", **_token(page)})
        except RefusedError:
            return False
        return "/webinars/" in answer.headers.get("location", "")

    def _turned_away(self, why: str) -> GaveUpError:
        self.ledger.failed(DOOR, why)
        return GaveUpError(why)

    def _note(self, said: str) -> None:
        self.ledger.note(SPOT, self.member.user_id, said, self.member.email)


def _token(page: Page) -> dict[str, str]:
    return {"csrfmiddlewaretoken": page.form_token}
