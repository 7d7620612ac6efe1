"""The seconds along which a webinar's numbers are drawn: its recording as it is shown; without one, its broadcast."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.ranges import Ranges, intersect, seconds
from webinars.domain.resume import media_seconds
from webinars.domain.timeline import Piece, Timeline
from webinars.domain.timelines import RecordingMap, real_broadcast, recording_maps, spans_of
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
    """At most two queries; `length` is 0 where nothing was ever broadcast or published (a meeting elsewhere)."""
    return axes_of([webinar])[webinar.pk]


def axes_of(webinars: Sequence[Webinar]) -> dict[int, Axis]:
    """By webinar. One query for all that have a recording, at most two for each other one."""
    durations = {one.pk: _recorded_seconds(one) for one in webinars}
    editions = recording_maps([key for key, duration in durations.items() if duration])
    return {
        key: _of_recording(editions.get(key), duration) if duration else _of_broadcast(key)
        for key, duration in durations.items()
    }


def _recorded_seconds(webinar: Webinar) -> float:
    video = webinar.video
    return (video.duration_seconds if video and video.published_version else None) or 0.0


def _of_broadcast(webinar_id: int) -> Axis:
    broadcast = real_broadcast(webinar_id)
    program = Timeline.from_spans(spans_of(broadcast.pk)) if broadcast else Timeline()
    length = media_seconds(program.recording_seconds) if program.pieces else 0
    return Axis(length, program, _whole(length), is_recording=False)


def _of_recording(edition: RecordingMap | None, duration: float) -> Axis:
    length = media_seconds(duration)
    if edition is None:
        return Axis(length, Timeline(), _whole(length), is_recording=True)
    length = min(length, seconds(edition.shown(duration)))
    return Axis(length, edition.program_to_uncut, edition.uncut_to_shown, is_recording=True)


def _whole(length: int) -> Timeline:
    return Timeline((Piece(0.0, float(length), 0.0),) if length else ())
