"""Child processes that never outlive their parent: for the supervisor, the embedded servers and transcoding."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

PR_SET_PDEATHSIG, PR_GET_PDEATHSIG = 1, 2
LOOK_SECONDS = 0.5
# Loaded before any fork: between fork and exec only async-signal-safe work is allowed, and dlopen is not.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Identity:
    """A pid alone is not an identity: after a crash or a reboot another process may carry the same number."""

    pid: int
    created: float

    @classmethod
    def of(cls, pid: int) -> "Identity | None":
        try:
            return cls(pid, round(psutil.Process(pid).create_time(), 2))
        except psutil.Error:
            return None

    def alive(self) -> bool:
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.created) < 1.0
            return bool(same and process.status() != psutil.STATUS_ZOMBIE)
        except psutil.Error:
            return False


def die_with_parent(death_signal: int) -> Callable[[], None]:
    """For `preexec_fn`: the kernel sends the signal when the thread that started the child ends (Linux only).

    A shell without job control starts what it puts in the background with SIGQUIT ignored, and whoever is started by
    that inherits it: the child would hear of the death only once it has a handler of its own. So would one that still
    has the handler of its parent, which goes with `exec`.
    """
    parent = os.getpid()

    def prepare() -> None:
        if _libc is None:
            return
        if death_signal != signal.SIGKILL:
            signal.signal(death_signal, signal.SIG_DFL)
        _libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != parent:  # the parent died between fork and prctl
            os._exit(1)

    return prepare


def end_with(parent: int) -> None:
    """For a process that was forked and goes on as it is: the kernel kills it when the thread that forked it ends."""
    if _libc is None:
        return
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before this
        os._exit(1)


def is_tied() -> bool:
    """Whether the kernel sends this process a signal when its parent ends: it was started with `spawn`."""
    number = ctypes.c_int(0)
    return _libc is not None and _libc.prctl(PR_GET_PDEATHSIG, ctypes.byref(number)) == 0 and number.value != 0


def end_after(parent: int, *, seconds: float) -> None:
    """For a thread: when the parent has died, this process has so many seconds to end by itself, and is killed then."""
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    time.sleep(seconds)
    os.kill(os.getpid(), signal.SIGKILL)


def spawn(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    output: IO[bytes] | int | None = None,
    user: tuple[int, int] | None = None,
    death_signal: int | None = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start a child in a process group of its own, so that Ctrl-C in the terminal reaches only the parent.

    The kernel sends `death_signal` when the *thread* that called this ends: call it from a long-lived thread.
    None detaches the child. The prctl survives `user` because the child sets it after changing ids.
    """
    return subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        env=None if environment is None else dict(environment),
        cwd=directory,
        process_group=0 if death_signal is not None else None,
        start_new_session=death_signal is None,
        preexec_fn=None if death_signal is None else die_with_parent(death_signal),  # noqa: PLW1509  # no lock is taken
        user=None if user is None else user[0],
        group=None if user is None else user[1],
        extra_groups=None if user is None else [],
    )


def wait_until(condition: Callable[[], bool], *, seconds: float, every: float = 0.02) -> bool:
    """Poll `condition` until it holds; False when the time is over."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(every)
    return True


def stop_process(identity: Identity, *, signals: Iterable[tuple[int, float]]) -> bool:
    """Send each signal in turn and give the process the seconds that go with it. True once it is gone."""
    for number, seconds in signals:
        if not identity.alive():
            return True
        try:
            os.kill(identity.pid, number)
        except ProcessLookupError:
            return True
        if wait_until(lambda: _gone(identity), seconds=seconds):
            return True
    return _gone(identity)


def _gone(identity: Identity) -> bool:
    with contextlib.suppress(ChildProcessError):  # Reaps a child of our own, which would stay a zombie.
        os.waitpid(identity.pid, os.WNOHANG)
    return not identity.alive()
