"""Doctors in an exam, one process of them: a plan as a line on stdin, a report as a line on stdout.

They open the front page before the exam does and press the button each at a moment of its own. They answer question
after question as the page's script does: by PUT, each answer once, again until it is acknowledged; the first one
fetches the other questions. What was acknowledged goes to a file.
"""

import asyncio
import json
import random
import re
import resource
import sys
from pathlib import Path
from typing import Any

from operations.domain.crowd.browser import Browser, GaveUpError, Page
from operations.domain.crowd.ledger import Ledger
from operations.domain.crowd.plan import CrowdPlan, Member

PUNCTUAL = 0.8  # nobody's front page is still on its way when the exam opens
_ATTEMPT = re.compile(r"/attempts/(\d+)/")


class Sitters:
    def __init__(self, raw: dict[str, Any]) -> None:
        self.raw = raw
        self.members = [Member(**one) for one in raw["members"]]
        self.plan = CrowdPlan(base_url=raw["url"], webinar_id=1, audience=self.members, timeout_seconds=30.0)
        self.ledger = Ledger(Path(raw["journal"]))

    async def run(self) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await asyncio.gather(*(self._sit(index, member) for index, member in enumerate(self.members)))
        report = self.ledger.close()
        report.seconds = loop.time() - began
        usage = resource.getrusage(resource.RUSAGE_SELF)
        report.generator_cpu_seconds = usage.ru_utime + usage.ru_stime
        return report.to_dict()

    async def _sit(self, index: int, member: Member) -> None:
        draw = random.Random(f"{self.raw['seed']}/{index}")
        browser = Browser(self.plan, member, self.ledger, draw, address=f"127.0.0.{2 + index % 200}")
        loop = asyncio.get_running_loop()
        opens = loop.time() + self.raw["gather_seconds"]
        await asyncio.sleep(draw.random() * self.raw["gather_seconds"] * PUNCTUAL)
        self.ledger.came()
        try:
            path = f"/tests/{self.raw['quiz']}/"
            browser.csrf = Page((await browser.get("front", path)).text).form_token
            await asyncio.sleep(max(0.0, opens - loop.time()) + draw.random() * self.raw["start_seconds"])
            attempt = await self._start(browser, path)
            for position in range(self.raw["items"]):
                await asyncio.sleep(self.raw["pause_seconds"] * (0.5 + draw.random()))
                await self._answer(browser, attempt, position, draw)
                if position == 0:
                    await browser.get("other questions", f"/attempts/{attempt}/questions/")
            await browser.send("submit", "POST", f"/api/v1/attempts/{attempt}/submission/", {})
        except GaveUpError as error:
            self.ledger.failed("sitting", f"gave up: {error}")
        finally:
            browser.close()

    async def _start(self, browser: Browser, path: str) -> int:
        """From the tap to the first question: the answer to the form is the page."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        answer = await browser.submit(
            "start form", f"{path}start/", {"csrfmiddlewaretoken": browser.csrf, "number": "1"}
        )
        found = _ATTEMPT.search(answer.text)
        if found is None:
            raise GaveUpError("start")
        browser.csrf = Page(answer.text).form_token
        self.ledger.ok("start", loop.time() - began)
        return int(found[1])

    async def _answer(self, browser: Browser, attempt: int, position: int, draw: random.Random) -> None:
        choice = draw.choice("abcd")
        body = {"form": f"choice={choice}", "saved": 1, "seconds": 5}
        await browser.send("save", "PUT", f"/api/v1/attempts/{attempt}/answers/{position}/", body)
        self.ledger.note(browser.member.user_id, position, choice)


if __name__ == "__main__":
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    sys.stdout.write(json.dumps(asyncio.run(Sitters(json.loads(sys.stdin.readline())).run())) + "\n")
