"""Issuing, verifying and looking over, for `script/bench certification`: within a stage (`tests.bench.stage`)."""

import time
from decimal import Decimal
from typing import Any

ISSUED = 10_000
LINES = 100_000
LOOKS = 300


def measure_certificates(*, issued: int = ISSUED, lines: int = LINES, looks: int = LOOKS) -> dict[str, Any]:
    """`verify_cpu_ms`: the median CPU of one verification page; the other figures are seconds of the clock."""
    from certification.domain.chain import verify
    from certification.domain.issuing import issue_due
    from core.clock import now
    from tests.certification.earned import issuing_programme

    programme = issuing_programme(slug="bench-certificates")
    _earn(programme, issued)
    began = time.perf_counter()
    done = issue_due(programme=programme, now=now())
    seconds = time.perf_counter() - began
    if len(done.new) != issued:
        raise RuntimeError(f"{len(done.new)} of {issued} were issued: {done.refused}")
    _lengthen(programme, lines)
    began = time.perf_counter()
    found = verify(programme_id=programme.pk)
    ledger = time.perf_counter() - began
    if found.flaw is not None or found.length < lines:
        raise RuntimeError(f"The ledger does not hold: {found}")
    return {
        "verify_cpu_ms": round(_verify_cpu_ms(done.new[0].public_id, looks), 2),
        "ledger_100k_s": round(ledger * 100_000 / found.length, 2),
        "issue_10k_s": round(seconds * 10_000 / issued, 2),
    }


def _earn(programme: Any, count: int) -> None:
    """Doctors who have completed the programme."""
    from accounts.models import User
    from core.clock import now
    from courses.enums import EnrolmentStatus
    from courses.models import Enrolment

    moment = now()
    users = User.objects.bulk_create(
        (
            User(email=f"certified{number}@example.org", first_name="Amelia", last_name=f"Okonkwo {number}")
            for number in range(count)
        ),
        batch_size=1_000,
    )
    Enrolment.objects.bulk_create(
        (
            Enrolment(
                user=user, programme=programme, status=EnrolmentStatus.COMPLETED, enrolled_at=moment,
                activated_at=moment, completed_at=moment,
            )
            for user in users
        ),
        batch_size=1_000,
    )  # fmt: skip


def _lengthen(programme: Any, lines: int) -> None:
    """Corrections of one credit: what fills a ledger does not matter to whoever reads it line by line."""
    from django.db import transaction

    from certification.domain.chain import NewEntry, append, lock_chain
    from certification.enums import EntryKind
    from core.clock import now
    from tests.certification.earned import claim_of

    claim = claim_of(programme)
    entry = NewEntry(
        EntryKind.CREDIT_CORRECTED, claim.user_id, claim_id=claim.pk, credits=Decimal("0.5"), reason="Counted anew",
        details={"evidence": "0" * 64, "version": "2022", "took_part_on": "2026-11-22"},
    )  # fmt: skip
    while True:
        with transaction.atomic():
            chain = lock_chain(programme)
            if chain.length >= lines:
                return
            append(chain=chain, entries=[entry] * min(5_000, lines - chain.length), now=now())


def _verify_cpu_ms(public_id: str, looks: int) -> float:
    """Of this process: view, template and driver, without the database's share. Past the limit by address."""
    from django.test import Client

    browsers = [Client(REMOTE_ADDR=f"192.0.2.{number}") for number in range(1, looks // 40 + 2)]
    spent = []
    for number in range(looks):
        began = time.process_time()
        response = browsers[number // 40].get(f"/verify/{public_id}/")
        spent.append((time.process_time() - began) * 1000)
        if response.status_code != 200:
            raise RuntimeError(f"The page answered {response.status_code}")
    return sorted(spent)[looks // 2]
