"""What the media tests share besides fixtures."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from media.ffmpeg.binary import ffmpeg_path

Make = Callable[..., Path]


def run_ffmpeg_tool(*arguments: str | Path) -> None:
    command = [ffmpeg_path(), "-v", "error", "-nostdin", "-y", *map(str, arguments)]
    subprocess.run(command, check=True, timeout=180)


def files_of(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
