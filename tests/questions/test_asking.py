"""Asking and voting: once, in time, cleaned, and not too often."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from pytest_django import DjangoAssertNumQueries

from tests.factories.accounts import UserFactory
from tests.factories.courses import EnrolmentFactory
from tests.factories.media import VideoFactory
from tests.questions.world import NOON, ON_AIR_SECONDS, World, at, doctor_of, end, make_world
from tests.webinars.on_air import make_live, publish
from webinars.domain import answers
from webinars.domain.lanes import LaneError
from webinars.domain.question_lists import own_questions, published_questions, recording_seconds
from webinars.domain.questions import (
    LONGEST_QUESTION,
    VOTES_A_MINUTE,
    KeyUsedError,
    QuestionNotFoundError,
    TooManyError,
    say,
    unvote,
    vote,
)
from webinars.domain.restrictions import mute
from webinars.domain.tally_news import announce_due
from webinars.domain.texts import EmptyTextError, LongTextError, clean_line, clean_text
from webinars.domain.timeline import Timeline
from webinars.enums import Phase, QuestionState
from webinars.models import Question, QuestionMessage, QuestionVote, RoomEvent, Webinar

pytestmark = pytest.mark.django_db
EDGE = ON_AIR_SECONDS - 2


class TestTexts:
    @pytest.mark.parametrize(
        ("raw", "clean"),
        [
            ("  Is it  safe?\t", "Is it safe?"),
            ("a\r\nb\rc\n\n\n\nd", "a\nb\nc\n\nd"),
            ("nul\x00 bell\x07 esc\x1b[31m", "nul bell esc[31m"),
            ("half a pair \ud800.", "half a pair ."),
            ("turned \u202egnorw\u202c", "turned gnorw"),
            ("e\u0301", "é"),
            ("क्\u200dष <b>bold</b> 👩\u200d⚕️", "क्\u200dष <b>bold</b> 👩\u200d⚕️"),
        ],
    )
    def test_is_plain_text(self, raw: str, clean: str) -> None:
        assert clean_text(raw, most=100) == clean

    def test_refuses_with_a_reason(self) -> None:
        for empty in ("", " \n\t", "\x00\u202e"):
            with pytest.raises(EmptyTextError):
                clean_text(empty, most=10)
        assert clean_text("x" * 10, most=10) == "x" * 10
        with pytest.raises(LongTextError) as refused:
            clean_text("x" * 11, most=10)
        assert str(refused.value.message) == "Please shorten this to 10 characters."
        assert clean_line("two\n lines", most=20) == "two lines"


class TestAsking:
    def test_the_same_key_asks_once(self, world: World) -> None:
        key = uuid4()
        first = world.asked(client_key=key)
        since = world.number()

        assert world.asked(client_key=key, text="Changed my mind") == first
        assert world.number() == since
        assert world.asked(author=world.other, client_key=key).pk != first.pk

    def test_a_key_of_another_webinar_is_refused(self, world: World) -> None:
        key = uuid4()
        world.asked(client_key=key)
        second = make_world()
        EnrolmentFactory.create(user=world.doctor, programme=second.programme)
        with pytest.raises(KeyUsedError):
            second.asked(author=world.doctor, client_key=key)

    def test_five_a_minute(self, world: World) -> None:
        for n in range(5):
            world.asked(now=at(n), text=f"Question {n}")
        with pytest.raises(TooManyError) as refused:
            world.asked(now=at(10))
        assert refused.value.retry_after_seconds == 50
        assert world.asked(author=world.other, now=at(10)).pk
        assert world.asked(now=at(60)).pk
        with pytest.raises(TooManyError):
            world.asked(now=at(60.5))

    def test_messages_have_their_own_rate_and_keys(self, world: World) -> None:
        question = world.asked()
        key = uuid4()
        args = {"webinar": world.webinar, "author": world.doctor, "question_id": question.pk}
        for _ in range(2):
            say(**args, text="More", client_key=key, now=at(1))  # type: ignore[arg-type]
        for n in range(4):
            say(**args, text=f"And {n}", client_key=uuid4(), now=at(2 + n))  # type: ignore[arg-type]
        with pytest.raises(TooManyError):
            say(**args, text="Enough", client_key=uuid4(), now=at(8))  # type: ignore[arg-type]
        assert QuestionMessage.objects.count() == 5
        with pytest.raises(QuestionNotFoundError):
            say(webinar=world.webinar, author=world.other, question_id=question.pk, text="Mine?", client_key=uuid4(),
                now=NOON)  # fmt: skip

    @pytest.mark.parametrize(
        ("reported", "kept"), [(None, EDGE), (100.5, 100.5), (-3.0, 0.0), (EDGE, EDGE), (99_999.0, EDGE)]
    )
    def test_nobody_is_ahead_of_the_live_edge(self, world: World, reported: float | None, kept: float) -> None:
        question = world.asked(at_seconds=reported)

        assert (question.phase, question.asked_seconds) == (Phase.LIVE, kept)

    def test_on_the_recording_it_is_the_recordings_time(self, world: World) -> None:
        end(world.webinar, now=NOON)
        world.webinar.video = VideoFactory.create(duration_seconds=500.0)
        world.webinar.save()
        seconds = [world.asked(at_seconds=one, now=at(60)).asked_seconds for one in (10.0, 9_999.0, None)]

        assert seconds == [10.0, 500.0, None]
        assert {one.phase for one in Question.objects.all()} == {Phase.ON_DEMAND}

    def test_long_and_empty_ones_ask_nothing(self, world: World) -> None:
        for text in ("", "x" * (LONGEST_QUESTION + 1)):
            with pytest.raises((EmptyTextError, LongTextError)):
                world.asked(text=text)
        assert world.number() == 0


class TestVoting:
    @pytest.fixture
    def published(self, world: World) -> Question:
        question = world.asked()
        return answers.publish(webinar=world.webinar, question_id=question.pk, actor=world.moderator, version=1,
                               now=NOON)  # fmt: skip

    def votes(self, question: Question) -> tuple[int, int]:
        question.refresh_from_db()
        return question.votes, QuestionVote.objects.filter(question=question).count()

    def test_once_per_person_and_taken_back(self, world: World, published: Question) -> None:
        args = {"webinar": world.webinar, "question_id": published.pk, "now": NOON}
        for user in (world.doctor, world.doctor, world.other):
            vote(user=user, **args)  # type: ignore[arg-type]
        assert self.votes(published) == (2, 2)
        for _ in range(2):
            unvote(user=world.other, **args)  # type: ignore[arg-type]
        assert self.votes(published) == (1, 1)
        published.refresh_from_db()
        assert published.version == 2  # the desk is not disturbed

    def test_only_what_is_published(self, world: World) -> None:
        question = world.asked()
        with pytest.raises(QuestionNotFoundError):
            vote(webinar=world.webinar, user=world.other, question_id=question.pk, now=NOON)
        with pytest.raises(QuestionNotFoundError):
            vote(webinar=make_world().webinar, user=world.other, question_id=question.pk, now=NOON)
        assert not QuestionVote.objects.exists()

    def test_the_muted_do_not_vote(self, world: World, published: Question) -> None:
        mute(webinar=world.webinar, user=world.other, actor=world.moderator, now=NOON)
        with pytest.raises(LaneError):
            vote(webinar=world.webinar, user=world.other, question_id=published.pk, now=NOON)

    def test_sixty_a_minute(self, world: World, published: Question) -> None:
        for n in range(VOTES_A_MINUTE):
            (vote, unvote)[n % 2](webinar=world.webinar, user=world.other, question_id=published.pk, now=NOON)
        with pytest.raises(TooManyError):
            vote(webinar=world.webinar, user=world.other, question_id=published.pk, now=NOON)

    def test_the_room_hears_of_many_votes_by_one_event(self, world: World, published: Question) -> None:
        since = world.number()
        for _ in range(20):
            vote(webinar=world.webinar, user=doctor_of(world.programme), question_id=published.pk, now=at(10))
        assert world.number() == since

        assert announce_due(now=at(11)) == 0
        assert announce_due(now=at(12)) == 1
        assert announce_due(now=at(20)) == 0
        ((kind, payload),) = world.heard(since)["other"]
        assert (kind, payload["votes"]) == ("published", 20)

    def test_counts_of_one_room_are_announced_together(self, world: World, published: Question) -> None:
        second = world.asked()
        answers.publish(webinar=world.webinar, question_id=second.pk, actor=world.moderator, version=1, now=NOON)
        vote(webinar=world.webinar, user=world.other, question_id=published.pk, now=at(10))
        vote(webinar=world.webinar, user=world.other, question_id=second.pk, now=at(11.5))
        since = world.number()

        assert announce_due(now=at(12)) == 2
        assert announce_due(now=at(13.6)) == 0
        assert RoomEvent.objects.filter(number__gt=since).count() == 2

    def test_votes_follow_a_merge_and_stay_one_per_person(self, world: World, published: Question) -> None:
        target = answers.publish(webinar=world.webinar, question_id=world.asked().pk, actor=world.moderator,
                                 version=1, now=NOON)  # fmt: skip
        third = doctor_of(world.programme)
        for user, question in ((world.other, published), (third, published), (third, target), (world.doctor, target)):
            vote(webinar=world.webinar, user=user, question_id=question.pk, now=NOON)
        answers.merge(webinar=world.webinar, question_id=published.pk, actor=world.moderator, version=2,
                      into_id=target.pk, now=NOON)  # fmt: skip

        assert self.votes(target) == (3, 3)
        assert self.votes(published) == (0, 0)


class TestPlaceInTheRecording:
    """Ten seconds were cut after program second 100, and the stream was away from 200 to 300."""

    TIMELINE = Timeline.from_spans([(0, 200, 0), (300, 400, 200)], cuts=[(100, 110)])

    @pytest.mark.parametrize(
        ("values", "place"),
        [
            ({"asked_seconds": 50.0}, 50.0),
            ({"asked_seconds": 105.0}, 100.0),
            ({"asked_seconds": 250.0}, 190.0),
            ({"asked_seconds": 50.0, "answered_seconds": 350.0}, 240.0),
            ({"asked_seconds": None}, None),
            ({"asked_seconds": 350.0, "phase": Phase.ON_DEMAND}, 350.0),
            ({"asked_seconds": None, "phase": Phase.ON_DEMAND}, None),
        ],
    )
    def test_follows_interruptions_and_cuts(self, values: dict[str, Any], place: float | None) -> None:
        assert recording_seconds(Question(**values), self.TIMELINE) == place

    def test_is_nowhere_before_there_is_a_recording(self) -> None:
        assert recording_seconds(Question(asked_seconds=50.0, answered_seconds=60.0), Timeline()) is None
        assert recording_seconds(Question(asked_seconds=50.0), Timeline()) is None

    def test_what_was_asked_in_the_recording_stays_at_its_words_when_that_is_cut(self) -> None:
        webinar, user = make_live(), UserFactory.create()
        day = timedelta(days=1)

        def asked(after: timedelta, second: float) -> int:
            question = Question.objects.create(
                webinar=webinar, author=user, text="Which dose?", phase=Phase.ON_DEMAND, asked_seconds=second,
                asked_at=NOON + after, state=QuestionState.PUBLISHED, published_at=NOON + after,
            )  # fmt: skip
            return question.pk

        def places() -> list[float]:
            shown = published_questions(webinar=Webinar.objects.get(pk=webinar.pk))
            by_id = {one["id"]: one["recording_seconds"] for one in shown}
            return [by_id[number] for number in questions]

        for days, cuts in enumerate((((0, 60),), ((0, 60), (120, 180)), ())):
            publish(webinar, spans=[(0.0, 300.0, 0.0), (400.0, 700.0, 300.0)], cuts=cuts, at=NOON + days * day)
        # The same second of three editions; before the first there was another recording, and of the last one's no 900.
        questions = [asked(days * day + timedelta(hours=1), 130.0) for days in range(3)]
        questions += [asked(-day, 130.0), asked(3 * day, 900.0)]
        assert places() == [190.0, 250.0, 130.0, 130.0, 900.0]
        publish(webinar, spans=[(0.0, 300.0, 0.0), (400.0, 700.0, 300.0)], cuts=((180, 240),), at=NOON + 4 * day)
        assert places() == [180.0, 190.0, 130.0, 130.0, 900.0]

    @pytest.mark.parametrize("count", [1, 3])
    def test_costs_one_query_more_however_many_there_are(
        self, count: int, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        webinar, user = make_live(), UserFactory.create()
        publish(webinar, spans=[(0.0, 300.0, 0.0)], at=NOON)
        Question.objects.bulk_create(
            Question(webinar=webinar, author=user, text="Which?", phase=Phase.ON_DEMAND, asked_seconds=9.0,
                     asked_at=NOON, state=QuestionState.PUBLISHED, published_at=NOON)
            for _ in range(count)
        )  # fmt: skip
        webinar = Webinar.objects.select_related("video").get(pk=webinar.pk)
        with django_assert_num_queries(3):
            assert len(published_questions(webinar=webinar)) == count


class TestLists:
    def test_are_equally_cheap_for_many(self, world: World, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        costs = []
        for wanted in (1, 3):
            while Question.objects.count() < wanted:
                question = world.asked(now=at(Question.objects.count() * 61))
                say(webinar=world.webinar, author=world.doctor, question_id=question.pk, text="x",
                    client_key=uuid4(), now=question.asked_at)  # fmt: skip
                answers.publish(webinar=world.webinar, question_id=question.pk, actor=world.moderator,
                                version=1, now=question.asked_at)  # fmt: skip
            with django_assert_num_queries(4) as captured:
                own = own_questions(webinar=world.webinar, user=world.doctor)
                published = published_questions(webinar=world.webinar, user=world.doctor)
            costs.append(len(captured))
            assert (len(own), len(published)) == (wanted, wanted)
        assert costs[0] == costs[1]

    def test_have_nothing_of_others(self, world: World) -> None:
        mine, theirs = world.asked(), world.asked(author=world.other, text="A secret")

        assert [one["id"] for one in own_questions(webinar=world.webinar, user=world.doctor)] == [mine.pk]
        assert [one["id"] for one in own_questions(webinar=world.webinar, user=world.other)] == [theirs.pk]
        assert published_questions(webinar=world.webinar) == []
