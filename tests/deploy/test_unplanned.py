"""Runs where Terraform cannot (tests/deploy/conftest.py): every file can be read at least."""

from pathlib import Path

import hcl2
import pytest

from tests.deploy.terraform import SOURCE


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.tf")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_every_file_can_be_read(path: Path) -> None:
    assert hcl2.loads(path.read_text())
