"""The latest events of one room in memory: what is sent live, replayed after a gap, and polled."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from webinars.rules import Part, may_see

MOST_BEHIND = 1_000  # events for one reader; who missed more loads the page again, which costs less than the frames
KEPT = 5_000  # of all audiences: a doctor hears few of them, and is not sent away because moderators were busy

SPARE = 1_000  # that may come more before the oldest are let go
PAGE = 100  # events of a replay that are sent before the browser is waited for,
PAGE_CHARACTERS = 65_536  # or fewer, where they are long


@dataclass(frozen=True, slots=True)
class Event:
    """A row of the log, with its frame: that is written once per process, whoever gets it and however.

    `about` is the number of the question that it shows, `withdraws` that number too where the earlier ones about it
    must not be read any more: it was taken back, or its words were changed.
    """

    webinar_id: int
    number: int
    kind: str
    audience: str
    person_id: int | None
    text: str
    about: int | None = None
    withdraws: int | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom events are picked. `reads`: the lane of published questions is open to this person. Without a place
    (registered, where that is wanted) hardly anything is for them.
    """

    part: Part
    user_id: int
    reads: bool = True
    has_place: bool = True

    def sees(self, event: Event) -> bool:
        return may_see(
            kind=event.kind,
            audience=event.audience,
            person_id=event.person_id,
            part=self.part,
            user_id=self.user_id,
            reads=self.reads,
            has_place=self.has_place,
        )


def visible(events: Iterable[Event], reader: Reader) -> list[Event]:
    return [event for event in events if reader.sees(event)]


def _without_withdrawn(events: list[Event], new: Iterable[Event]) -> list[Event]:
    """What was said in words that are taken back is replayed to nobody; the table does not have them any more."""
    last: dict[tuple[str, int | None], int] = {
        (event.kind, event.withdraws): event.number for event in new if event.withdraws is not None
    }
    return [event for event in events if event.number >= last.get((event.kind, event.about), 0)]


class Ring:
    """Complete behind `before` up to `last`: whoever has heard everything up to a number in between misses none."""

    __slots__ = ("_kept", "before", "last")

    def __init__(self, before: int) -> None:
        self.before = before
        self.last = before
        self._kept: tuple[list[int], list[Event]] = ([], [])  # replaced as a whole: threads may read meanwhile

    def extend(self, events: Sequence[Event]) -> list[Event]:
        """Takes what is new of them, in order, and returns it: two readers may have fetched the same event."""
        new = [event for event in events if event.number > self.last]
        if new:
            numbers, events = self._kept
            numbers, events = numbers + [event.number for event in new], events + new
            if any(event.withdraws is not None for event in new):
                events = _without_withdrawn(events, new)
                numbers = [event.number for event in events]
            if len(events) > KEPT + SPARE:
                self.before = numbers[-KEPT - 1]
                numbers, events = numbers[-KEPT:], events[-KEPT:]
            self._kept = numbers, events
            self.last = new[-1].number
        return new

    def forget(self, before: int) -> None:
        """Nothing up to this number is in the table any more: some of it may have been missing when it was read."""
        self.before = max(self.before, before)
        self.last = max(self.last, before)

    def reaches(self, since: int) -> bool:
        return self.before <= since <= self.last

    def after(self, since: int, most: int = KEPT + SPARE) -> list[Event]:
        numbers, events = self._kept
        start = bisect_right(numbers, since)
        return events[start : start + most]

    def page(self, since: int) -> list[Event]:
        """As many as a browser is sent at once."""
        size = 0
        found = self.after(since, PAGE)
        for count, event in enumerate(found):
            size += len(event.text)
            if size > PAGE_CHARACTERS:
                return found[: max(count, 1)]
        return found

    def last_for(self, reader: Reader) -> int:
        """The number of the latest event this person may see; 0 when none is remembered."""
        for event in reversed(self._kept[1]):
            if reader.sees(event):
                return event.number
        return 0
