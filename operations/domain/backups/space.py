"""Whether a restored copy fits beside the database that it is a copy of, where that can be known."""

from collections import defaultdict
from pathlib import Path

import psutil
import psycopg
from django.conf import settings

from operations.domain.backups.errors import NoSpaceError
from operations.domain.backups.manifest import Manifest
from operations.domain.backups.programs import Parameters
from operations.domain.backups.stores import Folder, Store
from operations.domain.crowd.plan import is_loopback

RESERVE = 2**30  # bytes that must stay free: the site goes on writing, and restoring writes its own log
# The setting is a secret of the server to roles without pg_read_all_settings: then there is no row.
_ASK = "SELECT pg_database_size(current_database()), (SELECT setting FROM pg_settings WHERE name = 'data_directory')"


def check_space(*, store: Store, manifest: Manifest, beside: Parameters) -> None:
    """Raises NoSpaceError before anything is written. A server elsewhere is not asked: nobody here sees its disk."""
    wanted: dict[int, int] = defaultdict(int)
    places: dict[int, Path] = {}
    for path, size in _needs(store, manifest, beside):
        device = path.stat().st_dev
        wanted[device] += size
        places[device] = path
    for device, size in wanted.items():
        free = psutil.disk_usage(str(places[device])).free
        if free < size + RESERVE:
            raise NoSpaceError(
                f"Restoring would fill the disk of {places[device]}: it takes about {_gib(size)}, {_gib(RESERVE)} must "
                f"stay free, and {_gib(free)} are. Make room, or restore on another machine: manage.py restore --into."
            )


def _needs(store: Store, manifest: Manifest, beside: Parameters) -> list[tuple[Path, int]]:
    """Places and bytes. A copy is at most about as large as what it is a copy of: it has no dead rows."""
    with psycopg.connect(**beside, autocommit=True, connect_timeout=10) as connection:
        size, data = connection.execute(_ASK).fetchone() or (0, None)
    needs = []
    if data and _is_here(beside) and Path(data).exists():
        needs.append((Path(data), int(size)))
    if not isinstance(store, Folder):  # its dump is fetched first
        settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
        needs.append((settings.VAR_DIR, manifest.bytes))
    return needs


def _is_here(parameters: Parameters) -> bool:
    host = str(parameters.get("host") or "/")
    return host.startswith("/") or is_loopback(host)


def _gib(size: float) -> str:
    return f"{size / 2**30:.1f} GiB"
