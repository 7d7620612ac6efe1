"""Every fault once, on one replica set, with one population that never stops: `script/faults` in small."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.faults.journal import Outcome
from tests.faults.kinds import FAULTS, Fault
from tests.faults.plants import PLANTS
from tests.faults.replicas import Replicas, remove, replicas, scratch
from tests.faults.rounds import play

# The storm meets a balancer, and the full disk is one, that nobody else uses: both may run beside others.
pytestmark = [pytest.mark.faults, pytest.mark.site, pytest.mark.long, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def site() -> Iterator[Replicas]:
    directory = scratch()
    try:
        with replicas(directory) as site:
            yield site
    finally:
        remove(directory)


def apart(faults: Sequence[type[Fault]]) -> list[type[Fault]]:
    """Deaths of the senders far from each other: the pause before a program starts again grows with each of them that
    comes within half a minute.
    """
    deaths = [one for one in faults if one.name.startswith("kill senders")]
    others = [one for one in faults if one not in deaths]
    share = -(-len(others) // len(deaths))
    return [one for number, death in enumerate(deaths) for one in (death, *others[number * share :][:share])]


async def test_whatever_breaks_nothing_acknowledged_is_lost_and_nothing_is_done_twice(
    site: Replicas, tmp_path: Path
) -> None:
    """The lengths are the short ones of each fault: three seconds of a frozen PostgreSQL instead of thirty."""
    faults = apart(list(FAULTS.values()))
    result = await play(site, faults, seed=20261122, journal_path=tmp_path / "journal.jsonl", is_long=False)
    assert result.is_clean, result.report()
    assert len(result.proofs) == len(PLANTS), "the checker was not proved"
    assert len(result.notes) == len(FAULTS) >= 22, result.notes
    assert result.counts[Outcome.OK] > 500, result.counts
