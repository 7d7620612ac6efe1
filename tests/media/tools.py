"""What the media tests share besides fixtures."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import connection

from media.ffmpeg.binary import ffmpeg_path

Make = Callable[..., Path]


def run_ffmpeg_tool(*arguments: str | Path) -> None:
    command = [ffmpeg_path(), "-v", "error", "-nostdin", "-y", *map(str, arguments)]
    subprocess.run(command, check=True, timeout=180)


def files_of(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def database_url() -> str:
    database = connection.settings_dict
    host, name = database["HOST"], database["NAME"]
    address = f"{database['USER']}:{database['PASSWORD']}@"
    return f"postgresql://{address}localhost:{database['PORT'] or 5432}/{name}?host={host}"


def subprocess_environment(root: Path) -> dict[str, str]:
    work = {"MEDIA_ROOT": str(root), "MEDIA_WORK_DIR": str(settings.MEDIA_WORK_DIR)}
    return {**os.environ, "DATABASE_URL": database_url(), "MEDIA_FFMPEG_NICE": "0", **work}
