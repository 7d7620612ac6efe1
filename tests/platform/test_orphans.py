"""A process that its supervisor started ends after it, also where it cannot end by itself."""

import os
import signal
import subprocess
import sys

import psutil

from core.processes import is_tied, wait_until
from tests.platform.conftest import ROOT

# One that hears no SIGTERM, as a worker that waits for Redis; and who starts it, and is killed then.
DEAF = """
import os, signal, sys, threading, time
from core.processes import end_after, is_tied
signal.signal(signal.SIGTERM, signal.SIG_IGN)
assert is_tied()
threading.Thread(target=end_after, args=(os.getppid(),), kwargs={"seconds": float(sys.argv[1])}, daemon=True).start()
print("ready", flush=True)
threading.Event().wait()
"""
PARENT = """
import subprocess, sys, threading
from core.processes import spawn
child = spawn([sys.executable, "-c", sys.argv[1], sys.argv[2]], output=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
threading.Event().wait()
"""
QUITTING = """
import signal, subprocess, sys, threading
from core.processes import spawn
child = spawn(["sleep", "60"], death_signal=signal.SIGQUIT)
print(child.pid, flush=True)
threading.Event().wait()
"""


def started(seconds: float) -> tuple[subprocess.Popen[str], psutil.Process]:
    command = [sys.executable, "-c", PARENT, DEAF, str(seconds)]
    parent = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    return parent, psutil.Process(int(parent.stdout.readline()))


def is_over(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_one_that_does_not_end_by_itself_is_ended() -> None:
    parent, child = started(0.1)
    parent.kill()
    parent.wait(10)
    assert wait_until(lambda: is_over(child), seconds=20)


def test_it_has_its_time_and_as_long_as_the_parent_lives_all_of_it() -> None:
    parent, child = started(600)
    assert not is_over(child)
    parent.kill()
    parent.wait(10)
    assert wait_until(lambda: is_over(child) or child.ppid() != parent.pid, seconds=20)
    assert not is_over(child)
    os.kill(child.pid, signal.SIGKILL)


def test_the_signal_is_heard_where_a_shell_in_the_background_had_it_ignored() -> None:
    """As `script/server &` in a script: SIGQUIT is ignored, and a worker that is still being loaded has no handler."""
    parent = subprocess.Popen(
        [sys.executable, "-c", QUITTING],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGQUIT, signal.SIG_IGN),  # noqa: PLW1509  # no lock is taken
    )
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait(10)
    assert wait_until(lambda: is_over(child), seconds=20)


def test_who_was_started_by_nobody_of_ours_is_not_tied() -> None:
    assert not is_tied()
