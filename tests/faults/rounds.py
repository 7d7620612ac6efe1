"""A round: people come, things break and are mended, people get on, and in the end everything is counted."""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg

from tests.faults.checker import Scope, check, waiting
from tests.faults.findings import Finding
from tests.faults.journal import History, Journal, Outcome
from tests.faults.kinds import Fault, Stage
from tests.faults.load import PEOPLE, Load
from tests.faults.mailing import hasten
from tests.faults.plants import is_provable, prove
from tests.faults.replicas import Replicas

SETTLED_SECONDS = 120.0  # a lost bell is made good by a sweep, once another beat has taken over
Names = Sequence[type[Fault]]


@dataclass
class Result:
    seed: int
    names: tuple[str, ...]
    seconds: float = 0.0
    findings: list[Finding] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    proofs: list[str] = field(default_factory=list)
    counts: dict[Outcome, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not self.findings and not self.complaints

    def report(self) -> str:
        return "\n".join([*map(str, self.findings[:20]), *self.complaints[:20]])


async def play(
    site: Replicas, faults: Names, *, seed: int, journal_path: Path, is_long: bool, proves: bool = True
) -> Result:
    """One population, with the faults one after the other. An AssertionError says that something did not recover."""
    began, rng = time.monotonic(), random.Random(seed)
    result = Result(seed, tuple(one.name for one in faults))
    started_at = _now(site)
    world = await asyncio.to_thread(site.populate, PEOPLE)
    journal = Journal(journal_path)
    load = Load(site, world, journal, rng)
    load.start()
    try:
        await load.goes_on()
        for kind in faults:
            took = await _break(kind, Stage(site, load, rng, is_long))
            result.notes.append(f"{kind.name}: {took:.1f} s")
        await _until_provable(journal_path)
        last = await load.rest()
    finally:
        await load.abandon()
        journal.close()
    people = [one.viewer["user"] for one in load.listeners]
    scope = Scope.of(world, began=started_at, ended=_now(site), followers=people, last_number=last)
    result.complaints = load.complaints()
    await asyncio.to_thread(_judge, site, load, History.read(journal_path), scope, result, proves=proves)
    result.seconds = time.monotonic() - began
    return result


async def _until_provable(path: Path) -> None:
    async with asyncio.timeout(150):
        while not is_provable(await asyncio.to_thread(History.read, path)):  # noqa: ASYNC110
            await asyncio.sleep(0.5)


async def _break(kind: type[Fault], stage: Stage) -> float:
    """Mended in any case; then everything runs and everybody gets on."""
    began, journal = time.monotonic(), stage.load.journal
    fault = kind(stage)
    await asyncio.sleep(stage.rng.uniform(0, 0.5 if stage.is_long else 0.1))
    journal.note(f"{kind.name} begins")
    try:
        await asyncio.to_thread(fault.strike)
        await asyncio.sleep(fault.seconds)
    finally:
        await asyncio.to_thread(fault.mend)
    journal.note(f"{kind.name} is over")
    await asyncio.to_thread(stage.site.wait_until_whole)
    await stage.load.goes_on()
    journal.note("everybody gets on")
    return time.monotonic() - began


def _judge(site: Replicas, load: Load, history: History, scope: Scope, result: Result, *, proves: bool) -> None:
    result.counts = {one: sum(op.outcome is one for op in history.operations) for one in Outcome}
    deadline = time.monotonic() + SETTLED_SECONDS
    with site.connect() as database:
        database.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        while True:
            with database.transaction():
                left = waiting(database, scope)
                if left == 0 or time.monotonic() > deadline:
                    history = replace(history, mail=load.mail())
                    result.findings = check(database, history, scope)
                    break
            hasten(site, scope.values["programme"])
            time.sleep(0.2)
        if left:
            result.complaints.append(f"{left} counts, completions, attempts or messages still wait for the worker")
        if proves and result.is_clean:
            result.proofs = prove(database, history, scope)


def _now(site: Replicas) -> Any:
    with site.connect() as database:
        row = database.execute("SELECT now()").fetchone()
    assert row is not None
    return row[0]
