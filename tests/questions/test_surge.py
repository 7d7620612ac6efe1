"""Three thousand votes in a minute are fifty a second. The room hears of them by a handful of events."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections
from django.utils.timezone import now as clock

from accounts.models import User
from courses.enums import EnrolmentStatus
from courses.models import Enrolment
from tests.questions.world import NOON, World, make_world
from webinars.domain import answers, polls, questions
from webinars.domain.tally_news import announce_due
from webinars.enums import EventKind, PollKind
from webinars.models import PollVote, QuestionVote, RoomEvent

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.serial]
VOTERS = 250
THREADS = 6
FEWEST_A_SECOND = 50


@pytest.fixture
def world(transactional_db: None) -> World:
    return make_world()


@pytest.fixture
def voters(world: World) -> list[User]:
    made = User.objects.bulk_create([User(email=f"voter{n}@example.org", password="!") for n in range(VOTERS)])
    Enrolment.objects.bulk_create(
        [
            Enrolment(
                user=one, programme=world.programme, status=EnrolmentStatus.ACTIVE, enrolled_at=NOON, activated_at=NOON
            )
            for one in made
        ]
    )
    return made


def test_votes_of_a_whole_room(world: World, voters: list[User]) -> None:
    question = world.asked()
    answers.publish(webinar=world.webinar, question_id=question.pk, actor=world.moderator, version=1, now=NOON)
    poll = polls.save_poll(webinar=world.webinar, kind=PollKind.SINGLE, question="Which?", options=["A", "B"],
                           actor=world.moderator, now=NOON)  # fmt: skip
    polls.open_poll(webinar=world.webinar, poll_id=poll.pk, actor=world.moderator, now=NOON)
    since = world.number()
    webinar = world.fresh()

    def both(share: list[User]) -> None:
        try:
            for one in share:
                polls.vote(webinar=webinar, user=one, poll_id=poll.pk, choices=[1 + one.pk % 2], now=clock())
                questions.vote(webinar=webinar, user=one, question_id=question.pk, now=clock())
        finally:
            connections.close_all()

    started = time.monotonic()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(both, [voters[n::THREADS] for n in range(THREADS)]))
    seconds = time.monotonic() - started
    assert world.number() == since
    assert announce_due(now=clock() + timedelta(seconds=2)) == 2
    polls.close_poll(webinar=world.webinar, poll_id=poll.pk, actor=world.moderator, now=clock())

    question.refresh_from_db()
    assert question.votes == QuestionVote.objects.count() == PollVote.objects.count() == VOTERS
    last = RoomEvent.objects.filter(kind=EventKind.POLL_RESULTS).latest("number")
    assert (last.payload["votes"], sum(last.payload["counts"].values())) == (VOTERS, VOTERS)
    told = RoomEvent.objects.filter(number__gt=since, kind__in=(EventKind.PUBLISHED, EventKind.POLL_RESULTS))
    assert told.count() == 3
    assert 2 * VOTERS / seconds >= FEWEST_A_SECOND, f"{2 * VOTERS / seconds:.0f} votes a second"
