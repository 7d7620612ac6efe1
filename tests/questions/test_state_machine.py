"""Random moves by random people, and what must hold after each of them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.db.models import F, Q
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from core import limits
from tests.questions.world import NOON, World, make_world
from webinars.domain import answers, questions
from webinars.domain.answers import ALLOWED, CLAIM_SECONDS, ChangedMeanwhileError, ClaimedError, Move, MoveRefusedError
from webinars.domain.questions import QuestionError
from webinars.domain.tally_news import announce_due
from webinars.enums import Audience, EventKind, Lane, QuestionState
from webinars.models import Question, QuestionMessage, QuestionVote, Room, RoomEvent

pytestmark = pytest.mark.django_db
SECRET = "unapproved"

WORK: dict[Move, Callable[..., Question]] = {
    Move.CLAIM: answers.claim,
    Move.RELEASE: answers.release,
    Move.FORWARD: answers.forward,
    Move.ANSWER: answers.answer,
    Move.ANSWER_LIVE: answers.answer_live,
    Move.PUBLISH: answers.publish,
    Move.UNPUBLISH: answers.unpublish,
    Move.DISMISS: answers.dismiss,
    Move.RESTORE: answers.restore,
    Move.MERGE: answers.merge,
    Move.SAY: answers.say,
}


def test_the_table_says_something_about_every_move() -> None:
    assert set(ALLOWED) == set(Move) == set(WORK)
    assert all(states for states in ALLOWED.values())


def arguments(move: Move, into: Question) -> dict[str, Any]:
    match move:
        case Move.ANSWER:
            return {"text": "An answer"}
        case Move.MERGE:
            return {"into_id": into.pk}
        case Move.SAY:
            return {"lane": Lane.PRESENTER, "text": f"{SECRET} talk", "client_key": uuid4()}
        case Move.PUBLISH:
            return {"edited_text": "approved words"}
    return {}


def put(question: Question, state: QuestionState, target: Question) -> Question:
    """As if it had come there by moves."""
    question.state = state
    question.published_at = NOON if state == QuestionState.PUBLISHED else None
    question.merged_into = target if state == QuestionState.MERGED else None
    question.save()
    return question


@pytest.mark.parametrize("state", list(QuestionState))
def test_every_move_from_every_state_is_as_the_table_says(world: World, state: QuestionState) -> None:
    target, other = world.asked(), world.asked()
    for move in Move:
        question = put(
            world.asked(author=world.other, now=NOON + timedelta(hours=list(Move).index(move))), state, target
        )
        before, events = Question.objects.filter(pk=question.pk).values().get(), world.number()
        refused: list[MoveRefusedError] = []
        with transaction.atomic():
            try:
                WORK[move](
                    webinar=world.webinar,
                    question_id=question.pk,
                    actor=world.moderator,
                    version=question.version,
                    now=NOON,
                    **arguments(move, other),
                )
            except MoveRefusedError as error:
                refused.append(error)
            assert bool(refused) == (state not in ALLOWED[move])
            if refused:
                assert refused[0].question == question
                assert Question.objects.filter(pk=question.pk).values().get() == before
                assert world.number() == events
            transaction.set_rollback(True)


class TestTogether:
    def test_an_old_version_changes_nothing(self, world: World) -> None:
        question = world.asked()
        answers.forward(webinar=world.webinar, question_id=question.pk, actor=world.moderator, version=1, now=NOON)
        since = world.number()
        for move in Move:
            with pytest.raises(ChangedMeanwhileError) as refused:
                WORK[move](webinar=world.webinar, question_id=question.pk, actor=world.second, version=1, now=NOON,
                           **arguments(move, question))  # fmt: skip
            assert refused.value.question.version == 2
        assert world.number() == since

    def test_a_claim_holds_for_a_minute_and_longer_while_typing(self, world: World) -> None:
        question = world.asked()

        def claim(actor: Any, seconds: float) -> Question:
            return answers.claim(webinar=world.webinar, question_id=question.pk, actor=actor, version=1,
                                 now=NOON + timedelta(seconds=seconds))  # fmt: skip

        claim(world.moderator, 0)
        for move in Move:
            with pytest.raises(ClaimedError):
                WORK[move](webinar=world.webinar, question_id=question.pk, actor=world.second, version=1, now=NOON,
                           **arguments(move, question))  # fmt: skip
        since = world.number()
        claim(world.moderator, 5)
        assert world.number() == since  # too fresh to be worth an event
        claim(world.moderator, 40)
        assert world.kinds(since)["moderator"] == ["question"]
        with pytest.raises(ClaimedError):
            claim(world.second, CLAIM_SECONDS + 39)
        assert claim(world.second, CLAIM_SECONDS + 40).claimed_by == world.second
        with pytest.raises(ClaimedError):
            claim(world.moderator, CLAIM_SECONDS + 41)

    def test_finished_work_gives_the_claim_back(self, world: World) -> None:
        question = world.asked()
        answers.claim(webinar=world.webinar, question_id=question.pk, actor=world.moderator, version=1, now=NOON)
        done = answers.answer(webinar=world.webinar, question_id=question.pk, actor=world.moderator, version=1,
                              text="Yes", now=NOON)  # fmt: skip

        assert (done.claimed_by, done.claimed_until) == (None, None)

    def test_nothing_is_answered_live_off_the_air(self, world: World) -> None:
        world.webinar.broadcasts.update(ended_at=NOON)
        question = world.asked()
        with pytest.raises(answers.NotOnAirError):
            answers.answer_live(webinar=world.webinar, question_id=question.pk, actor=world.moderator, version=1,
                                now=NOON)  # fmt: skip

    def test_a_chain_of_merges_is_flat(self, world: World) -> None:
        first, second, third = world.asked(), world.asked(), world.asked()
        answers.merge(webinar=world.webinar, question_id=first.pk, actor=world.moderator, version=1,
                      into_id=second.pk, now=NOON)  # fmt: skip
        answers.merge(webinar=world.webinar, question_id=second.pk, actor=world.moderator, version=2,
                      into_id=third.pk, now=NOON)  # fmt: skip
        first.refresh_from_db()

        assert first.merged_into == third
        with pytest.raises(QuestionError):
            answers.merge(webinar=world.webinar, question_id=third.pk, actor=world.moderator, version=2,
                          into_id=first.pk, now=NOON)  # fmt: skip

    def test_on_stage_the_first_time_counts_and_only_what_was_forwarded_is_there(self, world: World) -> None:
        question, hidden = world.asked(), world.asked()
        answers.forward(webinar=world.webinar, question_id=question.pk, actor=world.moderator, version=1, now=NOON)
        args = {"webinar": world.webinar, "actor": world.presenter, "now": NOON}
        answers.answer_live_on_stage(question_id=question.pk, **args)  # type: ignore[arg-type]
        world.webinar.broadcasts.update(program_seconds=700)
        again = answers.answer_live_on_stage(question_id=question.pk, **args)  # type: ignore[arg-type]

        assert again.answered_seconds == 598.0
        with pytest.raises(questions.QuestionNotFoundError):
            answers.answer_live_on_stage(question_id=hidden.pk, **args)  # type: ignore[arg-type]
        with pytest.raises(questions.QuestionNotFoundError):
            answers.say_on_stage(question_id=hidden.pk, text="?", client_key=uuid4(), **args)  # type: ignore[arg-type]
        assert not QuestionMessage.objects.exists()


STEP = st.tuples(
    st.sampled_from([*Move, "ask", "message", "vote", "unvote", "stage-live", "stage-say", "announce"]),
    st.integers(0, 5),
    st.integers(0, 5),
    st.booleans(),
    st.integers(0, 90),
)


@examples(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEP, min_size=5, max_size=25))
def test_whatever_they_do(steps: list[tuple[Any, ...]], db: None) -> None:
    limits._local.windows.clear()
    with transaction.atomic():
        world = make_world()
        now = NOON
        asked = [world.asked(text=f"{SECRET} one"), world.asked(author=world.other, text=f"{SECRET} two")]
        published: set[int] = set()
        for what, index, other, second, seconds in steps:
            now += timedelta(seconds=seconds)
            question, into = asked[index % len(asked)], asked[other % len(asked)]
            question.refresh_from_db()
            since = world.number()
            try:
                _step(world, what, question, into, second=second, asked=asked, now=now)
            except QuestionError:
                assert world.number() == since
            if what == Move.PUBLISH and world.number() > since:
                published.add(question.pk)
            _check(world, published)
        transaction.set_rollback(True)


def _step(
    world: World, what: Any, question: Question, into: Question, *, second: bool, asked: list[Question], now: Any
) -> None:
    doctor = world.other if second else world.doctor
    on_stage = {"webinar": world.webinar, "question_id": question.pk, "actor": world.presenter, "now": now}
    match what:
        case "ask":
            asked.append(world.asked(author=doctor, text=f"{SECRET} more", is_anonymous=second, now=now))
        case "message":
            questions.say(webinar=world.webinar, author=doctor, question_id=question.pk, text=f"{SECRET} word",
                          client_key=uuid4(), now=now)  # fmt: skip
        case "vote" | "unvote":
            work = questions.vote if what == "vote" else questions.unvote
            work(webinar=world.webinar, user=doctor, question_id=question.pk, now=now)
        case "stage-live":
            answers.answer_live_on_stage(**on_stage)
        case "stage-say":
            answers.say_on_stage(**on_stage, text=f"{SECRET} stage", client_key=uuid4())
        case "announce":
            announce_due(now=now)
        case _:
            WORK[Move(what)](
                webinar=world.webinar,
                question_id=question.pk,
                actor=world.second if second else world.moderator,
                version=question.version,
                now=now,
                **arguments(Move(what), into),
            )


def _check(world: World, published: set[int]) -> None:
    mine = Question.objects.filter(webinar=world.webinar)
    for question in mine:
        assert question.votes == QuestionVote.objects.filter(question=question).count()
        if question.state == QuestionState.PUBLISHED:
            assert question.pk in published
    assert not mine.filter(Q(merged_into__merged_into__isnull=False) | ~Q(webinar=F("webinar"))).exists()
    numbers = list(RoomEvent.objects.filter(webinar=world.webinar).order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))
    assert Room.objects.get(pk=world.webinar.pk).last_number == len(numbers)
    assert SECRET not in world.everything_for(Audience.ALL)
    presenters = RoomEvent.objects.filter(webinar=world.webinar, audience=Audience.PRESENTERS)
    assert {one.kind for one in presenters} <= {EventKind.FORWARDED}
    assert all(f"{SECRET} word" not in repr(one.payload) for one in presenters)
    for person, others in ((world.doctor, world.other), (world.other, world.doctor)):
        own = set(mine.filter(author=person).values_list("pk", flat=True))
        events = RoomEvent.objects.filter(webinar=world.webinar, audience=Audience.PERSON, person=person)
        assert {one.payload["id"] for one in events} <= own
        assert all(f"{SECRET} stage" not in repr(one.payload) for one in events)
        assert all(f"{SECRET} talk" not in repr(one.payload) for one in events)
        assert not own & set(mine.filter(author=others).values_list("pk", flat=True))
