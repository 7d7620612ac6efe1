"""Who may use which lane: all combinations by the pure function, and what the rows and the dates make of it."""

from datetime import timedelta
from itertools import product
from uuid import uuid4

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import AuditEvent
from tests.questions.world import NOON, World, at, end, make_world
from webinars.domain.lane_access import LaneTargetError, lane_settings, set_lane_access
from webinars.domain.lanes import (
    DEFAULTS,
    FollowUpOverError,
    LaneError,
    MutedError,
    NotYetError,
    Window,
    effective_lanes,
    lane_rules,
    lanes_of,
    window_of,
)
from webinars.domain.questions import ask
from webinars.domain.restrictions import mute, remove
from webinars.enums import Lane, LaneAccessLevel, Restriction
from webinars.models import Question
from webinars.rules import Part

NONE, READ, WRITE = LaneAccessLevel.NONE, LaneAccessLevel.READ, LaneAccessLevel.WRITE


class TestPure:
    def test_defaults(self) -> None:
        for part in Part:
            lanes = effective_lanes(part=part, of_role={}, of_person={}, restrictions=(), window=Window.OPEN)
            assert {lane: lanes.level(lane) for lane in Lane} == dict(DEFAULTS[part])

    def test_the_persons_own_row_comes_first(self) -> None:
        lanes = effective_lanes(
            part=Part.ATTENDEE,
            of_role={Lane.ATTENDEE: NONE},
            of_person={Lane.ATTENDEE: WRITE},
            restrictions=(),
            window=Window.OPEN,
        )
        assert lanes.may_ask

    def test_no_row_opens_what_the_part_never_has(self) -> None:
        """Whatever is granted: no doctor sees the presenters' lane, no presenter the doctors' private talk."""
        for level in LaneAccessLevel:
            everything = dict.fromkeys(Lane, level)
            for given in ({"of_role": everything, "of_person": {}}, {"of_role": {}, "of_person": everything}):
                doctor = effective_lanes(part=Part.ATTENDEE, restrictions=(), window=Window.OPEN, **given)  # type: ignore[arg-type]
                presenter = effective_lanes(part=Part.PRESENTER, restrictions=(), window=Window.OPEN, **given)  # type: ignore[arg-type]
                assert (doctor.presenter, presenter.attendee) == (NONE, NONE)

    def test_restrictions_and_dates_only_take_away(self) -> None:
        order = list(LaneAccessLevel)
        sets = [frozenset(), {Restriction.MUTED}, {Restriction.REMOVED}, {Restriction.MUTED, Restriction.REMOVED}]
        for part, lane, level, restrictions, window in product(Part, Lane, LaneAccessLevel, sets, Window):
            rows = {"part": part, "of_role": {lane: level}, "of_person": {}}
            free = effective_lanes(**rows, restrictions=(), window=Window.OPEN)  # type: ignore[arg-type]
            bound = effective_lanes(**rows, restrictions=restrictions, window=window)  # type: ignore[arg-type]
            for one in Lane:
                assert order.index(bound.level(one)) <= order.index(free.level(one))
                if Restriction.REMOVED in restrictions:
                    assert bound.level(one) == NONE
                elif Restriction.MUTED in restrictions:
                    assert bound.level(one) != WRITE
                if part == Part.ATTENDEE:
                    assert order.index(bound.level(one)) <= order.index(window.value)


@pytest.mark.django_db
class TestDates:
    def test_before_the_doors_during_and_after(self) -> None:
        world = make_world(live=False)
        webinar = world.fresh()
        assert webinar.starts_at is not None
        doors = webinar.starts_at - timedelta(minutes=webinar.doors_minutes)

        assert window_of(webinar, now=doors - timedelta(seconds=1)) is Window.CLOSED
        assert window_of(webinar, now=doors) is Window.OPEN
        webinar.live_at = webinar.starts_at
        assert window_of(webinar, now=NOON) is Window.OPEN
        webinar.ended_at = NOON
        over = NOON + timedelta(days=webinar.followup_days)
        assert window_of(webinar, now=over - timedelta(seconds=1)) is Window.OPEN
        assert window_of(webinar, now=over) is Window.READING
        webinar.ended_at = webinar.live_at = None
        webinar.cancelled_at = NOON
        assert window_of(webinar, now=NOON) is Window.CLOSED
        webinar.cancelled_at = webinar.starts_at = None
        assert window_of(webinar, now=NOON) is Window.CLOSED

    def test_doctors_are_told_why(self, world: World) -> None:
        early = make_world(live=False)
        with pytest.raises(NotYetError):
            early.asked(now=NOON - timedelta(days=1))
        world.webinar = end(world.webinar, now=NOON)
        assert world.asked(now=at(60)).phase == "on_demand"
        with pytest.raises(FollowUpOverError):
            world.asked(now=NOON + timedelta(days=7))
        assert Question.objects.count() == 1

    def test_moderators_answer_the_last_questions_after_it(self, world: World) -> None:
        webinar = end(world.webinar, now=NOON)
        late = NOON + timedelta(days=30)

        assert lanes_of(webinar=webinar, user=world.moderator, now=late).attendee == WRITE
        assert lanes_of(webinar=webinar, user=world.doctor, now=late).may() == {
            "ask": False,
            "read": True,
            "vote": False,
        }


@pytest.mark.django_db
class TestRows:
    def test_of_role_and_person_by_one_query(
        self, world: World, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        webinar = world.fresh()
        for user, part, level in ((None, Part.ATTENDEE, NONE), (world.other, None, WRITE)):
            set_lane_access(webinar=webinar, lane=Lane.ATTENDEE, level=level, part=part, user=user,
                            actor=world.moderator, now=NOON)  # fmt: skip
        mute(webinar=webinar, user=world.other, actor=world.moderator, now=NOON)

        with django_assert_num_queries(1):
            doctor = lanes_of(webinar=webinar, user=world.doctor, part=Part.ATTENDEE, now=NOON)
        other = lanes_of(webinar=webinar, user=world.other, part=Part.ATTENDEE, now=NOON)
        with django_assert_num_queries(1):
            rules = lane_rules(webinar.pk)

        assert (doctor.may_ask, other.attendee, other.is_muted) == (False, READ, True)
        for user, lanes in ((world.doctor, doctor), (world.other, other)):
            assert rules.lanes(part=Part.ATTENDEE, user_id=user.pk, window=Window.OPEN) == lanes
        with pytest.raises(MutedError):
            other.require(Lane.ATTENDEE)
        with pytest.raises(LaneError):
            doctor.require(Lane.ATTENDEE)

    def test_setting_is_heard_logged_and_undone(self, world: World) -> None:
        args = {"webinar": world.webinar, "lane": Lane.ATTENDEE, "user": world.doctor, "actor": world.moderator}
        set_lane_access(**args, level=READ, now=NOON)  # type: ignore[arg-type]

        assert world.kinds() == {
            "doctor": ["lanes"],
            "other": [],
            "presenter": [],
            "moderator": ["desk"],
        }
        assert AuditEvent.objects.get(action="lanes.set").details["person"] == world.doctor.pk
        assert [(one["lane"], one["level"]) for one in lane_settings(webinar=world.webinar)] == [("attendee", "read")]
        with pytest.raises(LaneError):
            world.asked()

        set_lane_access(**args, level=None, now=NOON)  # type: ignore[arg-type]
        assert lane_settings(webinar=world.webinar) == []
        assert world.asked().pk

    def test_one_target_only(self, world: World) -> None:
        for target in ({}, {"part": Part.ATTENDEE, "user": world.doctor}):
            with pytest.raises(LaneTargetError):
                set_lane_access(webinar=world.webinar, lane=Lane.ATTENDEE, level=READ, actor=None, now=NOON, **target)  # type: ignore[arg-type]

    def test_presenters_do_not_ask_and_the_removed_do_nothing(self, world: World) -> None:
        remove(webinar=world.webinar, user=world.doctor, actor=world.moderator, now=NOON)
        for user in (world.presenter, world.doctor):
            with pytest.raises(LaneError):
                ask(webinar=world.webinar, author=user, text="May I?", client_key=uuid4(), now=NOON)
        assert not Question.objects.exists()
