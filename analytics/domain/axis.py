"""The seconds along which a webinar's numbers are drawn: its recording as it is shown; without one, its broadcast."""

from dataclasses import dataclass

from core.ranges import Ranges, intersect, seconds
from webinars.domain.resume import media_seconds
from webinars.domain.timeline import Piece, Timeline
from webinars.domain.timelines import real_broadcast, recording_map, spans_of
from webinars.models import Webinar


@dataclass(frozen=True, slots=True)
class Axis:
    """`length` whole seconds. What was watched live goes by `program` to the uncut recording, all of that by `shown`.

    The two steps round as `RecordingMap.seen` rounds, so that a doctor's bar and a presenter's curve never disagree.
    """

    length: int
    program: Timeline
    shown: Timeline
    is_recording: bool

    def of_program(self, second: float) -> float:
        """Where a moment of the broadcast stands."""
        return self.shown.to_recording(self.program.to_recording(second))

    def of_uncut(self, second: float) -> float:
        return self.shown.to_recording(second)

    def live_to_axis(self, ranges: Ranges) -> Ranges:
        return self.uncut_to_axis(self.program.ranges_to_recording(ranges))

    def uncut_to_axis(self, ranges: Ranges) -> Ranges:
        return intersect(self.shown.ranges_to_recording(ranges), ((0, self.length),))


def axis_of(webinar: Webinar) -> Axis:
    """At most three queries; `length` is 0 where nothing was ever broadcast or published (a meeting elsewhere)."""
    video = webinar.video
    duration = (video.duration_seconds if video and video.published_version else None) or 0.0
    if duration:
        return _of_recording(webinar, duration)
    broadcast = real_broadcast(webinar.pk)
    program = Timeline.from_spans(spans_of(broadcast.pk)) if broadcast else Timeline()
    length = media_seconds(program.recording_seconds) if program.pieces else 0
    return Axis(length, program, _whole(length), is_recording=False)


def _of_recording(webinar: Webinar, duration: float) -> Axis:
    edition = recording_map(webinar)
    length = media_seconds(duration)
    if edition is None:
        return Axis(length, Timeline(), _whole(length), is_recording=True)
    length = min(length, seconds(edition.shown(duration)))
    return Axis(length, edition.program_to_uncut, edition.uncut_to_shown, is_recording=True)


def _whole(length: int) -> Timeline:
    return Timeline((Piece(0.0, float(length), 0.0),) if length else ())
