"""`script/faults`: breaks a replica set in every way we know, and counts what survived."""

import argparse
import asyncio
import random
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from tests.faults.journal import Outcome
from tests.faults.kinds import FAULTS, Fault
from tests.faults.replicas import Replicas, remove, replicas, scratch
from tests.faults.rounds import Result, play

ROUNDS = 20


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="script/faults", description=__doc__.splitlines()[0])
    top.add_argument("--long", action="store_true", help=f"{ROUNDS} rounds of each fault, at its full length")
    top.add_argument("--only", action="append", default=[], metavar="NAME", help="this one; may be given again")
    top.add_argument("--seed", type=int, help="of the first round; each later one adds 1. Default: a new one")
    top.add_argument("--rounds", type=int, help="of each fault instead")
    top.add_argument("--minutes", type=float, default=0, help="begin no round after so long; default: no end")
    top.add_argument("--list", action="store_true", help="the names of all faults")
    return top


def main() -> int:
    # Both as KeyboardInterrupt, also in the background of a shell, where Ctrl-C is ignored: everything is taken down.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    options = parser().parse_args()
    if options.list:
        say("\n".join(FAULTS))
        return 0
    unknown = [name for name in options.only if name not in FAULTS]
    if unknown:
        sys.stderr.write(f"error: no fault is called {', '.join(unknown)}: script/faults --list\n")
        return 2
    chosen = [FAULTS[name] for name in options.only] or list(FAULTS.values())
    rounds = options.rounds or (ROUNDS if options.long else 1)
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    deadline = time.monotonic() + options.minutes * 60 if options.minutes else float("inf")
    return Session(chosen, rounds=rounds, seed=seed, is_long=options.long, deadline=deadline).run()


class Session:
    """All rounds on one replica set; after a failure on a new one. What failed keeps its folder."""

    def __init__(
        self, chosen: Sequence[type[Fault]], *, rounds: int, seed: int, is_long: bool, deadline: float
    ) -> None:
        # One round of each before the second of any: a run that is cut short has seen everything.
        self.todo = [(kind, seed + number) for number in range(rounds) for kind in chosen]
        self.is_long, self.deadline = is_long, deadline
        self.done: dict[str, list[Result]] = defaultdict(list)
        self.failed: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self.kept: list[Path] = []

    def run(self) -> int:
        try:
            while self.todo and time.monotonic() < self.deadline:
                self.run_until_failure()
        except KeyboardInterrupt:
            say("Interrupted.")
        self.summarise()
        return 1 if self.failed or self.todo else 0

    def run_until_failure(self) -> None:
        directory = scratch()
        is_clean = False
        try:
            with replicas(directory) as site:
                is_clean = all(iter(lambda: self.next_round(site, directory), None))
        finally:
            if is_clean:
                remove(directory)
            else:
                self.kept.append(directory)

    def next_round(self, site: Replicas, directory: Path) -> bool | None:
        """None when nothing is left to do."""
        if not self.todo or time.monotonic() > self.deadline:
            return None
        kind, seed = self.todo.pop(0)
        path = directory / f"{kind.name.replace(' ', '-')}-{seed}.jsonl"
        try:
            result = asyncio.run(play(site, [kind], seed=seed, journal_path=path, is_long=self.is_long))
        except AssertionError as error:
            return self.fail(kind, seed, str(error))
        if not result.is_clean:
            return self.fail(kind, seed, result.report())
        self.done[kind.name].append(result)
        figures = ", ".join(f"{count} {outcome}" for outcome, count in result.counts.items())
        say(f"ok      {kind.name}, seed {seed}: {result.seconds:.0f} s; {figures}; {len(result.proofs)} plants found")
        path.unlink()
        return True

    def fail(self, kind: type[Fault], seed: int, why: str) -> bool:
        self.failed[kind.name].append((seed, why))
        say(f"FAILED  {kind.name}, seed {seed}: {why}")
        return False

    def summarise(self) -> None:
        say(f"\n{'FAULT':<28}{'ROUNDS':>8}{'FAILED':>8}{'OK':>9}{'REFUSED':>9}{'UNKNOWN':>9}")
        for name in FAULTS:
            results, failures = self.done[name], self.failed.get(name, [])
            if not results and not failures:
                continue
            sums = [sum(result.counts[one] for result in results) for one in Outcome]
            say(f"{name:<28}{len(results) + len(failures):>8}{len(failures):>8}" + "".join(f"{n:>9}" for n in sums))
        for name, failures in self.failed.items():
            for seed, why in failures:
                again = f"script/faults {'--long ' * self.is_long}--only '{name}' --seed {seed}"
                say(f"\n{name}, seed {seed}: {why}\n  again: {again}")
        for directory in self.kept:
            say(f"\nIts logs and journal: {directory}")
        if self.todo:
            say(f"\n{len(self.todo)} rounds were not begun.")
        say("\nNothing was lost or doubled." if not self.failed else "\nFAILED")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
