"""The fonts in the tree are the ones that script/fonts makes, may be given on, and fit."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from certification.printing import typesetting

ROOT = Path(__file__).resolve().parents[3]
FOLDER = typesetting.FONTS
LARGEST = 14_000_000  # bytes; every clone and every image carries them


def checked(root: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, str(root / "script/fonts"), "--check"], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout.strip()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    (tmp_path / "script").mkdir()
    shutil.copy(ROOT / "script/fonts", tmp_path / "script/fonts")
    shutil.copytree(FOLDER, tmp_path / "certification/printing/fonts")
    return tmp_path


def test_the_files_match_the_lock() -> None:
    assert checked(ROOT) == (0, "fonts match the lock")


def test_a_changed_a_missing_and_a_stray_font_are_named(copy: Path) -> None:
    fonts = copy / "certification/printing/fonts"
    (fonts / "NotoSans-Bold.ttf").unlink()
    (fonts / "NotoSerif-Bold.ttf").write_bytes(b"changed")
    (fonts / "Comic.ttf").write_bytes(b"stray")

    assert checked(copy) == (
        1, "NotoSans-Bold.ttf is missing\nNotoSerif-Bold.ttf differs from the lock\nComic.ttf is not in the lock",
    )  # fmt: skip


def test_they_fit_and_may_be_given_on() -> None:
    lock = json.loads((FOLDER / "fonts.lock").read_text())
    licences = {row["licence"] for name, row in lock["files"].items() if name != "coverage.txt"}

    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < LARGEST
    assert licences == {package["licence"] for package in lock["packages"]} == {"OFL-1.1"}
    assert "SIL OPEN FONT LICENSE Version 1.1" in (FOLDER / "OFL.txt").read_text()


def test_every_font_that_the_page_asks_for_is_here_and_none_is_idle() -> None:
    other = {typesetting.CHINESE, typesetting.JAPANESE, *typesetting.OTHERS}
    wanted = {"Noto Serif Display", "Noto Serif", "Noto Sans", *other}

    assert {font.family for font in typesetting._fonts().fonts()} == wanted
