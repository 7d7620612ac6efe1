"""The HTML of e-mails is what MJML makes of its source."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_the_page_in_the_tree_is_what_mjml_makes() -> None:
    checked = subprocess.run([sys.executable, ROOT / "script/mail-frame", "--check"], check=False)
    assert checked.returncode == 0, "frame.mjml was changed: run script/mail-frame"


def test_the_check_finds_a_page_that_was_edited(tmp_path: Path) -> None:
    for part in ("script", "reminders/rendering"):
        (tmp_path / part).mkdir(parents=True)
    script = tmp_path / "script/mail-frame"
    script.write_text((ROOT / "script/mail-frame").read_text())
    for name in ("frame.mjml", "frame.html"):
        (tmp_path / "reminders/rendering" / name).write_text((ROOT / "reminders/rendering" / name).read_text())
    assert subprocess.run([sys.executable, script, "--check"], check=False).returncode == 0
    page = tmp_path / "reminders/rendering/frame.html"
    page.write_text(page.read_text().replace("#0a6b5e", "#0a6b5f", 1))
    assert subprocess.run([sys.executable, script, "--check"], check=False).returncode == 1
