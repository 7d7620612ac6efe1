"""Doctors in an exam: from several tabs at once, with answers that cross each other on the way.

What they were told stands in the journal: `start` (who), `attempt` (who:attempt, once the server has named it), `save`
(attempt:position:saved:answer) and `submit` (attempt).
"""

import asyncio
import json
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.faults.asking import LostError, NotSentError, Request, ask
from tests.faults.doctors import Actor, token
from tests.faults.journal import Outcome

OLD_ONES = 40  # of what was sent before, some is sent again


@dataclass
class Seat:
    """What one doctor's browser knows. `saved` only rises, also over attempts: a number is never used twice."""

    attempt: int = 0
    questions: list[dict[str, Any]] = field(default_factory=list)
    saved: int = 0
    acknowledged: Counter[int] = field(default_factory=Counter)  # by position
    sent: list[tuple[int, int, Any]] = field(default_factory=list)
    is_over: bool = False
    is_unsure: bool = True  # and reloads the page


@dataclass
class Candidate(Actor):
    """Acts in the name of several people, who sit at the same time."""

    people: list[dict[str, Any]] = field(default_factory=list)
    seats: dict[int, Seat] = field(default_factory=dict)

    async def act(self) -> None:
        person = self.rng.choice(self.people)
        seat = self.seats.setdefault(person["user"], Seat())
        if seat.is_unsure or (seat.is_over and self.rng.random() < 0.6):
            await self.start(person, seat)
            return
        work = self.rng.choices(
            [self.save, self.save_in_two_tabs, self.replay, self.look, self.start, self.submit], [11, 3, 3, 1, 1, 1]
        )[0]
        await work(person, seat)

    async def finish(self) -> None:
        """Most hand in before they go home; the others leave it to the clock."""
        for person in self.people:
            seat = self.seats.get(person["user"])
            if seat and seat.attempt and not seat.is_over and self.rng.random() < 0.8:
                await self.submit(person, seat)

    async def run(self) -> None:
        await super().run()
        await self.finish()

    async def start(self, person: dict[str, Any], seat: Seat) -> None:
        """With one click, or with two or three in as many tabs. The newest attempt that comes back is gone on with."""
        user = person["user"]
        request = self._request(person, "POST", f"quizzes/{self.world['exam']}/attempts/", {})
        clicks = [
            self.attempt("start", token(user), user, request, repeatable=True)
            for _ in range(self.rng.choice([1, 2, 3]))
        ]
        answers = [answer for answer in await asyncio.gather(*clicks) if answer]
        for sheet in sorted((one.json() for one in answers), key=lambda sheet: int(sheet["id"])):
            line = self.journal.invoke("attempt", token(user, sheet["id"]), who=user)
            self.journal.end(line, Outcome.OK, kind="attempt")
            self._sit_down(user, seat, sheet)
        if not answers and seat.attempt:  # all used up, or nobody answers: it goes on with what it has
            seat.is_unsure = False

    async def look(self, person: dict[str, Any], seat: Seat) -> None:
        """On another device: the sheet shows every answer that was acknowledged."""
        try:
            answer = await ask(self.port, self._request(person, "GET", f"attempts/{seat.attempt}/"))
        except (NotSentError, LostError):
            return
        if answer.status == 200:
            self._sit_down(person["user"], seat, answer.json())
        elif answer.status == 409:
            seat.is_over = True

    def _sit_down(self, user: int, seat: Seat, sheet: dict[str, Any]) -> None:
        if sheet["id"] != seat.attempt:
            seat.acknowledged.clear()
            seat.sent.clear()
        for line in sheet["questions"]:
            seat.saved = max(seat.saved, line["saved"])
            if line["saved"] < seat.acknowledged[line["position"]]:
                name = token(sheet["id"], line["position"])
                self.complaints.append(f"save {name}: acknowledged to {user}, and not on the sheet that came later")
        seat.attempt, seat.questions = sheet["id"], sheet["questions"]
        seat.is_over = seat.is_unsure = False

    async def save(self, person: dict[str, Any], seat: Seat) -> None:
        position = self.rng.randrange(len(seat.questions))
        seat.saved += 1
        if not await self._put(person, seat, position, seat.saved, self._some_answer(seat.questions[position])):
            seat.is_unsure = True

    async def save_in_two_tabs(self, person: dict[str, Any], seat: Seat) -> None:
        """Which know nothing of each other: the same number with another answer, or numbers that cross on the way."""
        position = self.rng.randrange(len(seat.questions))
        step = self.rng.choice([0, 1])
        first, second = seat.saved + 1 + step, seat.saved + 1
        seat.saved = first
        await asyncio.gather(
            *(
                self._put(person, seat, position, saved, self._some_answer(seat.questions[position]))
                for saved in (first, second)
            )
        )

    async def replay(self, person: dict[str, Any], seat: Seat) -> None:
        """What was sent before once more, answered or not, also after it was handed in."""
        if seat.sent:
            position, saved, value = self.rng.choice(seat.sent[-OLD_ONES:])
            await self._put(person, seat, position, saved, value, is_new=False)

    async def submit(self, person: dict[str, Any], seat: Seat) -> None:
        """With a double click, sometimes while an answer is under way."""
        request = self._request(person, "POST", f"attempts/{seat.attempt}/submission/", {})
        acts: list[Any] = [
            self.attempt("submit", token(seat.attempt), person["user"], request, repeatable=True)
            for _ in range(self.rng.choice([1, 2]))
        ]
        if not seat.is_over and self.rng.random() < 0.5:
            acts.append(self.save(person, seat))
        answers = await asyncio.gather(*acts)
        seat.is_unsure = not any(answers)
        seat.is_over = seat.is_over or any(answers)

    async def _put(
        self, person: dict[str, Any], seat: Seat, position: int, saved: int, value: Any, *, is_new: bool = True
    ) -> bool:
        was_over, attempt = seat.is_over, seat.attempt
        if is_new:
            seat.sent.append((position, saved, value))
        request = self._request(
            person, "PUT", f"attempts/{attempt}/answers/{position}/", {"value": value, "saved": saved}
        )
        name = token(attempt, position, saved, json.dumps(value, sort_keys=True))
        if not await self.attempt("save", name, person["user"], request, repeatable=True):
            return False
        seat.acknowledged[position] = max(seat.acknowledged[position], saved)
        if was_over and is_new:
            self.complaints.append(f"save {name}: taken after the test was handed in")
        return True

    def _request(self, person: dict[str, Any], method: str, path: str, body: Any = None) -> Request:
        return Request(method, f"/api/v1/{path}", body, f"sessionid={person['cookie']}")

    def _some_answer(self, question: dict[str, Any]) -> Any:
        """As the product writes it down: the checker compares to the letter. One in ten is taken back."""
        if self.rng.random() < 0.1:
            return None
        return _ANSWERS[question["kind"]](self.rng, question["view"]["shown"])


def _several(rng: random.Random, shown: dict[str, Any]) -> Any:
    names = [one["id"] for one in shown["options"]]
    chosen = set(rng.sample(names, rng.randint(1, len(names))))
    return {"choices": [name for name in names if name in chosen]}


def _places(rng: random.Random, shown: dict[str, Any]) -> Any:
    names = [one["id"] for one in shown["entries"]]
    return {"places": dict(zip(names, rng.sample(range(1, len(names) + 1), len(names)), strict=True))}


_ANSWERS: dict[str, Any] = {
    "single": lambda rng, shown: {"choice": rng.choice(shown["options"])["id"]},
    "true_false": lambda rng, _shown: {"choice": rng.random() < 0.5},
    "numeric": lambda rng, _shown: {"number": rng.choice(["4.9", "5", "5.5", "6", "6.1", "-3"]), "unit": ""},
    "multiple": _several,
    "ordering": _places,
}
