"""What is installed is what was looked at: every package pinned, every file known by its hash."""

import re
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
PIN = re.compile(r"^[a-z0-9][a-z0-9._-]*(\[[a-z0-9,._-]+\])?==\S+$", re.IGNORECASE)


def blocks(text: str) -> list[list[str]]:
    """One list per requirement: its line, then its options; comments left out."""
    joined = re.sub(r"\\\n", " ", text)
    return [line.split() for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_sec_38_every_requirement_is_pinned_with_hashes(name: str) -> None:
    found = blocks((ROOT / name).read_text())

    assert len(found) > 30
    loose = [
        words
        for words in found
        if not PIN.fullmatch(words[0]) or not any(word.startswith("--hash=sha256:") for word in words)
    ]
    assert loose == []


def test_sec_38_the_environment_is_made_by_hash_only() -> None:
    """The one place that installs; every other script calls it."""
    installing = {
        path.name
        for path in (ROOT / "script").iterdir()
        if path.is_file() and re.search(r"pip.*install|installer\(\)", path.read_text(errors="replace"))
    }

    assert installing - {"system_packages.py"} == {"environment"}  # the other one asks the system's package manager
    assert '"--require-hashes", "-r"' in (ROOT / "script" / "environment").read_text()
