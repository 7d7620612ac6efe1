"""Third-party browser files are what the lock says."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def check(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(root / "script/vendor"), "--check"], capture_output=True, text=True, check=False
    )


def copy(tmp_path: Path) -> Path:
    for folder in ("static/vendor", "static/fonts"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "script").mkdir()
    shutil.copy(ROOT / "script/vendor", tmp_path / "script/vendor")
    return tmp_path


def test_vendored_files_match_the_lock() -> None:
    done = check(ROOT)
    assert (done.returncode, done.stdout) == (0, "vendored files match the lock\n")


def test_a_changed_missing_or_stray_file_is_named(tmp_path: Path) -> None:
    root = copy(tmp_path)
    with (root / "static/vendor/hls.light.min.js").open("ab") as file:
        file.write(b"// changed")
    (root / "static/fonts/inter-greek.woff2").unlink()
    (root / "static/vendor/jquery.js").write_text("")
    done = check(root)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "static/vendor/hls.light.min.js differs from hls.js 1.7.4",
        "static/fonts/inter-greek.woff2 is missing",
        "static/vendor/jquery.js is in no package",
    ]


def test_a_version_that_was_not_fetched_is_noticed(tmp_path: Path) -> None:
    root = copy(tmp_path)
    wanted = json.loads((root / "static/vendor/vendor.json").read_text())
    wanted["packages"][0]["version"] = "9.9.9"
    (root / "static/vendor/vendor.json").write_text(json.dumps(wanted))
    done = check(root)
    assert done.returncode == 1
    assert "9.9.9" in done.stdout


def test_every_package_names_its_licence() -> None:
    lock = json.loads((ROOT / "static/vendor/vendor.lock.json").read_text())
    assert {package["name"]: package["licence"] for package in lock["packages"]} == {
        "hls.js": "Apache-2.0",
        "@fontsource-variable/inter": "OFL-1.1",
    }
