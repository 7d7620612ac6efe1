"""One publisher on air: tags come in, go to the packager, and what it finishes goes to the studio."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import DatabaseError
from django.utils import timezone

from core.logging import get_logger
from webinars.enums import StreamProblem
from webinars.ingest import flv
from webinars.ingest.flv import AUDIO, DATA, VIDEO, Tag
from webinars.ingest.health import FATAL, Meter
from webinars.ingest.ladder import AUDIO as SOUND_ONLY
from webinars.ingest.ladder import LiveRung, cost, live_ladder, named_ladder, target_frame_rate
from webinars.ingest.packager import Finished, Packager, PackagerError, format_of
from webinars.ingest.playlists import Format
from webinars.ingest.studio import Opened, SessionOver, Stored, Studio

log = get_logger("webinars.ingest")
REPORT_SECONDS = 2.0
LOOK_SECONDS = 0.1
SOUND_PATIENCE_MS = 1500  # of picture without any sound before the stream counts as silent
PICTURE_PATIENCE_SECONDS = 10.0
SILENCE_SECONDS = 10.0  # without a byte: the publisher is gone, whatever TCP says
JUMP_MS = 5000  # a larger step is not time that passed, but a clock that was set
MOST_WAITING = 3000  # tags before the first picture
STORE_PATIENCE_SECONDS = 300.0


@dataclass(frozen=True)
class Settings:
    ffmpeg: str
    folder: Path
    cores: float
    most_kbits: int
    threads: int = 1


@dataclass(eq=False)
class Budget:
    """CPU that the streams of this process share: a second stream gets what the first one leaves."""

    cores: float
    taken: dict[object, float] = field(default_factory=dict)

    def free(self) -> float:
        return self.cores - sum(self.taken.values())


class Restart(Exception):  # noqa: N818 - a state, not an error of the program
    """The shape of the stream changed (sound came, another size): it goes on as a new session."""


class Publication:
    """Feed it tags; it raises `SessionOver` or `PackagerError` when the publisher has to go. Then call `end`."""

    def __init__(
        self,
        studio: Studio,
        opened: Opened,
        settings: Settings,
        budget: Budget,
        *,
        first_patience: float = PICTURE_PATIENCE_SECONDS,
    ) -> None:
        """`first_patience`: seconds until the first tag must be here."""
        self.first_patience = first_patience
        self.studio = studio
        self.opened = opened
        self.settings = settings
        self.budget = budget
        self.meter = Meter(time.monotonic())
        self.headers: dict[int, Tag] = {}
        self.metadata: Tag | None = None
        self.over: SessionOver | PackagerError | None = None
        self.on_over: Callable[[], None] | None = None
        self._heard: float | None = None
        self._waiting: list[Tag] = []
        self._packager: Packager | None = None
        self._folder: Path | None = None
        self._frame_rate = 25
        self._silent = False
        self._silent_frames = 0
        self._began_at: datetime | None = None
        self._base = 0
        self._last = 0
        self._last_seconds = 0.0
        self._reporter: asyncio.Task[None] | None = None
        self._follower: asyncio.Task[None] | None = None
        self._ending = False
        self._formats: dict[str, Format] = {}

    def begin(self) -> None:
        self._reporter = asyncio.create_task(self._report())

    async def feed(self, tag: Tag) -> None:
        """Raises what ended the publication meanwhile."""
        if self.over:
            raise self.over
        now = time.monotonic()
        if self._heard is None:
            self.meter.started = now
        self._heard = now
        self.meter.note(tag, now)
        if tag.kind == DATA:
            self._note_metadata(tag)
        elif tag.is_header:
            self._note_header(tag)
        elif not tag.is_frame:
            return
        elif self._packager:
            await self._pass_on(tag)
        else:
            await self._wait_for_shape(tag)

    def _note_metadata(self, tag: Tag) -> None:
        found = flv.read_metadata(tag.payload)
        if found:
            self.metadata, self.meter.metadata = tag, found

    def _note_header(self, tag: Tag) -> None:
        known = self.headers.get(tag.kind)
        self.headers[tag.kind] = tag
        self._refuse_foreign_codecs()
        if self._packager and (known is None or known.payload != tag.payload):
            raise Restart

    def _refuse_foreign_codecs(self) -> None:
        for problem, detail in self.meter.problems(time.monotonic(), most_kbits=self.settings.most_kbits):
            if problem in FATAL:
                log.info("ingest.refused", webinar=self.opened.webinar_id, problem=problem.value, detail=detail)
                raise SessionOver(problem)

    async def _wait_for_shape(self, tag: Tag) -> None:
        """Nothing is lost: the first key frame and all after it wait until it is known whether there is sound."""
        self._refuse_foreign_codecs()
        pictures = [one for one in self._waiting if one.kind == VIDEO]
        if not pictures and tag.kind == VIDEO and not (tag.is_key_frame and VIDEO in self.headers):
            return
        self._waiting.append(tag)
        if not pictures and tag.kind != VIDEO:
            self._waiting = self._waiting[-MOST_WAITING:]
            return
        first = pictures[0] if pictures else tag
        if AUDIO in self.headers or tag.timestamp - first.timestamp > SOUND_PATIENCE_MS:
            await self._start(first)

    async def _start(self, first: Tag) -> None:
        waiting = [one for one in self._waiting if one.timestamp >= first.timestamp]
        self._waiting.clear()
        self._base = self._last = first.timestamp
        self._last_seconds = time.monotonic()
        passed = max(0, waiting[-1].timestamp - first.timestamp)
        self._began_at = timezone.now() - timedelta(milliseconds=passed)
        self._silent = AUDIO not in self.headers
        self._packager = await self._start_packager()
        for header in self._first_headers():
            await self._packager.write(flv.written(header, 0))
        self._follower = asyncio.create_task(self._follow(self._packager))
        for one in waiting:
            await self._pass_on(one)

    def _first_headers(self) -> list[Tag]:
        sound = Tag(AUDIO, 0, flv.SILENT_HEADER) if self._silent else self.headers[AUDIO]
        found = [self.headers[VIDEO], sound]
        return [self.metadata, *found] if self.metadata and not self._silent else found

    async def _start_packager(self) -> Packager:
        size = self.meter.report(time.monotonic())
        rungs: tuple[LiveRung, ...] = named_ladder(self.opened.renditions)
        rungs = rungs or live_ladder(cores=self.budget.free(), height=size["height"])
        self.budget.taken[self] = cost(rungs)
        self._frame_rate = target_frame_rate(size["frame_rate_wanted"])
        self.settings.folder.mkdir(parents=True, exist_ok=True)
        self._folder = Path(tempfile.mkdtemp(prefix="session-", dir=self.settings.folder))
        packager = Packager(
            self._folder,
            ffmpeg=self.settings.ffmpeg,
            rungs=rungs,
            frame_rate=self._frame_rate,
            threads=self.settings.threads,
        )
        await packager.start()
        return packager

    async def _pass_on(self, tag: Tag) -> None:
        if self._packager is None or (tag.kind == AUDIO and self._silent):
            return
        at = self._time_of(tag)
        if self._silent:
            while self._silent_frames * flv.SILENT_FRAME_SECONDS * 1000 <= at:
                sound = Tag(AUDIO, 0, flv.SILENT_FRAME)
                time_of = round(self._silent_frames * flv.SILENT_FRAME_SECONDS * 1000)
                await self._packager.write(flv.written(sound, time_of))
                self._silent_frames += 1
        await self._packager.write(flv.written(tag, at))

    def _time_of(self, tag: Tag) -> int:
        """Milliseconds since the session's start. A clock that jumps is put right by ours.

        The encoder would fill the hours between with copies of one frame.
        """
        now = time.monotonic()
        if abs(tag.timestamp - self._last) > JUMP_MS:
            passed = round((now - self._last_seconds) * 1000)
            self._base += tag.timestamp - self._last - passed
        self._last, self._last_seconds = tag.timestamp, now
        return max(0, tag.timestamp - self._base)

    async def _follow(self, packager: Packager) -> None:
        await self._guarded(self._follow_until_the_end(packager))

    async def _follow_until_the_end(self, packager: Packager) -> None:
        while not self._ending:
            await self._hand_on(packager)
            packager.check()
            await asyncio.sleep(LOOK_SECONDS)

    async def _hand_on(self, packager: Packager) -> None:
        for done in packager.finished():
            await self._keep(packager, done)

    async def _keep(self, packager: Packager, done: Finished) -> None:
        """A database or a storage that is away for a moment costs nothing: the segment waits on the local disk."""
        if not self._formats:
            rates = {rung.name: min(rung.frame_rate, self._frame_rate) for rung in packager.rungs}
            for name, (path, _) in done.files.items():
                self._formats[name] = format_of(path, frame_rate=0 if name == SOUND_ONLY else rates[name])
        at = (self._began_at or timezone.now()) + timedelta(seconds=done.start)
        segment = Stored(done.index, at, done.seconds, done.files, self._formats if done.index == 0 else {})
        deadline = time.monotonic() + STORE_PATIENCE_SECONDS
        while True:
            try:
                await self.studio.keep(self.opened.session_id, segment)
                break
            except (DatabaseError, OSError) as error:
                if time.monotonic() > deadline:
                    raise PackagerError(f"cannot store: {error}") from error
                log.warning("ingest.store_waits", webinar=self.opened.webinar_id, error=str(error))
                await asyncio.sleep(1.0)
        packager.take(done)

    async def _report(self) -> None:
        await self._guarded(self._report_for_ever())

    async def _report_for_ever(self) -> None:
        while True:
            await asyncio.sleep(REPORT_SECONDS)
            now = time.monotonic()
            if self._heard is not None and now - self._heard > SILENCE_SECONDS:
                raise SessionOver(StreamProblem.INTERRUPTED)
            patience = PICTURE_PATIENCE_SECONDS if self._heard is not None else self.first_patience
            if self._packager is None and now - self.meter.started > patience:
                raise SessionOver(StreamProblem.NO_VIDEO)
            heard = self._heard is not None
            problems = self.meter.problems(now, most_kbits=self.settings.most_kbits) if heard else []
            try:
                await self.studio.report(self.opened.session_id, self.report(now), problems)
            except DatabaseError as error:
                log.warning("ingest.report_waits", webinar=self.opened.webinar_id, error=str(error))

    def report(self, now: float) -> dict[str, Any]:
        return self.meter.report(now) | {"silent": self._silent}

    async def _guarded(self, work: Awaitable[None]) -> None:
        """Whatever goes wrong ends it: a stream that nobody stores any more must not look as if it were on air."""
        try:
            await work
        except (SessionOver, PackagerError) as over:
            self._cut_off(over)
        except Exception as error:
            log.exception("ingest.broken", webinar=self.opened.webinar_id)
            self._cut_off(PackagerError(type(error).__name__))

    def _cut_off(self, over: SessionOver | PackagerError) -> None:
        self.over = over
        if self.on_over:
            self.on_over()

    async def end(self, because: str = "", detail: str = "") -> None:
        """What the packager still finishes is kept, unless the session was taken away.

        The follower is asked, not cancelled: a thread that stores a segment would go on without anybody knowing.
        """
        self._ending = True
        if self._reporter:
            self._reporter.cancel()
        await asyncio.gather(*(task for task in (self._reporter, self._follower) if task), return_exceptions=True)
        try:
            if self._packager:
                await self._packager.finish()
                if not isinstance(self.over, SessionOver):
                    await self._guarded(self._hand_on(self._packager))
        finally:
            if self._packager:
                self._packager.close()
            self.budget.taken.pop(self, None)
            if self._folder:
                shutil.rmtree(self._folder, ignore_errors=True)
        await self.studio.end(self.opened.session_id, because, detail)
