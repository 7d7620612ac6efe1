"""Where a moment of a broadcast lies in its recording, as it is on air now. Reads; the arithmetic is in `timeline`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import OuterRef, Q, Subquery
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, JSONObject

from core.prepared import Prepared
from core.ranges import Ranges, gaps, intersect, seconds
from webinars.domain.resume import media_seconds
from webinars.domain.timeline import Timeline
from webinars.models import Broadcast, Edition, Webinar

JUMP_SECONDS = 0.05

# Uninterrupted pieces of a broadcast, in one pass over an index: thousands of segments never leave the database.
_SPANS = """
SELECT min(program_start), max(program_start + seconds), min(at)
FROM (
    SELECT number, program_start, seconds, sum(seconds) OVER w - seconds AS at, sum(is_new) OVER w AS piece
    FROM (
        SELECT number, program_start, seconds, CASE
            WHEN publish_session_id = lag(publish_session_id) OVER n
                AND abs(program_start - lag(program_start + seconds) OVER n) <= %s THEN 0
            ELSE 1
        END AS is_new
        FROM webinars_segment WHERE broadcast_id = %s
        WINDOW n AS (ORDER BY number)
    ) marked
    WINDOW w AS (ORDER BY number)
) pieces
GROUP BY piece ORDER BY piece
"""


@dataclass(frozen=True, slots=True)
class RecordingMap:
    """How one edition shows a broadcast. Three times: of the program, of the uncut recording, of what is shown."""

    spans: tuple[tuple[float, float, float], ...]
    cuts: Ranges
    uncut_seconds: float

    @classmethod
    def read(cls, facts: Mapping[str, Any]) -> "RecordingMap":
        """From what `on_air` selects, or the fields of an Edition."""
        return cls(
            spans=tuple((start, end, offset) for start, end, offset in facts["spans"]),
            cuts=tuple((int(start), int(end)) for start, end in facts["cuts"]),
            uncut_seconds=facts["uncut_seconds"],
        )

    @property
    def program_to_uncut(self) -> Timeline:
        return Timeline.from_spans(self.spans)

    @property
    def program_to_shown(self) -> Timeline:
        return Timeline.from_spans(self.spans, cuts=self.cuts)

    @property
    def uncut_to_shown(self) -> Timeline:
        """Cuts are whole seconds, so whole seconds stay whole and nothing is rounded."""
        return Timeline.from_spans([(0.0, float(media_seconds(self.uncut_seconds)), 0.0)], cuts=self.cuts)

    def shown(self, duration: float) -> Ranges:
        """The seconds of the uncut recording that a version of this length shows. Never more than the version has."""
        kept = gaps(self.cuts, until=media_seconds(self.uncut_seconds))
        return self.uncut_to_shown.ranges_to_program(((0, min(media_seconds(duration), seconds(kept))),))

    def seen(self, *, live: Ranges, uncut: Ranges) -> Ranges:
        """Both kinds of coverage, in seconds of what is shown."""
        both = (*uncut, *self.program_to_uncut.ranges_to_recording(live))
        return self.uncut_to_shown.ranges_to_recording(intersect(both, ((0, media_seconds(self.uncut_seconds)),)))


def on_air() -> Combinable:
    """For a query of webinars: the edition that the video shows at this moment, as facts for `RecordingMap.read`.

    The video names its source in the transaction that publishes the files, so timeline and picture never disagree. A
    recording that somebody replaced by hand keeps the edition that was on air last.
    """
    facts = JSONObject(spans="spans", cuts="cuts", uncut_seconds="uncut_seconds")
    exact = Edition.objects.filter(source_key=OuterRef("video__published_source")).exclude(source_key="")
    theirs = Q(broadcast__recording=OuterRef("video")) | Q(
        broadcast__webinar=OuterRef("pk"), broadcast__is_rehearsal=False
    )
    last = Edition.objects.filter(theirs, published_at__isnull=False).order_by("-number")
    return Coalesce(Subquery(exact.values(facts=facts)[:1]), Subquery(last.values(facts=facts)[:1]))


def recording_map(webinar: Webinar, *, version: str = "") -> RecordingMap | None:
    """None for a lecture that never was a broadcast. `version`: what a page plays, when another one has come since."""
    if is_stale(webinar, version):
        older = Edition.objects.filter(broadcast__recording=webinar.video_id, version=version).first()
        if older is not None:
            return map_of(older)
    return recording_maps([webinar.pk]).get(webinar.pk)


def recording_maps(webinars: Collection[int]) -> dict[int, RecordingMap]:
    """By webinar, of those that were a broadcast. One query."""
    rows = Webinar.objects.filter(pk__in=webinars).values_list("pk", on_air())
    return {webinar: RecordingMap.read(facts) for webinar, facts in rows if facts}


def shown_over_time(webinar: Webinar) -> list[tuple[datetime, RecordingMap]]:
    """Each edition from when it was on air, the oldest first. One query."""
    theirs = Q(broadcast__recording=webinar.video_id) | Q(broadcast__webinar=webinar, broadcast__is_rehearsal=False)
    found = Edition.objects.filter(theirs, published_at__isnull=False).order_by("published_at", "number")
    return [(one.published_at, map_of(one)) for one in found if one.published_at]


def shown_then(
    editions: Sequence[tuple[datetime, RecordingMap]], *, at: datetime, second: float
) -> RecordingMap | None:
    """Of `shown_over_time`: what showed `second` to who watched at that time.

    None before the first edition, and for a second that it never had: that was another recording.
    """
    found = next((shown for since, shown in reversed(editions) if since <= at), None)
    return found if found and second <= found.uncut_to_shown.recording_seconds else None


def is_stale(webinar: Webinar, version: str) -> bool:
    return version != "" and webinar.video is not None and version != webinar.video.published_version


def map_of(edition: Edition) -> RecordingMap:
    return RecordingMap.read({"spans": edition.spans, "cuts": edition.cuts, "uncut_seconds": edition.uncut_seconds})


def timeline_of(webinar_id: int) -> Timeline:
    """Program time → recording as it is shown; before there is one, as it would be uncut. At most two queries."""
    row = (
        Webinar.objects.filter(pk=webinar_id)
        .annotate(broadcast=Subquery(_real_broadcast().values("pk")[:1]))
        .values_list(on_air(), "broadcast")
        .first()
    )
    facts, broadcast_id = row or (None, None)
    if facts:
        return RecordingMap.read(facts).program_to_shown
    return Timeline.from_spans(spans_of(broadcast_id)) if broadcast_id else Timeline()


def spans_of(broadcast_id: int) -> list[tuple[float, float, float]]:
    """`(program_start, program_end, offset)` of the stored segments, by their announced lengths."""
    with connection.cursor() as cursor:
        cursor.execute(_SPANS, [JUMP_SECONDS, broadcast_id])
        return [(start, end, offset) for start, end, offset in cursor.fetchall()]


_real_of = Prepared[Broadcast](
    lambda webinar: Broadcast.objects.filter(webinar=webinar, is_rehearsal=False).order_by("pk")[:1]
)


def real_broadcast(webinar_id: int) -> Broadcast | None:
    return _real_of.first(webinar=webinar_id)


def _real_broadcast() -> Any:
    return Broadcast.objects.filter(webinar=OuterRef("pk"), is_rehearsal=False)
