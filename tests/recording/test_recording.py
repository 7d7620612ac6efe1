"""From a broadcast that ended to a recording where everybody finds their place: real segments, a real encoder."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings

from tests.recording.resume_error import measure_resume_error, own_storage

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def storage(tmp_path: Path) -> Iterator[None]:
    with override_settings(**own_storage(tmp_path)):
        yield


def test_everybody_continues_at_the_very_frame(tmp_path: Path) -> None:
    """Two interruptions, three cuts, two dozen stop points; measured in the pictures."""
    found = measure_resume_error(tmp_path / "stage")
    assert found["stop_points"] >= 20
    assert found["stop_points_after_cuts"] >= 12
    assert found["resume_error_p100_s"] <= 0.25
