"""A disk of its own for PostgreSQL, small enough to be filled: a tmpfs, which takes a mount and so root."""

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

SIZE = "600m"  # PostgreSQL's program, its data, and its log of some minutes


class DiskError(Exception):
    """Why this machine lets nobody fill a disk."""


class Disk:
    """`home` is where PostgreSQL lives. Where nothing can be mounted it lives beside the rest, and `fill` fails."""

    def __init__(self, home: Path | None, reason: str = "") -> None:
        self.home, self.reason = home, reason

    @property
    def ballast(self) -> Path:
        if self.home is None:
            raise DiskError(f"No disk can be filled here, because none can be mounted: {self.reason}")
        return self.home / "ballast"

    def fill(self) -> int:
        """Until the kernel says that there is no space left. Returns the bytes it took."""
        with self.ballast.open("wb") as file:
            for size in (1 << 20, 1 << 12):
                with contextlib.suppress(OSError):
                    while True:
                        os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, size)
            return os.fstat(file.fileno()).st_size

    @staticmethod
    def has_bitten(logs: Path) -> bool:
        """PostgreSQL says so in its log, also where it could not say it to anybody."""
        return "No space left on device" in (logs / "postgresql.log").read_text(errors="replace")

    def free(self) -> None:
        if self.home is not None:
            self.ballast.unlink(missing_ok=True)


@contextlib.contextmanager
def disk(directory: Path) -> Iterator[Disk]:
    """For a cluster in `directory`, by what `lms.embedded` offers: a private directory and a note where to go."""
    home = Path(tempfile.mkdtemp(prefix="lms-disk-"))
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0755", "lms-faults", str(home)]
    try:
        mounted = subprocess.run(command, capture_output=True, text=True, check=False)
        reason = mounted.stderr.strip()
    except FileNotFoundError as error:
        mounted, reason = None, str(error)
    if mounted is None or mounted.returncode:
        home.rmdir()
        yield Disk(None, reason)
        return
    try:
        directory.chmod(0o700)
        directory.joinpath("postgresql-home").write_text(f"{home}\n")
        yield Disk(home)
    finally:
        subprocess.run(["umount", "--lazy", str(home)], check=True)
        home.rmdir()
