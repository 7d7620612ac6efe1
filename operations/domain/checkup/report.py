"""One line per check. What could not be looked at is a warning, never an "all is well"."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum


class Verdict(IntEnum):
    """Also the exit code: the worst one of a checkup."""

    OK = 0
    WARNING = 1
    PROBLEM = 2


@dataclass(frozen=True)
class Line:
    name: str
    verdict: Verdict
    text: str


def ok(name: str, text: str) -> Line:
    return Line(name, Verdict.OK, text)


def warning(name: str, text: str) -> Line:
    return Line(name, Verdict.WARNING, text)


def problem(name: str, text: str) -> Line:
    return Line(name, Verdict.PROBLEM, text)


def above(name: str, value: float, *, warn: float, bad: float, text: str) -> Line:
    verdict = Verdict.PROBLEM if value >= bad else Verdict.WARNING if value >= warn else Verdict.OK
    return Line(name, verdict, text)


Check = Callable[[], Iterable[Line]]


def run_checks(checks: dict[str, Check], *, failures: tuple[type[Exception], ...]) -> list[Line]:
    """A check that cannot ask what it wants to know says so, and the others go on."""
    lines: list[Line] = []
    for name, check in checks.items():
        try:
            lines += check()
        except failures as error:
            lines.append(problem(name, f"cannot be looked at: {str(error).strip().splitlines()[0] or type(error)}"))
    return lines


def worst(lines: Iterable[Line]) -> Verdict:
    return max((line.verdict for line in lines), default=Verdict.OK)


def table(lines: list[Line]) -> str:
    width = max((len(line.name) for line in lines), default=0)
    return "\n".join(f"{line.verdict.name:<8} {line.name:<{width}}  {line.text}" for line in lines)
