"""Small real sources, made once a run by the same ffmpeg that transcodes them.

Nothing of the project is imported at the top: this file is read before the databases and settings are there.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.utils.timezone import now

if TYPE_CHECKING:
    from accounts.models import User
    from media.models import Video
    from tests.media.tools import Make

PICTURE = "testsrc2=s={size}:r={rate}:d={seconds}"


@pytest.fixture(scope="session")
def make(tmp_path_factory: pytest.TempPathFactory) -> "Make":
    """`make("a.mp4", size="320x180")`; `audio=False` for no sound, `extra` for output options. Made once each."""
    from tests.media.tools import run_ffmpeg_tool

    folder = tmp_path_factory.mktemp("sources")
    made: dict[str, Path] = {}

    def source(
        name: str = "lecture.mp4",
        *,
        size: str = "320x180",
        rate: str = "25",
        seconds: float = 6,
        audio: bool = True,
        extra: tuple[str, ...] = (),
    ) -> Path:
        key = repr((name, size, rate, seconds, audio, extra))
        if key not in made:
            path = folder / str(len(made)) / name
            path.parent.mkdir()
            inputs = ["-f", "lavfi", "-i", PICTURE.format(size=size, rate=rate, seconds=seconds)]
            if audio:
                inputs += ["-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=44100:duration={seconds}"]
            run_ffmpeg_tool(*inputs, "-preset", "ultrafast", "-g", "250", *extra, path)
            made[key] = path
        return made[key]

    return source


@pytest.fixture
def media_root(tmp_path: Path, settings: Any) -> Path:
    """A storage and a work folder of the test's own."""
    root = tmp_path / "media"
    settings.MEDIA_ROOT = root
    settings.MEDIA_WORK_DIR = tmp_path / "work"
    settings.STORAGES = {
        **settings.STORAGES,
        "media": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(root)}},
    }
    return root


@pytest.fixture
def prepare(db: None, media_root: Path) -> "Callable[..., Video]":
    """Stores a file and transcodes it in this process."""
    from media.domain.transcoding import transcode_video
    from media.domain.videos import store_source

    def prepared(path: Path, *, created_by: "User | None" = None) -> "Video":
        video = store_source(path=path, title="Lecture", created_by=created_by, now=now())
        transcode_video(video_id=video.pk)
        video.refresh_from_db()
        return video

    return prepared
