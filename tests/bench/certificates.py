"""Issuing with files, verifying and looking over, for `script/bench certification`: within a stage.

Certificates are issued and their files made by the product's own command, of rows in PostgreSQL, into the storage. The
verification page is asked for through its real view, a different certificate each time.
"""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from typing import Any

import psutil

from tests.bench.stage import ROOT, Stage, cpu_seconds

ISSUED = 10_000
LINES = 100_000
LOOKS = 400
WARM = 40
SLUG = "bench-certificates"
PER_ADDRESS = 40  # below the limit of the page


def measure_certificates(
    running: Stage, *, issued: int = ISSUED, lines: int = LINES, looks: int = LOOKS
) -> dict[str, Any]:
    """`verify_cpu_ms`: CPU of the process and of PostgreSQL for one page. `_s` are seconds of the clock."""
    from certification.domain.chain import verify
    from certification.domain.comparing import compared
    from certification.models import Certificate, CertificateFile
    from tests.certification.earned import issuing_programme

    programme = issuing_programme(slug=SLUG)
    _earn(programme, issued)
    seconds = _issue()
    there = Certificate.objects.count()
    if there != issued:
        raise RuntimeError(f"{there:,} of {issued:,} were issued")
    files_seconds, files_cpu = _make_files()
    there = CertificateFile.objects.count()
    if there != issued:
        raise RuntimeError(f"{there:,} of {issued:,} have a file")
    _lengthen(programme, lines)
    began = time.perf_counter()
    found = compared(verify(programme_id=programme.pk))
    ledger = time.perf_counter() - began
    if found.flaw is not None or found.length < lines:
        raise RuntimeError(f"The ledger does not hold: {found}")
    return {
        **_verify_cpu(running, looks),
        "ledger_100k_s": round(ledger * 100_000 / found.length, 2),
        "issue_10k_s": round(seconds * 10_000 / issued, 1),
        "issue_10k_files_s": round((seconds + files_seconds) * 10_000 / issued, 1),
        "pdf_per_min_per_core": round(issued * 60 / files_cpu),
        "certificates": issued,
        "workers": _workers(),
    }


def _workers() -> int:
    return os.cpu_count() or 1


def _issue() -> float:
    """With its bar, where somebody looks on."""
    from django.core.management import call_command

    began = time.perf_counter()
    call_command("issue_certificates", "--programme", SLUG, stdout=sys.stderr)
    return time.perf_counter() - began


def _make_files() -> tuple[float, float]:
    """By a process for each core. Seconds of the clock and of CPU, their start included."""
    command = [sys.executable, "manage.py", "issue_certificates", "--programme", SLUG, "--files"]
    before, began = _children_cpu(), time.perf_counter()
    quiet = subprocess.DEVNULL
    workers = [
        subprocess.Popen(command, cwd=ROOT, stdout=quiet, stderr=quiet if number else None)  # one bar is enough
        for number in range(_workers())
    ]
    codes = [worker.wait() for worker in workers]
    if any(codes):
        raise RuntimeError(f"Making files ended with {codes}")
    return time.perf_counter() - began, _children_cpu() - before


def _children_cpu() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def _earn(programme: Any, number: int) -> None:
    """Doctors who have completed the programme."""
    from accounts.models import User
    from core.clock import now
    from courses.enums import EnrolmentStatus
    from courses.models import Enrolment

    moment = now()
    users = User.objects.bulk_create(
        (
            User(email=f"certified{at}@example.org", first_name="Amelia", last_name=f"Okonkwo {at}")
            for at in range(number)
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
    """Corrections of one credit, each as long as the line of a grant: authority, version, digest and all steps."""
    from django.db import transaction

    from certification.authorities import pack
    from certification.domain.chain import NewEntry, append, lock_chain
    from certification.enums import EntryKind
    from core.clock import now
    from tests.certification.authorities.worked import live, terms
    from tests.certification.earned import claim_of

    claim = claim_of(programme)
    steps = [[one.code, dict(one.values)] for one in pack("accme", version="2022").evaluate(live(47), terms()).steps]
    details = {
        "authority": "accme", "council": "", "version": "2022", "accreditation": claim.accreditation_id,
        "activity": claim.accreditation.activity_id, "format": "live", "took_part_on": "2026-11-22",
        "computed": "0.75", "evidence": "0" * 64, "steps": steps,
    }  # fmt: skip
    entry = NewEntry(
        EntryKind.CREDIT_CORRECTED, claim.user_id, claim_id=claim.pk, credits=Decimal("0.5"), reason="Counted anew",
        details=details,
    )  # fmt: skip
    while True:
        with transaction.atomic():
            chain = lock_chain(programme)
            if chain.length >= lines:
                return
            append(chain=chain, entries=[entry] * min(5_000, lines - chain.length), now=now())


def _verify_cpu(running: Stage, looks: int) -> dict[str, Any]:
    """Means, so that nothing is left out: PostgreSQL's part has whatever it did beside."""
    database = psutil.Process(running.postgres)
    pages = _pages(looks + WARM)
    for _ in islice(pages, WARM):
        pass
    process, server = time.process_time(), cpu_seconds(database)
    seen = sum(1 for _ in pages)
    process, server = time.process_time() - process, cpu_seconds(database) - server
    return {
        "verify_cpu_ms": round((process + server) * 1000 / seen, 2),
        "verify_database_cpu_ms": round(server * 1000 / seen, 2),
        "verify_looks": seen,
    }


def _pages(number: int) -> Iterator[None]:
    """Each of another certificate, past the limit by address; by one client, for a new one loads the site anew."""
    from django.test import Client

    from certification.models import Certificate

    ids = list(Certificate.objects.order_by("pk").values_list("public_id", flat=True)[:number])
    browser = Client()
    for at, public_id in enumerate(ids):
        response = browser.get(f"/verify/{public_id}/", REMOTE_ADDR=f"192.0.2.{at // PER_ADDRESS + 1}")
        if response.status_code != 200:
            raise RuntimeError(f"The page answered {response.status_code}")
        yield
