"""Whether `manage.py prepare` has something to do, answered without loading Django: half of a second start's time."""

import hashlib
import os
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parent.parent


def state(database_url: str, *, demo: bool) -> str:
    """Changes with the sources of migrations and static files, with the requirements, and with the database itself.

    The database answers for itself, so that a restored, emptied or exchanged one is prepared again.
    """
    digest = hashlib.sha256(f"demo={demo} debug={os.environ.get('DEBUG', '')}\n".encode())
    for path in sorted(_sources()):
        status = path.stat()
        digest.update(f"{path.relative_to(ROOT)}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    digest.update(_identity(database_url).encode())
    return digest.hexdigest()


def _sources() -> list[Path]:
    tops = [path for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".") and path.name != "var"]
    migrations = [path for top in tops for path in top.glob("migrations/*.py")]
    static = [path for top in (ROOT / "static", *(top / "static" for top in tops)) for path in top.rglob("*")]
    return [
        *migrations,
        *(path for path in static if path.is_file()),
        *(ROOT / "reminders/rendering/builtin").glob("*.toml"),
        ROOT / "requirements.txt",
        ROOT / "lms/settings.py",
    ]


def _identity(database_url: str) -> str:
    with psycopg.connect(database_url, connect_timeout=5) as connection:
        table = connection.execute("SELECT to_regclass('django_migrations')").fetchone()
        if not table or table[0] is None:
            return "empty"
        return str(
            connection.execute(
                "SELECT (SELECT oid FROM pg_database WHERE datname = current_database()), count(*), max(applied)"
                " FROM django_migrations"
            ).fetchone()
        )
