"""Behind nginx: pulls one renamed stream from it and does with it what the built-in door does."""

import asyncio
import contextlib
import signal
from collections.abc import Callable

from core.logging import get_logger
from core.processes import die_with_parent
from webinars.enums import StreamProblem
from webinars.ingest.flv import FlvError, FlvReader
from webinars.ingest.packager import PackagerError
from webinars.ingest.publication import Budget, Publication, Restart, Settings
from webinars.ingest.studio import Opened, SessionOver, Studio

log = get_logger("webinars.ingest")
READ_BYTES = 64 * 1024
FIRST_SECONDS = 30.0  # ffmpeg studies a stream for some seconds before it hands it on
SILENT_MICROSECONDS = 10_000_000  # ffmpeg that waits in a read does not hear SIGTERM


async def pull(studio: Studio, opened: Opened, settings: Settings, *, url: str, stop: asyncio.Event) -> str:
    """Until the stream ends; says why. A stream whose shape changes ends too: nginx starts it anew."""
    budget = Budget(settings.cores)
    publication = Publication(studio, opened, settings, budget, first_patience=FIRST_SECONDS)
    source = await asyncio.create_subprocess_exec(
        *(settings.ffmpeg, "-hide_banner", "-nostdin", "-loglevel", "quiet", "-rw_timeout", str(SILENT_MICROSECONDS)),
        *("-i", url, "-map", "0", "-c", "copy", "-f", "flv", "-flvflags", "no_duration_filesize", "pipe:1"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        preexec_fn=die_with_parent(signal.SIGKILL),
    )

    def end_source() -> None:
        with contextlib.suppress(ProcessLookupError):
            source.kill()

    publication.on_over = end_source
    publication.begin()
    stopper = asyncio.create_task(_when(stop, end_source))
    because = StreamProblem.INTERRUPTED.value
    try:
        await _feed(source, publication)
    except SessionOver as over:
        because = over.because
    except (PackagerError, FlvError) as error:
        log.warning("ingest.packager_failed", webinar=opened.webinar_id, detail=str(error))
        because = StreamProblem.PACKAGER_FAILED.value
    except Restart:
        because = ""
    finally:
        stopper.cancel()
        end_source()
        await source.wait()
        await publication.end(because)
    return because


async def _feed(source: asyncio.subprocess.Process, publication: Publication) -> None:
    reader = FlvReader()
    assert source.stdout is not None  # noqa: S101 - it was asked for
    while data := await source.stdout.read(READ_BYTES):
        for tag in reader.feed(data):
            await publication.feed(tag)
    if publication.over:
        raise publication.over


async def _when(event: asyncio.Event, act: Callable[[], None]) -> None:
    await event.wait()
    act()
