"""Programs of the system, which pip cannot bring: installed by the system's own package manager."""

import os
import shutil
import subprocess
from pathlib import Path

MANAGERS = (
    ("apt-get", "apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq {}"),
    ("dnf", "dnf install -y -q {}"),
    ("apk", "apk add --quiet {}"),
)


def provide(package: str, *programs: str) -> bool:
    """Whether one of the programs (or files, by their path) is there in the end.

    As an ordinary user it needs sudo without a password.
    """
    if any(map(_is_there, programs)):
        return True
    for manager, command in MANAGERS:
        if shutil.which(manager):
            root = [] if os.geteuid() == 0 else ["sudo", "-n"]
            done = subprocess.run([*root, "sh", "-c", command.format(package)], check=False)
            return done.returncode == 0 and any(map(_is_there, programs))
    print(f"{package} is missing and no known package manager was found: install it, then run this again.")
    return False


def _is_there(program: str) -> bool:
    return Path(program).exists() if program.startswith("/") else shutil.which(program) is not None
