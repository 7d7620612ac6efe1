"""Parts of a video as the profile writes them, and through cuts: by Hypothesis, against seconds counted one by one."""

import uuid
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from analytics.domain.statements import shapes
from analytics.domain.statements.facts import id_of
from analytics.enums import StatementVerb
from core.ranges import Ranges, normalise
from tests.analytics.statements.conformance import SEGMENTS, problems_of

ranges = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=6).map(
    lambda found: normalise((start, start + length) for start, length in found)
)


def each_second(found: Ranges) -> list[int]:
    return [second for start, end in found for second in range(start, end)]


@given(ranges)
def test_segments_can_be_read_back(watched: Ranges) -> None:
    text = shapes.played_segments(watched)

    assert SEGMENTS.fullmatch(text)
    parts = [part.split("[.]") for part in text.split("[,]")] if text else []
    assert tuple((int(start), int(end)) for start, end in parts) == watched


@given(ranges, ranges)
def test_seconds_of_what_was_cut_are_none_and_the_others_move_up(watched: Ranges, shown: Ranges) -> None:
    kept = each_second(shown)
    found = shapes.as_shown(watched, shown)

    assert each_second(found) == [kept.index(second) for second in each_second(watched) if second in kept]
    assert found == normalise(found)
    assert shapes.as_shown(watched, None) == watched


@given(ranges, st.integers(0, 90), st.floats(-5, 200, allow_nan=False))
def test_progress_and_time_lie_within_the_video(watched: Ranges, length: int, position: float) -> None:
    said = shapes.watched(watched, length=length, position=position)

    assert 0 <= said[f"{shapes.EXTENSION}progress"] <= 1
    assert 0 <= said[f"{shapes.EXTENSION}time"] <= length
    if length:
        expected = min(len(each_second(watched)), length) / length
        assert abs(said[f"{shapes.EXTENSION}progress"] - expected) < 0.001


@given(
    st.decimals(0, 50, places=2), st.decimals("0.01", 50, places=2), st.sampled_from(StatementVerb), st.uuids(),
    st.datetimes(min_value=datetime(2000, 1, 1), timezones=st.sampled_from([UTC, timezone(timedelta(hours=5.5))])),  # noqa: DTZ001
)  # fmt: skip
def test_what_is_sent_keeps_to_the_rules(
    points: Decimal, most: Decimal, verb: StatementVerb, name: uuid.UUID, at: datetime
) -> None:
    thing = shapes.activity("https://x.example", "tests/1", kind=shapes.TEST, name="Ünïcode <b>", language="en-gb")
    result = {"score": shapes.score(min(points, most), most), "duration": shapes.duration(int(points))}
    body = shapes.said(verb, thing, parents=[shapes.reference("https://x.example", "lessons/1")], result=result)
    if verb == StatementVerb.VOIDED:
        body = shapes.taken_back(name)
    whole = shapes.sent_as(
        body, statement_id=name, happened_at=at, home="https://x.example", pseudonym=name, programme_id=3
    )

    assert problems_of(whole) == []
    assert abs(datetime.fromisoformat(whole["timestamp"]) - at) < timedelta(milliseconds=1)
    assert "id" not in body


def test_the_id_is_the_same_for_the_same_and_another_for_anything_else() -> None:
    given_ = {"home": "https://a.example", "source": "attempt/1", "edition": "3", "number": 1}
    others = [given_ | change for change in ({"home": "b"}, {"source": "c"}, {"edition": "4"}, {"number": 2}, {})]

    assert id_of(**given_) == uuid.UUID("c802e8d3-1df9-5084-ae8f-29f1daea642a")  # type: ignore[arg-type]
    assert len({id_of(**one) for one in others}) == 5  # type: ignore[arg-type]
