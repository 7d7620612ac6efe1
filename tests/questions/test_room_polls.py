"""Polls from draft to results: who sees what when, and what counts as a vote."""

from typing import Any

import pytest

from accounts.models import AuditEvent
from tests.questions.world import NOON, World, at, doctor_of, end
from webinars.domain import polls
from webinars.domain.lanes import LaneError
from webinars.domain.poll_results import MOST_WORDS, all_polls, results_of, shown_polls
from webinars.domain.restrictions import mute
from webinars.domain.tally_news import announce_due
from webinars.enums import PollKind
from webinars.models import Poll, PollVote

pytestmark = pytest.mark.django_db


def prepare(world: World, kind: PollKind = PollKind.SINGLE, **values: Any) -> Poll:
    if kind in {PollKind.SINGLE, PollKind.MULTIPLE}:
        values.setdefault("options", ["Letrozole", "Clomifene", "Neither"])
    return polls.save_poll(
        webinar=world.webinar, kind=kind, question="Which first?", actor=world.moderator, now=NOON, **values
    )


def opened(world: World, kind: PollKind = PollKind.SINGLE, **values: Any) -> Poll:
    poll = prepare(world, kind, **values)
    return polls.open_poll(webinar=world.webinar, poll_id=poll.pk, actor=world.moderator, now=NOON)


def vote(world: World, poll: Poll, *choices: int, words: tuple[str, ...] = (), user: Any = None) -> PollVote:
    return polls.vote(
        webinar=world.webinar, user=user or world.doctor, poll_id=poll.pk, choices=choices, words=words, now=at(1)
    )


def done(world: World, work: Any, poll: Poll, **values: Any) -> Poll:
    made: Poll = work(webinar=world.webinar, poll_id=poll.pk, actor=world.moderator, now=at(5), **values)
    return made


class TestDrafts:
    def test_are_for_the_desk_and_the_stage(self, world: World) -> None:
        poll = prepare(world)
        done(world, polls.delete_poll, prepare(world))

        assert world.kinds()["doctor"] == []
        assert world.kinds()["presenter"] == ["poll", "poll"]
        assert shown_polls(webinar=world.webinar, user=world.doctor) == []
        assert [one["id"] for one in all_polls(webinar=world.webinar)] == [poll.pk]
        with pytest.raises(polls.PollNotFoundError):
            vote(world, poll, 1)

    def test_change_until_they_were_open(self, world: World) -> None:
        poll = prepare(world)
        polls.save_poll(webinar=world.webinar, poll_id=poll.pk, kind=PollKind.MULTIPLE, question="Which?",
                        options=["A", "B"], most_choices=2, actor=world.moderator, now=NOON)  # fmt: skip
        poll.refresh_from_db()
        assert (poll.kind, [one.text for one in poll.options.all()]) == (PollKind.MULTIPLE, ["A", "B"])
        polls.open_poll(webinar=world.webinar, poll_id=poll.pk, actor=world.moderator, now=NOON)
        for work in (polls.delete_poll, polls.save_poll):
            values = {"kind": PollKind.SCALE, "question": "?"} if work is polls.save_poll else {}
            with pytest.raises(polls.PollStateError):
                done(world, work, poll, **values)

    @pytest.mark.parametrize(
        "values",
        [
            {"options": ["One"]},
            {"options": ["Same", " Same "]},
            {"options": [str(n) for n in range(13)]},
            {"kind": PollKind.SCALE, "scale_from": 1, "scale_to": 12},
            {"kind": PollKind.SCALE, "scale_from": 3, "scale_to": 3},
            {"kind": PollKind.SCALE, "options": ["A", "B"]},
            {"most_choices": 2},
            {"kind": PollKind.MULTIPLE, "most_choices": 4},
        ],
    )
    def test_that_make_no_sense_are_refused(self, world: World, values: dict[str, Any]) -> None:
        with pytest.raises((polls.PollOptionsError, polls.PollRangeError)):
            prepare(world, **values)
        assert not Poll.objects.exists()


class TestOpening:
    def test_one_at_a_time_once_and_only_in_an_open_room(self, world: World) -> None:
        first, second = opened(world), prepare(world)
        since = world.number()
        done(world, polls.open_poll, first)  # again: nothing new
        assert world.number() == since
        with pytest.raises(polls.AnotherOpenError):
            done(world, polls.open_poll, second)
        done(world, polls.close_poll, first)
        with pytest.raises(polls.PollStateError):
            done(world, polls.open_poll, first)
        assert done(world, polls.open_poll, second).state == "open"
        end(world.webinar, now=at(6))
        with pytest.raises(polls.RoomClosedError):
            done(world, polls.open_poll, prepare(world))
        with pytest.raises(polls.RoomClosedError):
            vote(world, second, 1)

    def test_keeps_the_minute_of_the_program(self, world: World) -> None:
        assert opened(world).opened_seconds == 598.0
        assert AuditEvent.objects.filter(action="poll.opened", actor=world.moderator).count() == 1

    def test_who_hears_of_results(self, world: World) -> None:
        poll = opened(world)
        vote(world, poll, 1)
        since = world.number()
        assert announce_due(now=at(4)) == 1
        assert world.kinds(since) == {
            "doctor": [],
            "other": [],
            "presenter": ["poll_results"],
            "moderator": ["poll_results"],
        }
        since = world.number()
        done(world, polls.show_results, poll)
        assert world.kinds(since)["other"] == ["poll", "poll_results"]
        vote(world, poll, 2, user=world.other)
        since = world.number()
        announce_due(now=at(8))
        ((kind, payload),) = world.heard(since)["other"]
        assert (kind, payload["votes"], payload["counts"]) == ("poll_results", 2, {"1": 1, "2": 1})
        since = world.number()
        done(world, polls.hide_results, poll)
        assert world.kinds(since)["other"] == ["poll"]
        assert shown_polls(webinar=world.webinar, user=world.other)[0]["results"] is None

    def test_closing_says_the_exact_result_at_once(self, world: World) -> None:
        poll = opened(world)
        for _ in range(3):
            vote(world, poll, 3, user=doctor_of(world.programme))
        since = world.number()
        done(world, polls.close_poll, poll)

        assert world.kinds(since)["presenter"] == ["poll", "poll_results"]
        assert world.heard(since)["presenter"][-1][1]["counts"] == {"3": 3}
        assert announce_due(now=at(60)) == 0
        with pytest.raises(polls.PollClosedError):
            vote(world, poll, 1)

    def test_the_end_of_the_webinar_closes_it_with_the_exact_result(self, world: World) -> None:
        poll = opened(world)
        vote(world, poll, 2)
        assert polls.close_left_open(now=at(5)) == 0
        end(world.webinar, now=at(6))
        since = world.number()

        assert polls.close_left_open(now=at(7)) == 1
        assert polls.close_left_open(now=at(8)) == 0
        assert world.kinds(since)["doctor"] == ["poll"]
        assert world.heard(since)["presenter"][-1][1]["counts"] == {"2": 1}
        assert AuditEvent.objects.get(action="poll.closed").actor is None


class TestVotes:
    def test_one_per_person_that_may_change_while_it_is_open(self, world: World) -> None:
        poll = opened(world)
        vote(world, poll, 1)
        first = PollVote.objects.get()
        assert vote(world, poll, 1) == first
        vote(world, poll, 2)

        assert PollVote.objects.get().choices == [2]
        assert shown_polls(webinar=world.webinar, user=world.doctor)[0]["mine"] == {"choices": [2], "words": []}
        assert shown_polls(webinar=world.webinar, user=world.other)[0]["mine"] is None

    @pytest.mark.parametrize(
        ("kind", "options", "choices", "words"),
        [
            (PollKind.SINGLE, {}, (), ()),
            (PollKind.SINGLE, {}, (1, 2), ()),
            (PollKind.SINGLE, {}, (4,), ()),
            (PollKind.SINGLE, {}, (0,), ()),
            (PollKind.SINGLE, {}, (1,), ("word",)),
            (PollKind.MULTIPLE, {"most_choices": 2}, (1, 2, 3), ()),
            (PollKind.SCALE, {}, (6,), ()),
            (PollKind.SCALE, {}, (1, 2), ()),
            (PollKind.WORDS, {"most_choices": 2}, (), ()),
            (PollKind.WORDS, {"most_choices": 2}, (), ("one", "two", "three")),
            (PollKind.WORDS, {"most_choices": 2}, (1,), ("one",)),
        ],
    )
    def test_that_do_not_fit_are_refused(
        self, world: World, kind: PollKind, options: dict[str, Any], choices: tuple[int, ...], words: tuple[str, ...]
    ) -> None:
        poll = opened(world, kind, **options)
        with pytest.raises(polls.VoteError):
            vote(world, poll, *choices, words=words)
        assert not PollVote.objects.exists()

    def test_the_muted_do_not_vote(self, world: World) -> None:
        poll = opened(world)
        mute(webinar=world.webinar, user=world.doctor, actor=world.moderator, now=NOON)
        with pytest.raises(LaneError):
            vote(world, poll, 1)

    def test_sixty_a_minute(self, world: World) -> None:
        poll = opened(world)
        for n in range(polls.VOTES_A_MINUTE):
            vote(world, poll, n % 2 + 1)
        with pytest.raises(polls.TooManyVotesError):
            vote(world, poll, 1)

    def test_scales_have_a_mean(self, world: World) -> None:
        poll = opened(world, PollKind.SCALE)
        for choice in (1, 5, 5):
            vote(world, poll, choice, user=doctor_of(world.programme))

        assert results_of(poll) == {"id": poll.pk, "votes": 3, "counts": {"1": 1, "5": 2}, "words": {}, "mean": 3.67}


class TestWordClouds:
    def test_words_that_differ_in_looks_only_are_one(self, world: World) -> None:
        poll = opened(world, PollKind.WORDS, most_choices=3)
        vote(world, poll, words=("Hope", " hope  ", "ﬁrst  Step"))
        vote(world, poll, words=("HOPE",), user=world.other)

        assert results_of(poll)["words"] == {"hope": 2, "first step": 1}

    def test_sec_18_no_word_reaches_the_others_before_a_moderator_has_seen_it(self, world: World) -> None:
        poll = opened(world, PollKind.WORDS, most_choices=3)
        vote(world, poll, words=("hope", "rudeness"))
        with pytest.raises(polls.WordsStillOpenError):
            done(world, polls.show_results, poll)
        announce_due(now=at(10))
        done(world, polls.close_poll, poll)
        assert "rudeness" not in repr(world.heard()["other"])
        done(world, polls.show_results, poll, hidden_words=["rudeness"])

        assert world.heard()["other"][-1][1]["words"] == {"hope": 1}
        assert shown_polls(webinar=world.webinar, user=world.other)[0]["results"]["words"] == {"hope": 1}
        assert results_of(Poll.objects.get(pk=poll.pk))["words"] == {"hope": 1, "rudeness": 1}
        assert "rudeness" not in repr(world.heard()["other"])

    def test_sec_18_a_word_kept_back_makes_no_room_for_one_that_nobody_has_seen(self, world: World) -> None:
        """A cloud shows its most frequent words, to the moderator too."""
        poll = opened(world, PollKind.WORDS, most_choices=20)
        for start in range(0, MOST_WORDS, 20):
            words = tuple(f"frequent {n}" for n in range(start, start + 20))
            for _ in range(2):
                vote(world, poll, words=words, user=doctor_of(world.programme))
        vote(world, poll, words=("unseen",))
        done(world, polls.close_poll, poll)
        seen = results_of(Poll.objects.get(pk=poll.pk))["words"]
        assert len(seen) == MOST_WORDS
        done(world, polls.show_results, poll, hidden_words=["frequent 0"])

        assert set(world.heard()["other"][-1][1]["words"]) == set(seen) - {"frequent 0"}
