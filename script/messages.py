"""The steps of `script/messages`: collect every message, compile every catalogue, say how complete each is."""

import os
import subprocess
import sys
from pathlib import Path

from system_packages import provide

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "locale"


def catalogues() -> list[Path]:
    return sorted(LOCALE.glob("*/LC_MESSAGES/django.po"))


def manage(*arguments: str) -> bool:
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "lms.settings"}
    command = [sys.executable, "-m", "django", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode == 0


def compile_one(path: Path) -> bool:
    """`--check` refuses placeholders that differ from the original's, which would be an error page for somebody."""
    print(f"{path.parent.parent.name:8}", end=" ", flush=True)
    command = ["msgfmt", "--check", "--statistics", f"--output-file={path.with_suffix('.mo')}", str(path)]
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def main() -> int:
    if not provide("gettext", "msgfmt"):
        return 1
    known = {path.parent.parent.name for path in catalogues()}
    wanted = sorted(known | set(sys.argv[1:]))
    if not wanted:
        print("No catalogue yet. Begin one by its locale's name: script/messages fr, or script/messages pt_BR.")
        return 0
    LOCALE.mkdir(exist_ok=True)
    if not manage("makemessages", *(f"--locale={name}" for name in wanted)):
        return 1
    compiled = [compile_one(path) for path in catalogues()]
    return 0 if all(compiled) else 1


if __name__ == "__main__":
    sys.exit(main())
