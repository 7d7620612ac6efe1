"""Without the demonstration in the database."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from courses.models import Programme
from lms.demo import lectures, progress
from lms.demo.lectures import DrawingError, Lecture, Slide, read_decks
from media.ffmpeg.probe import probe
from media.models import Video
from tests.factories.courses import ProgrammeFactory


@pytest.mark.django_db
def test_it_does_not_mix_with_somebodys_programmes(tmp_path: Path, settings: Any) -> None:
    settings.VAR_DIR = tmp_path
    ProgrammeFactory(slug="real")
    with pytest.raises(CommandError, match="There are programmes in this database"):
        call_command("demo", stdout=StringIO())
    assert list(Programme.objects.values_list("slug", flat=True)) == ["real"]
    assert not (tmp_path / "demo-sign-ins.txt").exists()


@pytest.mark.django_db
def test_a_failure_half_way_leaves_nothing_behind(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.VAR_DIR = tmp_path
    monkeypatch.setattr(lectures, "draw_all", lambda pairs: [path.write_bytes(b"no video") for _, path in pairs])
    monkeypatch.setattr(progress, "SKIPPED_SECONDS", -10_000)  # spans outside the media: the engine refuses them
    with pytest.raises(Exception, match=r"refused|outside"):
        call_command("demo", stdout=StringIO())
    assert (Programme.objects.count(), User.objects.count(), Video.objects.count()) == (0, 0, 0)
    assert not (tmp_path / "demo-sign-ins.txt").exists()


def test_a_text_with_every_sign_that_ffmpeg_could_take_for_its_own(tmp_path: Path) -> None:
    awkward = "It’s 'quoted': 100 %, a\\b; [c] {d} = %{pts}, e"
    path = tmp_path / "lecture 'x'.mp4"
    lecture = Lecture("x", awkward, awkward, (Slide(awkward, (awkward,)), Slide("Two\nlines", ())), seconds_each=2)
    lectures.draw(lecture, path)
    source = probe(path, max_seconds=60)
    assert source.duration_seconds == pytest.approx(4, abs=0.3)
    assert source.has_audio


def test_what_ffmpeg_refuses_is_said_in_its_own_words(tmp_path: Path) -> None:
    lecture = Lecture("x", "Title", "Speaker", (Slide("Heading", ()),), seconds_each=1)
    with pytest.raises(DrawingError, match="No such file or directory"):
        lectures.draw(lecture, tmp_path / "nowhere" / "lecture.mp4")


def test_every_deck_is_at_least_three_minutes_of_slides_with_points() -> None:
    decks = read_decks()
    assert len(decks) == 8
    assert {len(slides) * Lecture("", "", "", slides).seconds_each >= 180 for slides in decks.values()} == {True}
    assert all(slide.heading and len(slide.points) == 3 for slides in decks.values() for slide in slides)
