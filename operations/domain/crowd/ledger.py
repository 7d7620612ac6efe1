"""What one process of a crowd has met so far: counts for the report, and a journal that `verify` reads afterwards."""

import time
from pathlib import Path
from typing import IO, Any

from operations.domain.crowd.measure import JOIN, MOST_FAILURES, WHOLES, CrowdReport, Operation, Progress

PAGE = "page"


class Ledger:
    """One for all doctors of a process; nothing here waits."""

    def __init__(self, journal: Path | None) -> None:
        self.report = CrowdReport()
        self.arrived = self.joined = self.watching = 0
        self.journal: IO[str] | None = journal.open("w", buffering=1 << 16) if journal else None
        if journal:
            self.report.journals.append(str(journal))

    def _of(self, name: str) -> Operation:
        found = self.report.operations.get(name)
        if found is None:
            found = self.report.operations[name] = Operation()
        return found

    def ok(self, name: str, seconds: float) -> None:
        one = self._of(name)
        one.ok += 1
        one.latency.add(seconds)

    def failed(self, name: str, kind: str, detail: str = "") -> None:
        self._of(name).failed[kind] += 1
        self._tell(f"{name}: {kind}", detail)

    def shed(self, name: str) -> None:
        self._of(name).shed += 1

    def unknown(self, name: str, why: str) -> None:
        self._of(name).unknown += 1
        self._tell(f"{name}: unknown, {why}", "")

    def _tell(self, what: str, detail: str) -> None:
        if len(self.report.failures) < MOST_FAILURES:
            stamp = time.strftime("%H:%M:%S", time.gmtime())
            self.report.failures.append(f"{stamp} {what} {detail[:300]}".rstrip())

    def note(self, *fields: Any) -> None:
        if self.journal is not None:
            self.journal.write("\t".join(map(str, fields)) + "\n")

    def came(self) -> None:
        self.arrived += 1

    def entered(self) -> None:
        self.watching += 1
        self.report.most_watching = max(self.report.most_watching, self.watching)

    def left(self) -> None:
        self.watching -= 1

    def progress(self, elapsed: float) -> Progress:
        parts = [one for name, one in self.report.operations.items() if name not in WHOLES]
        return Progress(
            elapsed=elapsed,
            arrived=self.arrived,
            joined=self.joined,
            watching=self.watching,
            ok=sum(one.ok for one in parts),
            failed=sum(sum(one.failed.values()) for one in parts),
            shed=sum(one.shed for one in parts),
            unknown=sum(one.unknown for one in parts),
            late_seconds=self.report.late_seconds,
            latencies={
                name: {str(index): count for index, count in self.report.operations[name].latency.buckets.items()}
                for name in (PAGE, JOIN)
                if name in self.report.operations
            },
        )

    def close(self) -> CrowdReport:
        """The journal is on the disk when this returns."""
        if self.journal is not None:
            self.journal.close()
        self.report.arrived, self.report.joined = self.arrived, self.joined
        return self.report
