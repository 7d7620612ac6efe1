"""Injects the planned faults at their times, and looks until the site is whole again."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from deploy.cluster.units import ClusterError
from operations.domain.drill.errors import DrillError
from operations.domain.drill.faults import Planned
from operations.domain.drill.record import Injected
from operations.domain.drill.site import Target

LOOK_SECONDS = 0.25
PATIENCE_SECONDS = 120.0  # for a site to become whole again; the drill waits for that after the last doctor has gone


def check_targets(planned: Sequence[Planned], rows: Sequence[dict[str, Any]]) -> None:
    """Before anybody comes: a fault without a process to happen to would look like one that was borne well."""
    names = {row["name"] for row in rows} | {row["name"].partition(".")[0] for row in rows}
    for one in planned:
        if missing := {name for request in one.fault.requests for name in request["names"]} - names:
            raise DrillError(f"{one.fault.name} needs {', '.join(sorted(missing))}, which this drill does not run.")


class Injector(threading.Thread):
    """One fault after the other: a second one that is due while the first still lasts comes right after it."""

    def __init__(self, planned: Sequence[Planned], *, site: Target, began: float, say: Callable[[str], None]) -> None:
        super().__init__(name="drill-faults", daemon=True)
        self.planned, self.site, self.began, self.say = planned, site, began, say
        self.injected: list[Injected] = []
        self._over, self._cut_off = threading.Event(), threading.Event()

    def run(self) -> None:
        for one in self.planned:
            if self._over.wait(max(0.0, self.began + one.at - time.monotonic())):
                return
            self.injected.append(self._inject(one))

    def finish(self, *, at_once: bool) -> None:
        """Those that have not begun do not happen any more; one that goes on is followed to its end, or not."""
        self._over.set()
        if at_once:
            self._cut_off.set()
        self.join()

    def _inject(self, planned: Planned) -> Injected:
        fault, said = planned.fault, list[str]()
        before = self._pids()
        at = time.monotonic() - self.began
        self.say(f"Fault: {fault.words}.")
        try:
            for number, request in enumerate(fault.requests):
                if number:
                    time.sleep(fault.pause)  # also when the drill ends meanwhile: nobody else would let it go on
                self.site.ask(request, say=said.append)
        except ClusterError as error:
            said.append(str(error))
            return Injected(fault.name, round(at, 1), None, tuple(said))
        killed = before if len(fault.requests) == 1 and fault.requests[0]["do"] == "kill" else {}
        targets = {name for request in fault.requests for name in request["names"]}
        recovered = self._recovered({name: pid for name, pid in killed.items() if name in targets})
        if recovered:
            self.say(f"Whole again after {recovered - self.began - at:.1f} s.")
        return Injected(fault.name, round(at, 1), round(recovered - self.began, 1) if recovered else None, tuple(said))

    def _recovered(self, dead: dict[str, int]) -> float | None:
        """When everything runs and is ready, and what was killed is somebody new. The keeper notices after a moment."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._cut_off.wait(LOOK_SECONDS) and time.monotonic() < deadline:
            now = self._pids()
            if now and all(now.get(name) not in {0, None, pid} for name, pid in dead.items()) and self.site.is_whole():
                return time.monotonic()
        return None

    def _pids(self) -> dict[str, int]:
        try:
            return {row["name"]: row["pid"] for row in self.site.status()}
        except ClusterError:
            return {}
