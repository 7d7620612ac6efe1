"""Go or no-go: what a drill must not exceed."""

from collections.abc import Iterable
from dataclasses import dataclass

from operations.domain.crowd.measure import JOIN
from operations.domain.drill.record import PAGE, Finding, Injected, Moment, Record

AFTERMATH_SECONDS = 15.0  # browsers that were cut off come back within this time of the recovery


@dataclass(frozen=True)
class Limits:
    """The defaults are the promise of docs/drill.md. Durations in milliseconds."""

    page_p95_ms: float = 1_000.0
    join_p95_ms: float = 3_000.0
    errors: int = 0  # outside of faults
    fault_errors_percent: float = 1.0  # of what was asked while a fault and its aftermath went on
    lost: int = 0
    recovery_seconds: float = 60.0
    arrived_percent: float = 95.0  # of those who should have come; fewer: the load generator itself was the bottleneck


def judge(record: Record, limits: Limits) -> tuple[Finding, ...]:
    errors, in_faults, asked_in_faults = share_out(record.moments, record.faults)
    errors = max(errors, record.errors_of_all - in_faults)  # what no moment saw counts as outside
    findings = [
        _duration(PAGE, "Pages, p95", record, limits.page_p95_ms),
        _duration(JOIN, "From the first click to playing, p95", record, limits.join_p95_ms),
        _at_most("Errors" + (" outside of faults" if record.faults else ""), errors, limits.errors, ""),
        _at_most("Acknowledged and lost", record.lost, limits.lost, ""),
        _arrived(record, limits),
    ]
    if record.faults:
        share = 100 * in_faults / asked_in_faults if asked_in_faults else 0.0
        findings.append(_at_most("Errors while faults went on", round(share, 2), limits.fault_errors_percent, "%"))
        findings += [_recovery(fault, limits.recovery_seconds) for fault in record.faults]
    return tuple(findings)


def share_out(moments: Iterable[Moment], faults: Iterable[Injected]) -> tuple[int, int, int]:
    """Errors outside of faults, errors within, and how much was asked within. Moments count from the begin."""
    windows = [
        (fault.at, float("inf") if fault.recovered_at is None else fault.recovered_at + AFTERMATH_SECONDS)
        for fault in faults
    ]
    outside = inside = asked = 0
    before = Moment(at=0.0)
    for moment in moments:
        errors, requests = moment.errors - before.errors, moment.requests - before.requests
        if any(begin <= moment.at and before.at <= end for begin, end in windows):
            inside, asked = inside + errors, asked + requests
        else:
            outside += errors
        before = moment
    return outside, inside, asked


def _duration(operation: str, name: str, record: Record, limit: float) -> Finding:
    """What nobody did was not shown to be fast."""
    found = record.operation(operation)
    if found is None or not found.ok:
        return Finding(name, None, limit, "ms", holds=False, words="nobody got that far")
    words = f"{found.ok:,} times, the longest {found.longest:,.0f} ms"
    return Finding(name, round(found.p95, 1), limit, "ms", holds=found.p95 <= limit, words=words)


def _at_most(name: str, measured: float, limit: float, unit: str) -> Finding:
    return Finding(name, measured, limit, unit, holds=measured <= limit, words="")


def _arrived(record: Record, limits: Limits) -> Finding:
    percent = round(100 * record.came / record.doctors, 1) if record.doctors else 0.0
    words = f"{record.came:,} of {record.doctors:,}"
    return Finding(
        "Doctors who came",
        percent,
        limits.arrived_percent,
        "%",
        percent >= limits.arrived_percent,
        words,
        at_least=True,
    )


def _recovery(fault: Injected, limit: float) -> Finding:
    name = f"Whole again after {fault.name}"
    if fault.recovered_at is None:
        return Finding(name, None, limit, "s", holds=False, words="not before the end")
    return Finding(
        name, fault.recovery, limit, "s", holds=fault.recovered_at - fault.at <= limit, words=f"at {fault.at:,.0f} s"
    )
