"""A replica that is wrong about the time."""

import sys
import sysconfig
from pathlib import Path

from core.processes import wait_until
from tests.faults.kinds.registry import DidNotBiteError, Fault, Stage, fault
from tests.faults.world import ROOT

sys.path.insert(0, str(ROOT / "script"))
from system_packages import provide  # the path is set above

OFF_SECONDS = 120
VARIABLES = ("LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC", "NO_FAKE_STAT", "PYTHONPATH")
PATIENCE = 150.0
PLACES = (f"/usr/lib/{sysconfig.get_config_var('MULTIARCH')}/faketime", "/usr/lib64/faketime", "/usr/lib/faketime")


def library() -> Path:
    """libfaketime, from the system's packages."""
    files = [Path(place) / "libfaketime.so.1" for place in PLACES]
    if not provide("libfaketime", *map(str, files)):
        raise DidNotBiteError("libfaketime is needed and could not be installed.")
    return next(path for path in files if path.exists())


@fault("clock off", touches="web realtime", lasts=(20, 0))
class ClockOff(Fault):
    """Two minutes fast or slow: one web and one realtime replica at once, or one of them."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.library = library()

    def strike(self) -> None:
        both = [self.rng.choice(self.site.of("web")), self.rng.choice(self.site.of("realtime"))]
        self.names = self.rng.choice([both, both[:1], both[1:]]) if self.stage.is_long else both[:1]
        sign = self.rng.choice(["+", "-"]) if self.stage.is_long else "+"
        self._restart(
            {
                "LD_PRELOAD": str(self.library),
                "FAKETIME": f"{sign}{OFF_SECONDS}s",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # waits are no times of day
                "NO_FAKE_STAT": "1",
                "PYTHONPATH": str(Path(__file__).parent / "wrong_clock"),
            }
        )
        self.wrong = [self.site.cluster.ports[name] for name in self.names]
        for one in self.stage.load.honest:
            for name, port in zip(self.names, self.wrong, strict=True):
                setattr(one, "opens_at" if name.startswith("web") else "watches_at", port)

    def _was_watched(self) -> bool:
        return all(sum(one.watched[port] for one in self.stage.load.honest) >= 2 for port in self.wrong)

    def mend(self) -> None:
        """Once some have watched by what is wrong about the time, to the end: that is where it would show."""
        watched = wait_until(self._was_watched, seconds=PATIENCE, every=0.1)
        for one in self.stage.load.honest:
            one.opens_at = one.watches_at = 0
        self._restart(dict.fromkeys(VARIABLES))
        if not watched:
            raise DidNotBiteError(f"Nobody watched by {', '.join(self.names)}.")

    def _restart(self, environment: dict[str, str | None]) -> None:
        before = self.site.table()
        self.site.ask(do="change", names=self.names, environment=environment)
        self.site.kill(*self.names)
        self.site.wait_for_new(before, self.names)
