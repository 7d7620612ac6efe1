"""What a running cluster leaves in its directory, so that other commands and programs find it."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from core.processes import Identity
from deploy.cluster.units import ROOT

FILE = "cluster.json"


def default_directory() -> Path:
    return Path(os.environ.get("VAR_DIR") or ROOT / "var" / "cluster").expanduser().resolve()


@dataclass(frozen=True)
class State:
    supervisor: Identity
    control: str  # the path of a Unix socket
    url: str
    ready: bool = False
    ports: dict[str, int] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)  # that of the replicas, where it differs from the shell's
    direct: dict[str, str] = field(default_factory=dict)  # past PgBouncer: for migrations, backups, checks

    @classmethod
    def read(cls, directory: Path) -> "State | None":
        """None when no cluster runs there."""
        try:
            raw = json.loads((directory / FILE).read_text())
            state = cls(**{**raw, "supervisor": Identity(**raw["supervisor"])})
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None
        return state if state.supervisor.alive() else None

    def write(self, directory: Path) -> None:
        """Readable by the owner only: it holds the secret key and Valkey's password."""
        path = directory / FILE
        temporary = path.with_suffix(".tmp")
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(asdict(self), file)
        temporary.replace(path)
