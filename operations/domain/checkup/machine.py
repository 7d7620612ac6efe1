"""This machine: disk, CPU and memory, now and over the checkups before; error lines of its logs."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import psutil

from operations.domain.checkup.report import Line, above, ok, warning

KEPT = 1_000  # samples: three years of daily ones
MOST_READ = 50_000_000  # bytes of one log: a checkup must not take the disk's time for minutes
CPU_SECONDS = 0.5
ERROR = re.compile(rb'"level": ?"(?:error|critical)"|\b(?:ERROR|FATAL|PANIC|CRITICAL)\b')


@dataclass(frozen=True)
class Sample:
    at: str
    disk_percent: float
    cpu_percent: float
    memory_percent: float
    logs: dict[str, int] = field(default_factory=dict)  # how far each was read


class History:
    """Samples, one JSON object a line. A line that a full disk cut off is skipped."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> list[Sample]:
        found = []
        for text in self.path.read_text().splitlines() if self.path.exists() else ():
            try:
                found.append(Sample(**json.loads(text)))
            except (ValueError, TypeError):
                continue
        return found

    def add(self, sample: Sample) -> None:
        """Temporary name, then rename: the history is never half a one."""
        lines = [json.dumps(asdict(one)) for one in [*self.read(), sample][-KEPT:]]
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial = self.path.with_suffix(f".{os.getpid()}")
        partial.write_text("\n".join(lines) + "\n")
        partial.replace(self.path)


def take_sample(*, disk: Path, logs: dict[str, int], now: datetime) -> Sample:
    return Sample(
        at=now.isoformat(),
        disk_percent=psutil.disk_usage(str(disk)).percent,
        cpu_percent=psutil.cpu_percent(CPU_SECONDS),
        memory_percent=psutil.virtual_memory().percent,
        logs=logs,
    )


def judge(sample: Sample, before: list[Sample], *, now: datetime) -> Iterator[Line]:
    week = [one for one in before if now - datetime.fromisoformat(one.at) <= timedelta(days=7)]

    def line(name: str, key: str, *, warn: float, bad: float) -> Line:
        value: float = getattr(sample, key)
        past = [float(getattr(one, key)) for one in week]
        text = f"{value:.0f} %"
        if past:
            text += f"; {len(past)} checkups of the last 7 days: {min(past):.0f}–{max(past):.0f} %"
        return above(name, value, warn=warn, bad=bad, text=text)

    yield line("disk", "disk_percent", warn=80, bad=92)
    yield line("CPU", "cpu_percent", warn=85, bad=98)
    yield line("memory", "memory_percent", warn=85, bad=95)
    if week and (grown := sample.disk_percent - week[0].disk_percent) > 1:
        days = max((now - datetime.fromisoformat(week[0].at)) / timedelta(days=1), 0.04)
        left = (100 - sample.disk_percent) / (grown / days)
        yield above("disk growth", -left, warn=-30, bad=-7, text=f"at this pace full in {left:.0f} days")


def read_logs(folder: Path, before: dict[str, int]) -> tuple[list[Line], dict[str, int]]:
    """Error lines since the checkup before. A file that is shorter than it was is a new one."""
    lines: list[Line] = []
    reached: dict[str, int] = {}
    for path in sorted(folder.glob("*.log")):
        size = path.stat().st_size
        start = before.get(path.name, 0)
        start = max(0 if start > size else start, size - MOST_READ)
        with path.open("rb") as file:
            file.seek(start)
            count = sum(ERROR.search(text) is not None for text in file)
            reached[path.name] = file.tell()
        if count:
            lines.append(warning("logs", f"{count} new error lines in {path}"))
    return lines or [ok("logs", f"no new error lines in {len(reached)} files of {folder}")], reached
