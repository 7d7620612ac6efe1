"""Records of drills that never took place, for tests of what is made of them."""

from dataclasses import replace
from typing import Any

from operations.domain.drill.record import Injected, Moment, Operation, Record


def operation(name: str, p95: float, **changes: Any) -> Operation:
    ok = changes.get("ok", 100)
    made = Operation(name, ok, ok, 0, 0, 0, p95 / 2, p95, p95 * 1.5, p95 * 2)
    return replace(made, **changes)


def moments(*counts: tuple[float, int, int]) -> tuple[Moment, ...]:
    """(at, requests, errors), both since the begin."""
    return tuple(
        Moment(
            at=at,
            arrived=100,
            sockets=90,
            requests=requests,
            errors=errors,
            page_p95=120.0,
            join_p95=800.0,
            cpu={"web": 40.0, "realtime": 10.0},
            memory={"web": 200 * 1_048_576},
            threads={"web": 20},
            connections={"web": 12},
            sessions={"active": 3, "idle": 9},
            locks=12,
            locks_waiting=0,
        )
        for at, requests, errors in counts
    )


def record(**changes: Any) -> Record:
    """One that keeps every limit."""
    made = Record(
        webinar_id=7,
        title="PCOS after thirty",
        began_at="2026-11-15T06:00:00+00:00",
        seconds=60.0,
        multiple=1,
        minutes=0.5,
        seed=1,
        audience="registered",
        doctors=100,
        came=100,
        countries={"IN": 60, "KE": 40},
        target="http://127.0.0.1:20001",
        machine={"cores": 2, "memory": 24 * 2**30},
        replicas={"web": 2, "realtime": 2, "worker": 1},
        operations=(operation("page", 240.0), operation("join", 900.0), operation("beat_ack", 300.0)),
        moments=moments((10.0, 200, 0), (20.0, 400, 0), (30.0, 600, 0)),
        errors=(),
        faults=(),
        lost=0,
        lost_examples=(),
        acknowledged=400,
        saturated_by="nothing",
        told=("3 s: announced",),
        unmeasured=(),
        kept_back=0,
    )
    return replace(made, **changes)


def fault(at: float, recovered_at: float | None) -> Injected:
    return Injected("redis-restart", at, recovered_at, ("valkey: SIGKILL to 4711",))
