"""The map has a place for every country, and is what its lock says."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django_countries import countries

from analytics.rendering.world import shapes

ROOT = Path(settings.BASE_DIR)
FILES = ("analytics/rendering/world.json", "analytics/rendering/world.lock.json", "script/world")


def numbers_of(path: str) -> list[tuple[float, float]]:
    """The points of `M…l…z` parts with relative steps."""
    points = []
    for part in re.findall(r"M([^Mz]+)z", path):
        first, _, steps = part.partition("l")
        x, y = map(float, first.split())
        points.append((x, y))
        numbers = [float(one) for one in re.findall(r"-?\d+", steps)]
        for dx, dy in zip(numbers[::2], numbers[1::2], strict=True):
            x, y = x + dx, y + dy
            points.append((x, y))
    return points


def test_every_country_with_doctors_has_a_shape_or_a_dot() -> None:
    world = shapes()
    known = {code for code, _name in countries}
    assert known - set(world["shapes"]) - set(world["dots"]) == {"AQ"}
    assert (set(world["shapes"]) | set(world["dots"])) - known <= {"XK"}


def test_everything_is_on_the_drawing_and_nothing_runs_around_it() -> None:
    world = shapes()
    width, height = world["size"]
    for code, path in world["shapes"].items():
        points = numbers_of(path)
        assert len(points) >= 3, code
        assert all(-1 <= x <= width + 1 and -1 <= y <= height + 1 for x, y in points), code
        # A ring that is not cut at 180° would be drawn as a stripe across the whole map.
        for part in re.findall(r"M[^M]+z", path):
            steps = [float(one) for one in re.findall(r"-?\d+", part.partition("l")[2])]
            assert max(map(abs, steps[::2])) < width / 4, code
    assert all(0 <= x <= width and -5 <= y <= height for x, y in world["dots"].values())


@pytest.mark.parametrize(
    ("code", "west", "east", "north", "south"),
    [("IN", 0.66, 0.78, 0.2, 0.52), ("BR", 0.26, 0.42, 0.4, 0.85), ("NZ", 0.89, 1.0, 0.7, 1.0)],
)
def test_countries_are_where_they_are(code: str, west: float, east: float, north: float, south: float) -> None:
    width, height = shapes()["size"]
    for x, y in numbers_of(shapes()["shapes"][code]):
        assert west <= x / width <= east
        assert north <= y / height <= south


def check(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(root / "script/world"), "--check"], capture_output=True, text=True, check=False
    )


def test_the_map_is_what_its_lock_says(tmp_path: Path) -> None:
    done = check(ROOT)
    assert (done.returncode, done.stdout) == (0, "the map matches the lock\n")
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    with (tmp_path / FILES[0]).open("a") as file:
        file.write(" ")
    done = check(tmp_path)
    assert (done.returncode, done.stdout) == (1, "analytics/rendering/world.json is not what world-atlas 2.0.2 gives\n")


def test_its_source_and_licence_are_named() -> None:
    lock = json.loads((ROOT / FILES[1]).read_text())
    assert (lock["name"], lock["licence"], lock["data"]) == ("world-atlas", "ISC", "Natural Earth, public domain")
