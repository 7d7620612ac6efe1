"""`script/bench printing`: how many certificates a minute one core makes, rendering and sealing apart.

One process and one thread, warm; every certificate has a name, number and address of its own. Seconds of CPU, not of
the clock: other work on the machine makes the wait longer, and the work only a little.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from certification.printing.document import CertificateFacts, Look, render
from certification.printing.facts import Labels
from certification.printing.preview import preview
from certification.printing.signature import inspect, seal
from tests.certification.printing.samples import FACTS, KEY, LONG_NAME, SAMPLES, drawn

COUNT = 300
GIVEN = (
    "Amelia", "Bruno", "Chidi", "Dana", "Eun-ji", "Farid", "Giulia", "Hugo", "Inês", "Jonas", "Khadija", "Lê", "Marta",
    "Nils", "Olga", "Priya",
)  # fmt: skip
FAMILY = (
    "Okonkwo", "Hartmann", "Lindqvist", "Iyer", "Nakamura", "Petrov", "Papadopoulos", "Nguyễn", "Álvarez", "Smith",
    "Öztürk", "Żak",
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="script/bench printing", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--count", type=int, default=COUNT)
    options = parser.parse_args(arguments)
    figures = measure(options.count)
    for line in table(figures):
        say(line)
    if options.json:
        print(json.dumps(figures))
    return 0


def measure(count: int = COUNT) -> dict[str, Any]:
    """`pdf_per_min_per_core` is a whole certificate: rendered and sealed."""
    with spent() as first:
        render(FACTS, Look())
    people = list(some(FACTS, count))
    look = Look(logo=drawn(600, 160), signatures=(drawn(400, 120), drawn(400, 120)), labels=Labels())
    documents, render_ms = each(people, lambda facts: render(facts, look))
    sealed, seal_ms = each(documents, lambda pdf: seal(pdf, key=KEY, organisation="Society", sealed_on=FACTS.issued_on))
    _, inspect_ms = each(sealed, inspect)
    chinese, chinese_look = SAMPLES["chinese"]
    _, chinese_ms = each(list(some(chinese, count // 10)), lambda facts: render(facts, chinese_look))
    _, long_ms = each(
        list(some(replace(SAMPLES["long"][0], holder=LONG_NAME), count // 10)), lambda facts: render(facts, look)
    )
    _, preview_ms = each([Look(accent=f"#0a{number:02x}5e") for number in range(10)], preview)
    return {
        "pdf_per_min_per_core": round(60_000 / (render_ms + seal_ms)),
        "render_ms": round(render_ms, 1),
        "seal_ms": round(seal_ms, 1),
        "inspect_ms": round(inspect_ms, 1),
        "first_render_ms": round(first[0] * 1000),
        "render_chinese_ms": round(chinese_ms, 1),
        "render_long_ms": round(long_ms, 1),
        "preview_ms": round(preview_ms, 1),
        "bytes": round(sum(map(len, sealed)) / len(sealed)),
    }


def some(facts: CertificateFacts, count: int) -> Iterator[CertificateFacts]:
    dice = random.Random(7)
    for number in range(count):
        public_id = "".join(dice.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=26))
        yield replace(
            facts,
            holder=f"{facts.holder[:3]} {dice.choice(GIVEN)} {dice.choice(FAMILY)}-{dice.choice(FAMILY)}",
            number=f"CARD-2026-{number:06}",
            public_id=public_id,
            verify_address=f"https://learn.example.org/verify/{public_id}/",
        )


def each(things: Sequence[Any], work: Callable[[Any], Any]) -> tuple[list[Any], float]:
    """What the work gave, and milliseconds of CPU for one."""
    with spent() as seconds:
        made = [work(thing) for thing in things]
    return made, seconds[0] * 1000 / len(things)


@contextmanager
def spent() -> Iterator[list[float]]:
    seconds = [0.0]
    start = time.process_time()
    yield seconds
    seconds[0] = time.process_time() - start


def table(figures: dict[str, Any]) -> list[str]:
    return [
        f"{figures['pdf_per_min_per_core']:,} certificates a minute and core, rendered and sealed",
        f"  rendering {figures['render_ms']} ms, sealing {figures['seal_ms']} ms, {figures['bytes'] / 1000:.0f} kB",
        f"  the first of a process {figures['first_render_ms']} ms",
        f"  a Chinese one {figures['render_chinese_ms']} ms, the longest texts {figures['render_long_ms']} ms",
        f"checking a file {figures['inspect_ms']} ms, a preview {figures['preview_ms']} ms",
    ]


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
