"""What operators type."""

import asyncio
import io
from pathlib import Path
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.factories.accounts import UserFactory
from tests.factories.webinars import LiveWebinarFactory
from tests.ingest.stage import AAC, H264, PICTURE, Stage, make_webinar, notices_of, segments_of, sessions_of, until
from tests.media.tools import run_ffmpeg_tool
from webinars.domain.stream_keys import find_key

pytestmark = pytest.mark.site


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    sound = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100")
    run_ffmpeg_tool("-f", "lavfi", "-i", PICTURE, *sound, "-t", "10", *H264, *AAC, path)
    return path


async def test_broadcast_publishes_a_file_with_an_interruption(stage: Stage, film: Path) -> None:
    webinar, _, raw = await make_webinar()
    server = stage.url("").rstrip("/")
    options: dict[str, Any] = {"server": server, "key": raw, "drop_at": 3, "drop_for": 2, "minutes": 0.15}
    output = io.StringIO()
    await asyncio.to_thread(call_command, "broadcast", webinar.pk, film, stdout=output, **options)

    async def over() -> bool:
        return await sessions_of(webinar) == [(1, "interrupted", False), (2, "", False)]

    await until(over)
    found = await segments_of(webinar)
    lengths = {
        number: sum(row["seconds"] for row in found if row["publish_session__number"] == number) for number in (1, 2)
    }
    # What was on its way when the line broke is lost, on a busy machine more of it.
    assert 0.5 < lengths[1] < 4.5
    assert 2 < lengths[2] < 5.5
    assert await notices_of(webinar) == ["interrupted"]
    assert raw not in output.getvalue()


async def test_broadcast_says_when_it_is_refused(stage: Stage, film: Path) -> None:
    webinar, _, _ = await make_webinar(starts_at=None)
    await database_sync_to_async(UserFactory.create)()
    options = {"server": stage.url("").rstrip("/")}
    with pytest.raises(CommandError, match="refused"):
        await asyncio.to_thread(call_command, "broadcast", webinar.pk, film, key="1-x", **options)


@pytest.mark.django_db
def test_stream_key_prints_a_key_once(settings: Any) -> None:
    settings.RTMP_URL = "rtmps://live.example.org/live"
    presenter = UserFactory.create(email="Anna@example.org")
    webinar = LiveWebinarFactory.create(presenters=[presenter], starts_at=timezone.now())
    output = io.StringIO()
    call_command("stream_key", webinar.pk, "anna@EXAMPLE.org", stdout=output)
    raw = output.getvalue().split()[-1]

    key = find_key(raw)
    assert key is not None
    assert (key.webinar, key.presenter) == (webinar, presenter)
    assert "rtmps://live.example.org/live" in output.getvalue()


@pytest.mark.django_db
@pytest.mark.parametrize("email", ["stranger@example.org", "nobody@example.org"])
def test_stream_key_is_for_presenters(email: str) -> None:
    UserFactory.create(email="stranger@example.org")
    webinar = LiveWebinarFactory.create()
    with pytest.raises(CommandError):
        call_command("stream_key", webinar.pk, email)
    with pytest.raises(CommandError):
        call_command("broadcast", webinar.pk, __file__)
