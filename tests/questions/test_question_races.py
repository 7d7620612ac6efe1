"""Two at once, with real connections and real commits: one wins, the other is told, nothing is done twice."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections

from accounts.models import AuditEvent
from tests.questions.world import NOON, World, at, doctor_of, make_world
from webinars.domain import answers, polls
from webinars.domain.answers import ChangedMeanwhileError, ClaimedError
from webinars.domain.lanes import LaneError
from webinars.domain.questions import QuestionNotFoundError, TooManyError, ask, vote
from webinars.domain.restrictions import mute
from webinars.domain.tally_news import announce_due
from webinars.enums import EventKind, PollKind, PollState
from webinars.models import PersonRestriction, Poll, PollVote, Question, QuestionVote, RoomEvent

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 6
REFUSALS = (ChangedMeanwhileError, ClaimedError, QuestionNotFoundError, TooManyError, polls.PollError, LaneError)


@pytest.fixture
def world(transactional_db: None) -> World:
    """The conftest's belongs to a transaction; here everything is committed."""
    return make_world()


def at_once(*work: Callable[[], Any]) -> list[Any]:
    """Each in a thread with a connection of its own, released in the same moment; refusals are results."""
    gate = threading.Barrier(len(work))

    def run(one: Callable[[], Any]) -> Any:
        try:
            gate.wait(30)
            return one()
        except REFUSALS as refused:
            return refused
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(run, work))


def kinds(results: Sequence[Any]) -> list[str]:
    return sorted(type(one).__name__ for one in results)


def check_numbers(world: World) -> None:
    numbers = list(RoomEvent.objects.filter(webinar=world.webinar).order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))


def test_three_moderators_claim_at_once(world: World) -> None:
    third = world.presenter
    for n in range(ROUNDS):
        question = world.asked(now=NOON + timedelta(minutes=n))
        people = (world.moderator, world.second, third)
        results = at_once(*[
            partial(answers.claim, webinar=world.webinar, question_id=question.pk, actor=one, version=1,
                                          now=NOON)
            for one in people
        ])  # fmt: skip

        assert kinds(results) == ["ClaimedError", "ClaimedError", "Question"]
        question.refresh_from_db()
        (winner,) = [one for one in results if isinstance(one, Question)]
        assert question.claimed_by_id == winner.claimed_by_id
    check_numbers(world)


def test_two_moderators_publish_at_once(world: World) -> None:
    for n in range(ROUNDS):
        question = world.asked(now=NOON + timedelta(minutes=n))
        results = at_once(*[
            partial(answers.publish, webinar=world.webinar, question_id=question.pk, actor=one,
                                                         version=1, edited_text=words, now=NOON)
            for one, words in ((world.moderator, "First words"), (world.second, "Second words"))
        ])  # fmt: skip

        assert kinds(results) == ["ChangedMeanwhileError", "Question"]
        published = RoomEvent.objects.filter(kind=EventKind.PUBLISHED, payload__id=question.pk)
        question.refresh_from_db()
        assert [one.payload["text"] for one in published] == [question.edited_text]
    assert AuditEvent.objects.filter(action="question.publish").count() == ROUNDS
    check_numbers(world)


def test_the_same_question_sent_twice_at_once_is_one(world: World) -> None:
    for n in range(ROUNDS):
        key = uuid4()
        now = NOON + timedelta(minutes=n)
        results = at_once(*[
            partial(ask, webinar=world.webinar, author=world.doctor, text="Twice?", client_key=key, now=now)
        ] * 3)  # fmt: skip

        assert len({one.pk for one in results}) == 1
        assert Question.objects.filter(client_key=key).count() == 1
    assert RoomEvent.objects.filter(kind=EventKind.QUESTION).count() == ROUNDS


def test_the_rate_holds_for_requests_in_parallel(world: World) -> None:
    results = at_once(*[
        partial(ask, webinar=world.webinar, author=world.doctor, text="Flood", client_key=uuid4(), now=NOON)
        for _ in range(8)
    ])  # fmt: skip

    assert kinds(results) == ["Question"] * 5 + ["TooManyError"] * 3


def test_one_person_votes_from_many_tabs_and_many_people_at_once(world: World) -> None:
    question = world.asked()
    answers.publish(webinar=world.webinar, question_id=question.pk, actor=world.moderator, version=1, now=NOON)
    people = [doctor_of(world.programme) for _ in range(4)]
    at_once(*[
        partial(vote, webinar=world.webinar, user=one, question_id=question.pk, now=NOON)
        for one in people for _ in range(3)
    ])  # fmt: skip

    question.refresh_from_db()
    assert (question.votes, QuestionVote.objects.count()) == (4, 4)


def test_votes_and_a_merge_at_once_lose_nothing_and_count_nobody_twice(world: World) -> None:
    people = [doctor_of(world.programme) for _ in range(3)]
    for n in range(ROUNDS):
        now = NOON + timedelta(minutes=n)
        source, target = world.asked(now=now), world.asked(now=now)
        for one in (source, target):
            answers.publish(webinar=world.webinar, question_id=one.pk, actor=world.moderator, version=1, now=now)
        vote(webinar=world.webinar, user=people[0], question_id=source.pk, now=now)
        at_once(
            partial(answers.merge, webinar=world.webinar, question_id=source.pk, actor=world.moderator, version=2,
                                  into_id=target.pk, now=now),
            partial(vote, webinar=world.webinar, user=people[0], question_id=target.pk, now=now),
            partial(vote, webinar=world.webinar, user=people[1], question_id=source.pk, now=now),
            partial(vote, webinar=world.webinar, user=people[2], question_id=target.pk, now=now),
        )  # fmt: skip
        target.refresh_from_db()
        voters = QuestionVote.objects.filter(question=target)
        assert target.votes == voters.count()
        assert {people[0].pk, people[2].pk} <= {one.user_id for one in voters}
        assert not QuestionVote.objects.filter(question=source).exists()


def test_two_moderators_mute_at_once(world: World) -> None:
    at_once(*[
        partial(mute, webinar=world.webinar, user=world.doctor, actor=one, now=NOON)
        for one in (world.moderator, world.second)
    ])  # fmt: skip

    assert PersonRestriction.objects.count() == 1
    assert RoomEvent.objects.filter(kind=EventKind.RESTRICTED).count() == 2  # the person, and the desks


class TestPolls:
    def poll(self, world: World, question: str = "Which one?") -> Poll:
        return polls.save_poll(webinar=world.webinar, kind=PollKind.SINGLE, question=question, options=["A", "B"],
                               actor=world.moderator, now=NOON)  # fmt: skip

    def test_two_desks_open_two_polls_at_once(self, world: World) -> None:
        first, second = self.poll(world), self.poll(world, "Or which?")
        results = at_once(*[
            partial(polls.open_poll, webinar=world.webinar, poll_id=one.pk, actor=world.moderator, now=NOON)
            for one in (first, second)
        ])  # fmt: skip

        assert kinds(results) == ["AnotherOpenError", "Poll"]
        assert Poll.objects.filter(state=PollState.OPEN).count() == 1

    def test_one_person_votes_from_many_tabs(self, world: World) -> None:
        poll = self.poll(world)
        polls.open_poll(webinar=world.webinar, poll_id=poll.pk, actor=world.moderator, now=NOON)
        at_once(*[
            partial(polls.vote, webinar=world.webinar, user=world.doctor, poll_id=poll.pk,
                                             choices=[choice], now=NOON)
            for choice in (1, 2, 1, 2)
        ])  # fmt: skip

        assert PollVote.objects.count() == 1

    def test_the_last_results_are_exact_and_later_votes_refused(self, world: World) -> None:
        people = [doctor_of(world.programme) for _ in range(6)]
        for n in range(ROUNDS):
            poll = self.poll(world, f"Round {n}?")
            polls.open_poll(webinar=world.webinar, poll_id=poll.pk, actor=world.moderator, now=NOON)
            results = at_once(
                *[
                    partial(polls.vote, webinar=world.webinar, user=one, poll_id=poll.pk, choices=[1], now=NOON)
                    for one in people
                ],
                partial(polls.close_poll, webinar=world.webinar, poll_id=poll.pk, actor=world.moderator, now=NOON),
                partial(announce_due, now=at(5)),
            )  # fmt: skip
            last = RoomEvent.objects.filter(kind=EventKind.POLL_RESULTS, payload__id=poll.pk).latest("number")
            counted = PollVote.objects.filter(poll=poll).count()
            assert last.payload["votes"] == counted == len([one for one in results if isinstance(one, PollVote)])
            assert kinds(results).count("PollClosedError") == len(people) - counted
