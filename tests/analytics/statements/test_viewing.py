"""What is said of players and of what was watched: each statement, against who did what second by second."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from accounts.models import Device
from analytics.domain.statements import shapes, viewing
from analytics.domain.statements.making import make_all
from analytics.domain.statements.sending import send_due
from analytics.enums import StatementState, StatementVerb
from analytics.models import Statement, StatementFeed
from core.ranges import Ranges, normalise
from tests.analytics.statements.conformance import extensions_of, problems_of_sessions, verb_of
from tests.analytics.statements.store import record_store, settings_for
from tests.analytics.statements.watchers import Stage, said
from tests.analytics.statements.world import LATER, doctor, watched
from tests.webinars.on_air import make_live, publish
from tests.webinars.watching import NOON, at, make_device, make_webinar, record_of, send
from webinars.domain.watching import start_play_session
from webinars.models import Broadcast, PlaySession, WatchRecord, Webinar

pytestmark = pytest.mark.django_db
EXTENSION = shapes.EXTENSION
# What is done, to which player, where in the video, and how many seconds after the step before.
steps = st.lists(
    st.tuples(
        st.sampled_from(["open", "beat", "beat", "beat", "end", "close", "look"]),
        st.integers(0, 3),
        st.integers(0, 999),
        st.sampled_from([1, 7, 30, 30, 240, 650]),
    ),
    max_size=24,
)
ONE_AFTER_THE_OTHER = [
    ("open", 0, 0, 1), ("beat", 0, 0, 240), ("open", 0, 0, 30), ("beat", 1, 99, 30), ("look", 0, 0, 650),
    ("end", 1, 0, 7), ("look", 0, 0, 1), ("beat", 0, 500, 7), ("close", 0, 0, 1), ("look", 0, 0, 650),
]  # fmt: skip
THREE_AT_ONCE = [
    ("open", 0, 0, 1), ("beat", 0, 3, 60), ("open", 0, 0, 30), ("beat", 1, 9, 30), ("beat", 0, 0, 30),
    ("end", 0, 0, 5), ("beat", 0, 40, 30), ("end", 0, 1, 3), ("close", 0, 0, 30), ("look", 0, 0, 650),
]  # fmt: skip
LATE = [
    ("open", 0, 0, 1), ("beat", 0, 0, 240), ("close", 0, 0, 30), ("beat", 0, 99, 7), ("look", 0, 0, 650),
    ("beat", 0, 5, 650), ("look", 0, 0, 650), ("look", 0, 0, 240),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _on() -> Any:
    with override_settings(XAPI=settings_for("https://lrs.example/xapi")):
        yield


@pytest.mark.parametrize("is_live", [False, True], ids=["recording", "live"])
@given(steps)
@example(ONE_AFTER_THE_OTHER)
@example(THREE_AT_ONCE)
@example(LATE)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_each_statement_is_what_somebody_did(is_live: bool, done: Sequence[tuple[str, int, int, int]]) -> None:
    StatementFeed.objects.all().delete()
    stage = Stage(is_live)
    theirs = Statement.objects.filter(user=stage.user).order_by("due_at", "happened_at", "pk")
    for what, which, where, after in [*done, ("close", 0, 0, 1), ("look", 0, 0, 1300)]:
        stage.now += after
        if what == "look":
            make_all(now=at(stage.now))
            stage.look()
        else:
            getattr(stage, what)(which, where)

    before = list(theirs.values())
    assert sorted(map(said, theirs), key=str) == sorted(stage.told.values(), key=str)
    assert make_all(now=at(stage.now), whole=True) == 0
    assert list(theirs.values()) == before


def test_nothing_is_said_of_a_live_event_before_its_length_is_known() -> None:
    enrolment = doctor()
    session = _live(enrolment)
    send(session, (0, 120), after=121)
    make_all(now=at(7000), whole=True)
    assert not Statement.objects.exists()

    Webinar.objects.update(ended_at=at(8000))
    make_all(now=at(8601), whole=True)
    assert not Statement.objects.exists()

    Broadcast.objects.update(program_seconds=1200.4)
    make_all(now=at(8602))  # the minutes' look, not the night's

    opened, paused, over = Statement.objects.order_by("happened_at")
    assert [(one.verb, one.happened_at) for one in (opened, paused, over)] == [
        ("initialized", NOON), ("paused", at(121)), ("terminated", at(8000)),
    ]  # fmt: skip
    assert {one.body["context"]["extensions"][f"{EXTENSION}length"] for one in (opened, paused, over)} == {1200}
    assert over.body["result"] == paused.body["result"]
    assert over.body["result"]["extensions"] == {
        f"{EXTENSION}time": 120.0, f"{EXTENSION}progress": 0.1, f"{EXTENSION}played-segments": "0[.]120",
    }  # fmt: skip


def test_a_player_whose_device_ended_is_over_at_the_next_look() -> None:
    session = watched(None, (0, 60), seconds=600)
    make_all(now=at(900))
    assert make_all(now=at(6000)) == 0  # so that the next look has nothing to do with the beat
    assert set(Statement.objects.values_list("verb", flat=True)) == {"initialized", "paused"}

    Device.objects.filter(pk=session.device_id).update(ended_at=at(6100), ended_reason="signed_out")
    assert make_all(now=at(6400)) == 1

    over = Statement.objects.get(verb=StatementVerb.TERMINATED)
    assert (over.happened_at, over.due_at > Statement.objects.get(verb="paused").due_at) == (at(6100), True)
    assert over.body["context"]["extensions"][f"{EXTENSION}session-id"] == str(session.pk)


def test_who_goes_on_elsewhere_leaves_no_player_of_which_more_is_known_than_is_kept() -> None:
    """How far somebody was when the first player ended is not kept once the second brought more."""
    enrolment = doctor()
    first = watched(enrolment, (0, 60))
    Device.objects.filter(pk=first.device_id).update(ended_at=at(70), ended_reason="signed_out")
    second = start_play_session(
        webinar=first.webinar, user=enrolment.user, device=make_device(enrolment.user, now=at(100)), now=at(100)
    )
    send(second, (60, 90), after=140)

    make_all(now=at(900))

    assert not Statement.objects.filter(verb="terminated").exists()
    paused = Statement.objects.get(verb="paused")
    assert extensions_of(paused.body["context"])["session-id"] == str(second.pk)


def test_of_two_players_at_once_none_is_named() -> None:
    enrolment = doctor()
    first = watched(enrolment, (0, 60))
    second = start_play_session(
        webinar=first.webinar, user=enrolment.user, device=make_device(enrolment.user, now=at(30)), now=at(30)
    )
    send(second, (200, 230), after=90)
    Device.objects.filter(user=enrolment.user).update(ended_at=at(100), ended_reason="signed_out")

    make_all(now=at(900))

    assert sorted(Statement.objects.values_list("verb", flat=True)) == ["initialized", "initialized", "paused"]
    assert "session-id" not in extensions_of(Statement.objects.get(verb="paused").body["context"])


def test_seconds_are_those_of_the_version_that_is_shown_and_what_was_seen_live_stands_apart() -> None:
    enrolment = doctor()
    session = _live(enrolment)
    send(session, (0, 200), after=201)
    Broadcast.objects.update(program_seconds=660.0)
    webinar = session.webinar
    publish(webinar, spans=[(0.0, 200.0, 0.0), (220.0, 660.0, 200.0)], cuts=((0, 40), (300, 340)), at=at(700))
    again = start_play_session(
        webinar=Webinar.objects.get(pk=webinar.pk),
        user=enrolment.user,
        device=make_device(enrolment.user, now=at(5000)),
        now=at(5000),
    )
    send(again, (240, 280), after=5060, position=250.5)

    make_all(now=at(9000))

    record = record_of(again)
    assert (record.coverage, record.position_seconds) == (((280, 300), (340, 360)), 290.5)
    paused = Statement.objects.get(verb="paused", source=f"record/{record.pk}")
    assert paused.body["result"]["extensions"] == {
        f"{EXTENSION}time": 250.5,
        f"{EXTENSION}progress": round(40 / 560, 3),
        f"{EXTENSION}played-segments": "240[.]280",
        "https://learn.example.org/xapi/extensions/seen-live": "0[.]160",
    }
    assert extensions_of(paused.body["context"])["length"] == 560


def test_seconds_of_a_longer_version_that_was_replaced_count_for_nothing() -> None:
    session = watched(None, (0, 60))
    WatchRecord.objects.update(coverage=((0, 60), (590, 700)), position_seconds=700.0)

    make_all(now=LATER)

    extensions = extensions_of(Statement.objects.get(verb="paused").body["result"])
    assert extensions == {"time": 600.0, "progress": round(70 / 600, 3), "played-segments": "0[.]60[,]590[.]600"}
    assert session.media_seconds == 600


@pytest.mark.django_db(transaction=True)
def test_whole_sessions_arrive_as_the_profile_wants_them() -> None:
    with record_store() as store:
        enrolment = doctor()
        live = _live(enrolment)
        send(live, (0, 300), after=301)
        send(live, (300, 600), after=602)
        Webinar.objects.update(ended_at=at(600))
        Broadcast.objects.update(program_seconds=600.0)
        recorded = watched(enrolment, (0, 300), (300, 600))
        Device.objects.filter(pk=recorded.device_id).update(ended_at=at(700), ended_reason="expired")
        make_all(now=LATER)
        ids = list(Statement.objects.values_list("pk", flat=True))

        send_due(clock=lambda: LATER + timedelta(seconds=1))

        assert (store.problems, problems_of_sessions(store.taken.values())) == ([], [])
        by_session = {
            str(session.pk): sorted(
                verb_of(one)
                for one in store.taken.values()
                if extensions_of(one["context"]).get("session-id") == str(session.pk)
            )
            for session in (live, recorded)
        }
        assert by_session == {
            str(live.pk): ["initialized", "paused", "terminated"],
            str(recorded.pk): ["completed", "initialized", "paused", "terminated"],
        }
        assert {one["object"]["id"].rpartition("/")[2] for one in store.taken.values()} == {"live", "recording"}
        # Made anew, all of it is what the store has: it says neither 400 nor 409.
        Statement.objects.all().delete()
        make_all(now=LATER + timedelta(days=1), whole=True)
        assert sorted(Statement.objects.values_list("pk", flat=True)) == sorted(ids)
        assert send_due(clock=lambda: LATER + timedelta(days=2)).sent == len(ids)
        assert set(Statement.objects.values_list("state", flat=True)) == {StatementState.SENT}


def test_a_completion_is_told_of_the_player_in_which_it_was_reached() -> None:
    enrolment = doctor()
    first = watched(enrolment, (0, 300), (300, 600))
    second = start_play_session(
        webinar=first.webinar, user=enrolment.user, device=make_device(enrolment.user, now=at(2000)), now=at(2000)
    )
    send(second, (0, 10), after=2020)

    make_all(now=at(9000))

    sessions = {
        one.verb: extensions_of(one.body["context"])["session-id"]
        for one in Statement.objects.filter(verb__in=["paused", "completed"])
    }
    assert sessions == {"completed": str(first.pk), "paused": str(second.pk)}


ranges = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=6).map(
    lambda found: normalise((start, start + length) for start, length in found)
)


@given(ranges, st.integers(0, 900))
def test_a_moment_moves_up_by_what_was_cut_before_it(shown: Ranges, tenth: int) -> None:
    tenths = [one for start, end in shown for one in range(start * 10, end * 10)]

    assert shapes.point_as_shown(tenth / 10, shown) == pytest.approx(sum(one < tenth for one in tenths) / 10)


def _live(enrolment: Any) -> PlaySession:
    """A doctor who opened a live event at noon, when it began."""
    webinar = make_live(webinar=make_webinar(enrolment))
    return start_play_session(webinar=webinar, user=enrolment.user, device=make_device(enrolment.user), now=NOON)


def test_three_doctors_cost_no_more_queries_than_one() -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            found = len(list(viewing.watching(None, LATER)))
        assert found == WatchRecord.objects.count()
        return len(queries)

    watched()
    one = cost()
    watched()
    watched()
    assert cost() == one == 2
