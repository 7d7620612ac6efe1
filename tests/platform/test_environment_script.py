"""`script/environment` makes a working environment from nothing, once per content of the requirements."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.platform.conftest import ROOT

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that requires nothing: what is tested is the script, not the package index."""
    root = tmp_path_factory.mktemp("environment") / "a project"
    (root / "script").mkdir(parents=True)
    shutil.copy(ROOT / "script" / "environment", root / "script")
    (root / "requirements.txt").write_text("# nothing\n")
    return root


def call(project: Path, *prefix: str) -> subprocess.CompletedProcess[str]:
    base = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    kept = {name: value for name, value in os.environ.items() if name != "ROUNDS_VENV"}
    command = [*prefix, str(base), "script/environment"]
    return subprocess.run(command, cwd=project, env=kept, capture_output=True, text=True, check=False, timeout=120)


def test_it_makes_the_environment_once_and_mends_a_broken_one(project: Path) -> None:
    first = call(project)
    assert first.returncode == 0, first.stderr
    python = Path(first.stdout.strip())
    assert python == project / ".venv" / "bin" / "python"
    assert "Making the Python environment" in first.stderr
    assert "Installing 0 packages" in first.stderr
    second = call(project)
    assert (second.returncode, second.stdout, second.stderr) == (0, first.stdout, "")

    (project / "requirements.txt").write_text("# still nothing\n")
    assert "Installing 0 packages" in call(project).stderr

    python.unlink()
    python.symlink_to("/nowhere/python")  # as after an upgrade of the system's Python
    mended = call(project)
    assert mended.returncode == 0, mended.stderr
    assert subprocess.run([python, "-c", "print(6 * 7)"], capture_output=True, text=True, check=True).stdout == "42\n"


def test_a_package_without_its_hash_is_refused(project: Path) -> None:
    stamp = project / ".venv" / ".installed-requirements.txt"
    (project / "requirements.txt").write_text("# nothing yet\n")
    assert call(project).returncode == 0
    before = stamp.read_text()
    (project / "requirements.txt").write_text("django==5.2.19\n")
    result = call(project)
    assert result.returncode == 1
    assert "installing requirements.txt failed" in result.stderr
    assert stamp.read_text() == before


def test_the_scripts_find_a_python_that_is_new_enough(tmp_path: Path) -> None:
    """An old `python3` comes first on many servers; the next name is tried, and none at all is said plainly."""
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    probe = ["/bin/sh", "-c", f'. "{ROOT}/script/python.sh"; echo "found $PYTHON3"']
    none = subprocess.run(probe, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert (none.returncode, none.stdout) == (1, "")
    assert "Python 3.11 or newer is needed" in none.stderr
    (tmp_path / "python3.11").symlink_to(sys.executable)
    found = subprocess.run(probe, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert found.stdout == "found python3.11\n"
