"""What the embedded servers have in common: a log of their own, an environment of their own, and a process."""

import os
import subprocess
from pathlib import Path

from core.processes import Identity, spawn

LOG_LIMIT = 10_000_000


class EmbeddedError(Exception):
    """A server cannot be found or does not start; the message says what to do."""


class Server:
    name: str

    def __init__(self, directory: Path, *, durable: bool, detach: bool) -> None:
        self.directory = directory
        self.durable = durable
        self.detach = detach
        self.log = directory / "log" / f"{self.name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def spawn(
        self, command: list[str | Path], *, directory: Path, death_signal: int, user: tuple[int, int] | None
    ) -> None:
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as output:
            self.process = spawn(
                command,
                directory=directory,
                output=output,
                user=user,
                environment=plain_environment(),
                death_signal=None if self.detach else death_signal,
            )

    def identity(self) -> Identity:
        identity = Identity.of(self.process.pid) if self.process else None
        if identity is None:
            raise EmbeddedError(f"{self.name} ended right after its start.\n{self.log_tail()}")
        return identity

    def exited(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def log_tail(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join([f"Last lines of {self.log}:", *lines[-15:]])

    def abort(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def plain_environment() -> dict[str, str]:
    """Without PGDATA, PGOPTIONS, PGPORT… of the caller, which would change the server's behaviour."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"LC_ALL": "C", "LANG": "C"}
