"""Finds ffmpeg and runs it so that it never outlives, starves or surprises the process that started it."""

import ctypes
import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import imageio_ffmpeg

# Only containers that hold moving pictures, and only local files: a playlist or concat script renamed to .mp4 would
# otherwise make ffmpeg read other files of the server or call addresses inside the network.
FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg,mxf,dv,h264,hevc"
SAFE_INPUT = ("-protocol_whitelist", "file,pipe", "-format_whitelist", FORMATS)
# For playlists that were written here: the segments they name are read as well.
OWN_PLAYLIST = ("-protocol_whitelist", "file,pipe", "-format_whitelist", "hls,mpegts")
PR_SET_PDEATHSIG = 1


class FfmpegError(Exception):
    """ffmpeg ended with an error; the text is the end of what it wrote."""

    def __init__(self, returncode: int, detail: str) -> None:
        super().__init__(f"ffmpeg ended with {returncode}: {detail}")
        self.returncode = returncode
        self.detail = detail

    @property
    def no_space(self) -> bool:
        return "No space left on device" in self.detail


@functools.cache
def ffmpeg_path() -> str:
    """The system's ffmpeg, else the one in the imageio-ffmpeg wheel (which needs no system package)."""
    return shutil.which("ffmpeg") or imageio_ffmpeg.get_ffmpeg_exe()


def run_ffmpeg(
    arguments: Sequence[str | Path],
    *,
    nice: int = 0,
    on_position: Callable[[float], None] | None = None,
) -> None:
    """Runs to the end. `on_position` gets the seconds written so far about twice a second; what it raises stops ffmpeg.

    On Linux the kernel kills ffmpeg with the thread that started it, so a killed worker leaves no encoder behind.
    """
    command = [ffmpeg_path(), "-hide_banner", "-nostdin", "-y", "-loglevel", "error", "-progress", "pipe:1", "-nostats"]
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [*command, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            preexec_fn=functools.partial(_before_exec, nice, os.getpid(), _libc()),  # noqa: PLW1509 - two system calls
        )
        try:
            _follow(process, on_position)
            returncode = process.wait()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            if process.stdout:
                process.stdout.close()
        if returncode:
            raise FfmpegError(returncode, _tail(errors.fileno()))


def _follow(process: subprocess.Popen[str], on_position: Callable[[float], None] | None) -> None:
    for line in process.stdout or ():
        name, _, value = line.strip().partition("=")
        # Called for unknown positions ("N/A") as well: the caller renews its lease with it.
        if name == "out_time_us" and on_position:
            on_position(int(value) / 1_000_000 if value.lstrip("-").isdecimal() else 0.0)


def _tail(descriptor: int, size: int = 4000) -> str:
    end = os.fstat(descriptor).st_size
    return os.pread(descriptor, size, max(0, end - size)).decode(errors="replace").strip()


@functools.cache
def _libc() -> ctypes.CDLL | None:
    """Loaded before the fork: loading a library between fork and exec could deadlock."""
    return ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def _before_exec(nice: int, parent: int, libc: ctypes.CDLL | None) -> None:
    if libc:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # the parent died between the fork and the line above
            os._exit(1)
    os.nice(nice)
