"""What a look makes of an invented doctor, as a picture for whoever edits it.

`python -m certification.printing.preview` draws in a process of its own (`preview_apart`).
"""

import json
import subprocess
import sys
import threading
from datetime import date
from pathlib import Path

from certification.printing.document import DocumentError, picture
from certification.printing.facts import (
    CertificateFacts,
    Credit,
    Look,
    Signatory,
    freeze,
    thaw_facts,
    thaw_look,
)

ROOT = Path(__file__).parents[2]
SECONDS = 20  # half a second on an idle machine
REFUSED = 3  # exit code: the reason stands on the standard error
_turn = threading.Lock()

ADDRESS = "https://example.org/verify/ABCDEFGHIJKLMNOPQRSTUVWXYZ/"
STATEMENT = (
    "The accreditation statement of the authority stands here, word for word, as long as it may be. It names who is "
    "accredited, by whom, and how many credits the activity was designated for."
)
SAMPLE = CertificateFacts(
    holder="Dr. Alexandra Example-Montgomery",
    title="Heart failure in primary care: what changed this year",
    number="SAMPLE-2026-000001",
    public_id="ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    verify_address=ADDRESS,
    issued_on=date(2026, 1, 31),
    council="Example Medical Council",
    registration_number="1234567",
    programme="Cardiology for General Practice",
    provider="Society of Sample Medicine",
    format="live",
    began_on=date(2026, 1, 30),
    credits=(Credit("0.75", "AMA PRA Category 1 Credits™", "SAMPLE-01"),),
    statements=(STATEMENT,),
    signatories=(Signatory("Prof. Sam Sample", "Chair, Education Committee"), Signatory("Dr. Ira Example", "Director")),
)


def preview(look: Look, *, facts: CertificateFacts = SAMPLE, pixels_per_inch: float = 96) -> bytes:
    """PNG, about 1,120 × 790 pixels. Under 0.3 s; the first of a process loads the fonts."""
    return picture(facts, look, pixels_per_inch=pixels_per_inch)


def preview_apart(look: Look, *, facts: CertificateFacts = SAMPLE) -> bytes:
    """As `preview`, in a process that ends with it: one that serves pages keeps neither typst's threads nor its 130 MB.

    One at a time. Raises DocumentError.
    """
    asked = json.dumps({"facts": freeze(facts), "look": freeze(look)}).encode()
    command = [sys.executable, "-E", "-s", "-m", "certification.printing.preview"]
    if not _turn.acquire(timeout=SECONDS):
        raise DocumentError("Others are drawing.")
    try:
        done = subprocess.run(command, input=asked, capture_output=True, timeout=SECONDS, cwd=ROOT, env={}, check=False)
    except subprocess.TimeoutExpired as error:
        raise DocumentError(f"Nothing was drawn within {SECONDS} seconds.") from error
    finally:
        _turn.release()
    if done.returncode:
        told = done.stderr.decode(errors="replace").strip()
        raise DocumentError(told if done.returncode == REFUSED else f"Exit code {done.returncode}: {told[-500:]}")
    return done.stdout


def _draw() -> int:
    asked = json.load(sys.stdin.buffer)
    try:
        drawn = preview(thaw_look(asked["look"]), facts=thaw_facts(asked["facts"]))
    except DocumentError as error:
        sys.stderr.write(str(error))
        return REFUSED
    sys.stdout.buffer.write(drawn)
    return 0


if __name__ == "__main__":
    sys.exit(_draw())
