"""A publisher whose stream nobody keeps any more is sent away, whatever the reason: its program connects again."""

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest

from media.domain.tools import ffmpeg_path
from webinars.domain.studio import DatabaseStudio
from webinars.ingest.packager import PackagerError
from webinars.ingest.publication import Budget, Publication, Settings
from webinars.ingest.studio import Opened
from webinars.models import PublishSession

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]


async def test_a_mistake_of_ours_ends_the_stream_instead_of_leaving_it_to_nobody(tmp_path: Path) -> None:
    """The row is gone, which no publisher can mend: nothing would be stored, and the lease would end."""
    studio, cut_off = DatabaseStudio(1), asyncio.Event()
    settings = Settings(ffmpeg=ffmpeg_path(), folder=tmp_path, cores=1, most_kbits=3000)
    publication = Publication(studio, Opened(uuid4(), 1, ()), settings, Budget(1))
    publication.on_over = cut_off.set
    publication.begin()
    try:
        async with asyncio.timeout(60):
            await cut_off.wait()

        assert isinstance(publication.over, PackagerError)
    finally:
        with pytest.raises(PublishSession.DoesNotExist):
            await publication.end()
        studio.close()
