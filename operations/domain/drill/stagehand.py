"""Presenter and moderator of a drill, as a process inside the copy.

Reads a line of JSON with the order, sets the scene and answers with it; reads a second line with the times, plays,
lets in who asks at the door until its orders end, and says what it did. All of it by domain functions of the product.
The copy's marker is asked for first.
"""

import json
import select
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar
from uuid import uuid4

from django.core.files.base import ContentFile
from django.db import InterfaceError, OperationalError, connection
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from media.storages import media_storage
from operations.domain.drill.errors import DrillError
from operations.domain.drill.scrubbing import DOMAIN, check_marker
from operations.domain.drill.staging import RECORDING_SECONDS, RECORDING_VERSION, Order, set_scene
from webinars.domain.announcements import announce
from webinars.domain.broadcasts import LEASE
from webinars.domain.live_files import keep_segment
from webinars.domain.polls import close_poll, open_poll, save_poll
from webinars.domain.schedule import end_webinar
from webinars.domain.spot import approve_many
from webinars.enums import PollKind, SpotState
from webinars.ingest.playlists import Format
from webinars.ingest.studio import SessionOver, Stored
from webinars.models import Broadcast, Poll, PublishSession, SpotRequest, Webinar

SEGMENT_SECONDS = 2.0
PACKET = b"\x47\x1f\xff\x10" + b"\xff" * 184  # MPEG-TS that shows nothing
SEGMENT_PACKETS = {"360p": 980, "audio": 90}  # 740 and 68 kbit/s
FORMATS = {"360p": Format(640, 360, 25, "avc1.4d401e,mp4a.40.2"), "audio": Format(0, 0, 0, "mp4a.40.2")}
LOOK_SECONDS = 1.0  # between two looks at the queue when there is nothing else to do
MOST_AT_ONCE = 40  # about a second's work
PATIENCE_SECONDS = 120.0  # for which one step is tried again while a fault goes on
Result = TypeVar("Result")


@dataclass(frozen=True)
class Times:
    """Seconds from the begin; travels as JSON. The end of the live part is the switch to the recording."""

    announcement: float
    poll_opens: float
    poll_closes: float
    ends: float


def main() -> int:
    try:
        order = Order(**json.loads(sys.stdin.readline()))
        with connection.cursor() as cursor:
            check_marker(cursor.connection)
        scene = set_scene(order, now=timezone.now())
        show = Show(order.webinar_id, has_door=any(member.door for member in scene.members))
        show.prepare()
    except DrillError as error:
        _tell({"error": str(error)})
        return 2
    _tell({"scene": scene.as_dict()})
    line = sys.stdin.readline()
    if line:  # else nobody wants it any more
        show.play(Times(**json.loads(line)))
        show.keep_door(sys.stdin)
        _tell({"done": show.done})
    return 0


def _tell(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


class Show:
    def __init__(self, webinar_id: int, *, has_door: bool) -> None:
        self.webinar = Webinar.objects.select_related("video").get(pk=webinar_id)
        self.done: list[str] = []
        self.session: PublishSession | None = None
        self.index = 0
        self.has_door = has_door
        self.not_let_in = set[str]()

    def prepare(self) -> None:
        """The first seconds are there before anybody comes, as with a presenter who is on time."""
        self.actor = User.objects.filter(email=f"stage@{DOMAIN}").first() or User.objects.create_superuser(
            f"stage@{DOMAIN}", first_name="Stage"
        )
        self.broadcast = Broadcast.objects.create(webinar=self.webinar, started_at=timezone.now())
        self.poll = save_poll(
            webinar=self.webinar,
            kind=PollKind.SINGLE,
            question="Would you change the dose?",
            options=("Yes", "No", "After the second cycle"),
            actor=self.actor,
            now=timezone.now(),
        )
        self._store_recording()
        for _ in range(3):
            self._segment()

    def play(self, times: Times) -> None:
        """Each step at its time, or as soon as a fault lets it; meanwhile a segment every two seconds."""
        steps: list[tuple[float, str, Callable[[], object]]] = [
            (times.announcement, "announced", self._announce),
            (times.poll_opens, "poll opened", self._open_poll),
            (times.poll_closes, "poll closed", self._close_poll),
            (times.ends, "ended, recording open", self._end),
        ]
        began = time.monotonic()
        next_segment = began
        for at, name, step in steps:
            while time.monotonic() < began + at:
                self._insist(self._segment)
                self._insist(self._let_in)
                next_segment = max(next_segment + SEGMENT_SECONDS, time.monotonic())
                time.sleep(max(0.0, min(next_segment, began + at) - time.monotonic()))
            self._insist(step)
            self.done.append(f"{time.monotonic() - began:.0f} s: {name}")

    def keep_door(self, orders: IO[str]) -> None:
        """Also after the live part, for who has asked before. When `orders` end nobody is there any more."""
        if not self.has_door:
            return
        while not select.select([orders], [], [], LOOK_SECONDS)[0]:
            self._insist(self._let_in)
        let_in = self._asked(SpotState.APPROVED)
        self.done.append(f"{self._insist(let_in.count)} let in at the door")
        if by_rule := self._insist(let_in.filter(decided_by=None).count):
            self.done.append(f"{by_rule} of them by its rule, with a link by e-mail")
        self.done += [f"not let in: {words}" for words in sorted(self.not_let_in)]

    def _let_in(self) -> None:
        """As a moderator who ticks those who wait. Not so many that the picture would stop."""
        if not self.has_door:
            return
        waiting = self._asked(SpotState.PENDING).order_by("created_at")[:MOST_AT_ONCE]
        made = approve_many(requests=waiting, actor=self.actor, now=timezone.now())
        self.not_let_in |= {words for _, words in made.refused}

    def _asked(self, state: SpotState) -> "QuerySet[SpotRequest]":
        return SpotRequest.objects.filter(window__webinar=self.webinar, state=state)

    def _insist(self, step: Callable[[], Result]) -> Result:
        """Again and again while the database is away: a presenter's program does not give up either."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return step()
            except (OperationalError, InterfaceError):
                if time.monotonic() > deadline:
                    raise
                connection.close()
                time.sleep(0.5)

    def _segment(self) -> None:
        if self.session is None:
            self.session = self._connect()
        with tempfile.TemporaryDirectory() as folder:
            files = {}
            for name, packets in SEGMENT_PACKETS.items():
                path = Path(folder) / f"{name}.ts"
                path.write_bytes(PACKET * packets)
                files[name] = (path, SEGMENT_SECONDS)
            segment = Stored(
                index=self.index,
                at=timezone.now(),
                seconds=SEGMENT_SECONDS,
                files=files,
                formats=FORMATS if self.index == 0 else {},
            )
            try:
                keep_segment(session_id=self.session.pk, segment=segment, now=timezone.now())
            except SessionOver:  # a long fault outlived the lease: the presenter's program connects again
                self.session = None
                return
        self.index += 1

    def _connect(self) -> PublishSession:
        self.index = 0
        now = timezone.now()
        number = PublishSession.objects.filter(broadcast=self.broadcast).count() + 1
        return PublishSession.objects.create(
            broadcast=self.broadcast, number=number, started_at=now, lease_until=now + LEASE
        )

    def _announce(self) -> None:
        announce(
            webinar=self.webinar,
            text="The slides are on the programme's page.",
            client_key=uuid4(),
            actor=self.actor,
            now=timezone.now(),
        )

    def _open_poll(self) -> Poll:
        return open_poll(webinar=self.webinar, poll_id=self.poll.pk, actor=self.actor, now=timezone.now())

    def _close_poll(self) -> Poll:
        return close_poll(webinar=self.webinar, poll_id=self.poll.pk, actor=self.actor, now=timezone.now())

    def _end(self) -> Webinar:
        return end_webinar(webinar_id=self.webinar.pk, actor=self.actor, now=timezone.now())

    def _store_recording(self) -> None:
        """Files for the placeholder; those of a real recording were brought along."""
        video = self.webinar.video
        if video is None or video.published_version != RECORDING_VERSION:
            return
        count = round(RECORDING_SECONDS / SEGMENT_SECONDS)
        entries = "".join(f"#EXTINF:{SEGMENT_SECONDS:.3f},\n{number:05d}.ts\n" for number in range(count))
        head = f"#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:{SEGMENT_SECONDS:.0f}\n#EXT-X-PLAYLIST-TYPE:VOD\n"
        master = (
            "#EXTM3U\n#EXT-X-VERSION:6\n"
            '#EXT-X-STREAM-INF:BANDWIDTH=800000,RESOLUTION=640x360,CODECS="avc1.4d401e,mp4a.40.2"\n360p/index.m3u8\n'
        )
        segment = PACKET * SEGMENT_PACKETS["360p"]
        files = {"master.m3u8": master.encode(), "360p/index.m3u8": f"{head}{entries}#EXT-X-ENDLIST\n".encode()}
        # hls.js begins with the newest it was told of, or with the first: a lecture of 1,800 pieces needs but these.
        files |= {f"360p/{number:05d}.ts": segment for number in (*range(3), count - 1)}
        for name, content in files.items():
            media_storage().save(f"videos/{video.key}/{RECORDING_VERSION}/{name}", ContentFile(content))


def times_for(*, arrivals: float, stay: float) -> Times:
    """While people still come: something said, a poll. Half of the time they stay is left for the recording."""
    return Times(
        announcement=arrivals * 0.3, poll_opens=arrivals * 0.5, poll_closes=arrivals + stay * 0.25,
        ends=arrivals + stay * 0.5,
    )  # fmt: skip
