"""Replicas that die, and replicas that are replaced."""

import time
from concurrent.futures import ThreadPoolExecutor

from deploy.cluster.units import ClusterError
from tests.faults.kinds.registry import Fault, fault


class Killed(Fault):
    """kill -9, as a failing machine: in the long mode up to three times, and perhaps all of the tier at once."""

    def strike(self) -> None:
        self.before = self.site.table()
        names = self.site.of(self.name.rpartition(" ")[2])
        self.killed = names if self.stage.is_long and self.rng.random() < 0.25 else [self.rng.choice(names)]
        self.site.kill(*self.killed)
        for _ in range(self.rng.randrange(3) if self.stage.is_long else 0):
            time.sleep(self.rng.uniform(0.1, 2.0))
            self.site.kill(self.rng.choice(names))

    def mend(self) -> None:
        self.site.wait_for_new(self.before, self.killed)


@fault("kill web", touches="web", lasts=(3, 1))
class KilledWeb(Killed): ...


@fault("kill realtime", touches="realtime", lasts=(3, 1))
class KilledRealtime(Killed): ...


@fault("kill worker", touches="worker", lasts=(3, 0))
class KilledWorker(Killed): ...


@fault("kill beat", touches="beat", lasts=(3, 0))
class KilledBeat(Killed): ...


@fault("rolling restart", touches="web realtime worker sender beat", lasts=(0, 0))
class Rolled(Fault):
    """Everything is replaced while it is used, in short one of web and of realtime. Nothing crashes on the way."""

    def strike(self) -> None:
        self.before = self.site.table()
        self.names = ["web.1", "realtime.1"]
        if self.stage.is_long:
            self.names = [
                name for tier in ("web", "realtime", "worker", "sender", "beat") for name in self.site.of(tier)
            ]
        self.under_way = ThreadPoolExecutor(1).submit(self._roll)

    def mend(self) -> None:
        """It stops at the first replica that does not get ready, and is run again when what it lacked is back."""
        try:
            self.under_way.result()
        except ClusterError:
            self._roll()
        self.site.wait_for_new(self.before, self.names)
        if not self.is_alone:  # a beat ends with the lock that Valkey lost, a worker with its lost queue
            return
        after = self.site.table()
        crashed = [name for name in self.names if after[name]["restarts"] > self.before[name]["restarts"]]
        assert not crashed, f"{', '.join(crashed)} crashed during a rolling restart"

    def _roll(self) -> None:
        self.site.ask(do="roll", names=self.names)
