"""The figures once more, slowly and plainly: from the raw rows in Python, person by person and moment by moment.

Nothing here is shared with `analytics`: no SQL, no sweep, no multirange of PostgreSQL. Times are whole microseconds.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

from accounts.models import User
from analytics.models import PlaybackReport
from assessments.enums import Outcome, QuestionKind
from assessments.models import Answer, Evaluation, EvaluationAnswer, EvaluationQuestion, ItemVersion
from courses.models import Lesson
from webinars.enums import Phase, PollKind, QuestionState
from webinars.models import Poll, PollVote, Question, Visit, WatchRecord, Webinar

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
FEW = 5
Piece = tuple[int, int]


def micros(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


def moment(of: int) -> datetime:
    return EPOCH + timedelta(microseconds=of)


def there(webinar: Webinar, phase: Phase) -> dict[int, list[Piece]]:
    """By person, from when until when, with pauses of less than a minute closed."""
    raw: dict[int, list[Piece]] = defaultdict(list)
    for record in WatchRecord.objects.filter(webinar=webinar, phase=phase):
        for begin, finish in record.clock:
            start, end = micros(begin), micros(finish)
            if phase == Phase.LIVE and webinar.ended_at:
                if start >= micros(webinar.ended_at):
                    continue
                end = min(end, micros(webinar.ended_at))
            raw[record.user_id].append((start, end))
    if phase == Phase.LIVE:
        for visit in Visit.objects.filter(webinar=webinar):
            raw[visit.user_id].append((micros(visit.joined_at), micros(visit.left_at or visit.seen_at)))
    return {person: list(joined(pieces)) for person, pieces in raw.items() if pieces}


def shares(webinar: Webinar, phase: Phase) -> dict[int, Fraction]:
    """By person, how much of the time for which it was open was watched; at a meeting elsewhere all of it was."""
    opened: dict[int, int] = defaultdict(int)
    watched: dict[int, int] = defaultdict(int)
    end = micros(webinar.ended_at) if phase == Phase.LIVE and webinar.ended_at else None
    for record in WatchRecord.objects.filter(webinar=webinar, phase=phase):
        watched[record.user_id] += record.seen_seconds * SECOND
        for begin, finish in record.clock:
            last = micros(finish) if end is None else min(micros(finish), end)
            opened[record.user_id] += max(0, last - micros(begin))
    for visit in Visit.objects.filter(webinar=webinar) if phase == Phase.LIVE else ():
        length = micros(visit.left_at or visit.seen_at) - micros(visit.joined_at)
        opened[visit.user_id] += length
        watched[visit.user_id] += length
    return {
        who: min(Fraction(1), Fraction(watched[who], length)) if length else Fraction(1)
        for who, length in opened.items()
    }


def joined(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Piece after piece: who is back within a minute has not left."""
    open_start = open_end = -1
    for start, end in sorted(pieces):
        if open_start >= 0 and start - open_end < MINUTE:
            open_end = max(open_end, end)
            continue
        if open_start >= 0:
            yield open_start, open_end
        open_start, open_end = start, end
    if open_start >= 0:
        yield open_start, open_end


def touches(piece: Piece, begin: int, length: int) -> bool:
    """Whether somebody is there at any moment of [begin, begin + length); one who came and left at once was there."""
    start, end = piece
    if start == end:
        return begin <= start < begin + length
    return start < begin + length and end > begin


def slots(pieces: Iterable[Piece], length: int) -> Iterator[int]:
    """The beginnings of all slots from the first piece to the last one's end, that of its end included."""
    for start, end in pieces:
        yield from range(start // length * length, end + 1, length)


STILL_THERE = 75 * SECOND


def minutes(
    webinar: Webinar, phase: Phase, *, known_at: datetime | None = None
) -> dict[datetime, tuple[int, int, int]]:
    """(people, arrivals, leavings) of each minute that has any, as they are known then: while it is live, who told of
    being there 75 seconds ago may still be there."""
    people = there(webinar, phase)
    found = {}
    for begin in {slot for pieces in people.values() for slot in slots(pieces, MINUTE)}:
        if (
            known_at
            and phase == Phase.LIVE
            and not webinar.ended_at
            and begin + MINUTE > micros(known_at) - STILL_THERE
        ):
            continue
        inside = {who for who, pieces in people.items() if any(touches(one, begin, MINUTE) for one in pieces)}
        came = sum(begin <= start < begin + MINUTE for pieces in people.values() for start, _ in pieces)
        left = sum(begin <= end < begin + MINUTE for pieces in people.values() for _, end in pieces)
        if inside or came or left:
            found[moment(begin)] = (len(inside), came, left)
    return found


def seconds_in(pieces: Iterable[Piece], begin: int, length: int) -> int:
    """Microseconds of being there within [begin, begin + length)."""
    return sum(max(0, min(end, begin + length) - max(start, begin)) for start, end in pieces)


def rounded(microseconds: Fraction) -> int:
    return math.floor((microseconds + SECOND // 2) / SECOND)


def hours(webinar: Webinar, phase: Phase) -> dict[tuple[datetime, str, str], tuple[int, int]]:
    """(people, seconds) by hour, country and time zone."""
    people, share = there(webinar, phase), shares(webinar, phase)
    persons = User.objects.in_bulk(people)
    found: dict[tuple[datetime, str, str], tuple[int, int]] = {}
    for begin in {slot for pieces in people.values() for slot in slots(pieces, HOUR)}:
        groups: dict[tuple[str, str], list[Fraction]] = defaultdict(list)
        for who, pieces in people.items():
            if any(touches(one, begin, HOUR) for one in pieces):
                person = persons[who]
                groups[str(person.country or ""), person.timezone].append(seconds_in(pieces, begin, HOUR) * share[who])
        for (country, zone), spent in groups.items():
            found[moment(begin), country, zone] = (len(spent), rounded(sum(spent, Fraction())))
    return found


def days(webinar: Webinar, phase: Phase) -> dict[tuple[date, str, str], tuple[int, int, int]]:
    """(people, seconds, newcomers) by day of UTC, country and specialty."""
    people, share = there(webinar, phase), shares(webinar, phase)
    persons = User.objects.in_bulk(people)
    found: dict[tuple[date, str, str], tuple[int, int, int]] = {}
    for begin in {slot for pieces in people.values() for slot in slots(pieces, DAY)}:
        groups: dict[tuple[str, str], list[tuple[Fraction, bool]]] = defaultdict(list)
        for who, pieces in people.items():
            if any(touches(one, begin, DAY) for one in pieces):
                person = persons[who]
                is_new = begin <= min(start for start, _ in pieces) < begin + DAY
                groups[str(person.country or ""), person.specialty].append(
                    (seconds_in(pieces, begin, DAY) * share[who], is_new)
                )
        for (country, specialty), rows in groups.items():
            spent, new = rounded(sum((row[0] for row in rows), Fraction())), sum(row[1] for row in rows)
            found[moment(begin).date(), country, specialty] = (len(rows), spent, new)
    return found


BOUNDS = (250, 500, 1_000, 2_000, 4_000, 8_000, 16_000)
Sums = dict[str, int | list[int]]


def sums(reports: list[PlaybackReport]) -> Sums:
    starts = [one.start_ms for one in reports if one.start_ms is not None]
    buckets = [0] * (len(BOUNDS) + 1)
    for start in starts:
        buckets[sum(start >= bound for bound in BOUNDS)] += 1
    return {
        "plays": sum(one.number == 1 for one in reports),
        "sessions": len({one.session_id for one in reports}),
        "starts": len(starts),
        "start_ms_sum": sum(starts),
        "start_buckets": buckets,
        "play_ms": sum(one.play_ms for one in reports),
        "stall_ms": sum(one.stall_ms for one in reports),
        "stalls": sum(one.stalls for one in reports),
        "kbits": sum(one.kbits for one in reports),
        "errors": sum(one.errors for one in reports),
    }


def quality(webinar: Webinar, length: int) -> dict[tuple[object, ...], Sums]:
    """By hour (with device and network) or by minute."""
    groups: dict[tuple[object, ...], list[PlaybackReport]] = defaultdict(list)
    for one in PlaybackReport.objects.filter(webinar=webinar):
        begin = moment(micros(one.received_at) // length * length)
        extra = (one.device, one.network) if length == HOUR else ()
        groups[one.phase, begin, one.country, *extra].append(one)
    return {key: sums(reports) for key, reports in groups.items()}


def roots(webinar: Webinar) -> list[Question]:
    """The questions that count: what was merged counts where it went."""
    return [one for one in Question.objects.filter(webinar=webinar) if one.merged_into_id is None]


def asked(webinar: Webinar) -> dict[str, object]:
    """What was put aside was asked, and is neither answered nor waiting."""
    counted = roots(webinar)
    due = [one for one in counted if one.state != QuestionState.DISMISSED]
    took = sorted((one.answered_at - one.asked_at).total_seconds() for one in due if one.answered_at)
    middle = len(took) // 2
    half = (took[middle] + took[~middle]) / 2 if took else None
    return {
        "asked": len(counted),
        "answered": len(took),
        "set_aside": len(counted) - len(due),
        "waiting": len(due) - len(took),
        "askers": len({one.author_id for one in counted}),
        "asked_live": len([one for one in counted if one.phase == Phase.LIVE]),
        "answer_seconds": half,
        "answered_percent": 100 * len(took) / len(due) if due else None,
    }


def poll_results(poll: Poll) -> dict[str, object]:
    votes = list(PollVote.objects.filter(poll=poll))
    chosen = [choice for vote in votes for choice in vote.choices]
    said = [word for vote in votes for word in vote.words]
    is_scale = poll.kind == PollKind.SCALE and bool(chosen)
    return {
        "votes": len(votes),
        "counts": {str(one): chosen.count(one) for one in set(chosen)},
        "words": {one: said.count(one) for one in set(said)},
        "mean": sum(chosen) / len(chosen) if is_scale else None,
    }


def items(*lessons: Lesson) -> list[tuple[int, str, int | None, int, float, int]]:
    """(lesson, name, second, answers, percent of the points, left blank) of what five answered, the hardest first."""
    found: dict[ItemVersion, list[Answer]] = defaultdict(list)
    for one in Answer.objects.select_related("version__item", "version__watch_lesson", "attempt"):
        if one.version.watch_lesson in lessons and one.attempt.counts and one.points is not None:
            found[one.version].append(one)
    lines: list[tuple[int, str, int | None, int, float, int]] = []
    for version, answers in found.items():
        if len(answers) >= FEW:
            mean = sum(float(one.share or 0) for one in answers) / len(answers)
            blank = len([one for one in answers if one.outcome == Outcome.BLANK])
            place = version.watch_lesson_id or 0, version.item.name, version.watch_seconds
            lines.append((*place, len(answers), mean, blank))
    lines.sort(key=lambda line: (line[4], line[1]))
    return [(*line[:4], 100 * max(0.0, line[4]), line[5]) for line in lines]


def written(evaluations: Iterable[Evaluation]) -> list[tuple[object, str]]:
    """(who, text): the person where their name is there, else the sheet; without names where five answered."""
    found: list[tuple[object, str]] = []
    for evaluation in evaluations:
        questions: dict[EvaluationQuestion, list[EvaluationAnswer]] = defaultdict(list)
        for one in EvaluationAnswer.objects.filter(response__evaluation=evaluation).select_related("question"):
            if one.question.kind == QuestionKind.TEXT:
                questions[one.question].append(one)
        for given in questions.values():
            if len(given) >= FEW or not evaluation.is_anonymous:
                found += [(one.response.user_id or one.response_id, one.text) for one in given]
    return found


def marks(evaluation: Evaluation, *, least: int) -> dict[EvaluationQuestion, list[int]]:
    """The steps that were marked, of each question of five steps that so many answered."""
    found: dict[EvaluationQuestion, list[int]] = defaultdict(list)
    for one in EvaluationAnswer.objects.filter(response__evaluation=evaluation).select_related("question"):
        if one.number is not None and one.question.kind in {QuestionKind.LIKERT, QuestionKind.STARS}:
            found[one.question].append(one.number)
    return {question: numbers for question, numbers in found.items() if len(numbers) >= least}


def distribution(evaluation: Evaluation) -> dict[str, list[int]]:
    """By dimension: how often each of the five steps was marked. Named feedback is shown from the first answer on."""
    found: dict[str, list[int]] = {}
    for question, numbers in marks(evaluation, least=FEW if evaluation.is_anonymous else 1).items():
        steps = found.setdefault(question.dimension, [0] * 5)
        for number in numbers:
            steps[number - 1] += 1
    return found


def mean(evaluations: Iterable[Evaluation], dimension: str = "") -> float | None:
    """Of all answers; a question that fewer than five answered is in none, with names or without."""
    numbers = [
        number
        for evaluation in evaluations
        for question, given in marks(evaluation, least=FEW).items()
        if dimension in {"", question.dimension}
        for number in given
    ]
    return sum(numbers) / len(numbers) if numbers else None
