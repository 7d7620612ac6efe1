"""Ten thousand doctors in one evidence pack: how long, and whether memory grows with people.

Each command is a process of its own, which tells its greatest memory when it ends (not what `wait4` tells: that counts
the process which started it). It is compared with the same command about an activity that nobody came to.
"""

import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.bench.stage import ROOT

PEOPLE = 10_000
TELLING = """
import re, sys
from pathlib import Path
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", *sys.argv[1:]])
print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


@dataclass(frozen=True)
class Ran:
    seconds: float
    peak_mb: float


def measure_evidence(directory: Path, people: int = PEOPLE) -> dict[str, Any]:
    """Every doctor has watched, has credit, a certificate and a badge; four of five gave feedback and passed."""
    activity, empty = _world(people)
    pack, small = directory / "many.zip", directory / "none.zip"
    few = [
        run_command("evidence", empty, "--to", small),
        run_command("evidence", "check", small, "--site"),
        run_command("credit_report", "councils", empty, "--to", directory / "none.csv"),
    ]
    many = [
        run_command("evidence", activity, "--to", pack),
        run_command("evidence", "check", pack, "--site"),
        run_command("credit_report", "councils", activity, "--to", directory / "many.csv"),
    ]
    written, checked, listed = many
    return {
        "evidence_people": people,
        "evidence_10k_s": round(written.seconds * 10_000 / people, 1),
        "evidence_check_10k_s": round(checked.seconds * 10_000 / people, 1),
        "evidence_mb": round(pack.stat().st_size / 1e6, 1),
        "evidence_growth_mb": round(written.peak_mb - few[0].peak_mb),
        "evidence_check_growth_mb": round(checked.peak_mb - few[1].peak_mb),
        "credit_list_growth_mb": round(listed.peak_mb - few[2].peak_mb),
    }


def _world(people: int) -> tuple[int, int]:
    """Activities: with everybody, and with nobody."""
    from accounts.models import User
    from certification.domain.granting import grant_for
    from certification.domain.issuing import issue_due
    from tests.bench.evaluating import STARTED, fill
    from tests.factories.certification import AccreditationFactory, CertificateTemplateFactory

    _, accreditation = fill(people, 0)
    later = STARTED + timedelta(hours=5)
    granted = grant_for(accreditation=accreditation, now=later, since=None)
    User.objects.update(first_name="Amelia", last_name="Okonkwo")
    programme = accreditation.activity.lesson.course.programme
    CertificateTemplateFactory.create(programme=programme)
    issued = issue_due(programme=programme, now=later).new
    if (granted, issued) != (people, people):
        raise RuntimeError(f"{granted:,} of {people:,} have credit, {issued:,} a certificate")
    other = AccreditationFactory.create(authority="india", council="maharashtra", version="2024")
    return accreditation.activity_id, other.activity_id


def run_command(*words: Any) -> Ran:
    """`manage.py …` in a process of its own. Raises RuntimeError when it fails."""
    began = time.perf_counter()
    command = [sys.executable, "-c", TELLING, *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, words))} ended with {done.returncode}: {done.stdout}")
    return Ran(time.perf_counter() - began, int(done.stdout.splitlines()[-1]) / 1024)
