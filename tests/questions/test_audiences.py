"""Each move, and exactly who hears what of it. Everybody else hears nothing."""

from uuid import uuid4

import pytest
from pytest_django import DjangoAssertNumQueries

from tests.questions.world import NOON, World, at
from webinars.domain import answers
from webinars.domain.lane_access import set_lane_access
from webinars.domain.questions import say
from webinars.enums import Lane, LaneAccessLevel, QuestionState
from webinars.models import Question
from webinars.rules import Part

pytestmark = pytest.mark.django_db


def move(world: World, work: object, question: Question, **values: object) -> Question:
    question.refresh_from_db()
    return work(  # type: ignore[operator]
        webinar=world.webinar,
        question_id=question.pk,
        actor=world.moderator,
        version=question.version,
        now=at(10),
        **values,
    )


NOBODY: list[str] = []


class TestWhoHears:
    def test_a_new_question_is_for_moderators_and_its_author(self, world: World) -> None:
        world.asked()

        assert world.kinds() == {
            "doctor": ["own_question"],
            "other": NOBODY,
            "presenter": NOBODY,
            "moderator": ["question"],
        }

    def test_a_claim_is_the_desks_own_matter(self, world: World) -> None:
        question = world.asked()
        since = world.number()
        move(world, answers.claim, question)
        move(world, answers.release, question)

        assert world.kinds(since) == {
            "doctor": NOBODY,
            "other": NOBODY,
            "presenter": NOBODY,
            "moderator": ["question", "question"],
        }

    def test_forwarding_reaches_the_presenter_in_the_new_words(self, world: World) -> None:
        question = world.asked(text="is it save??")
        since = world.number()
        move(world, answers.forward, question, edited_text="Is it safe?", is_priority=True)

        assert world.kinds(since) == {
            "doctor": ["own_question"],
            "other": NOBODY,
            "presenter": ["forwarded"],
            "moderator": ["question", "forwarded", "desk"],
        }
        ((_, payload),) = world.heard(since)["presenter"]
        assert payload == {
            "id": question.pk,
            "text": "Is it safe?",
            "name": "Dr Quiet Asker",
            "country": "IN",
            "is_priority": True,
            "state": "forwarded",
            "answer_text": "",
            "is_answered_live": False,
            "merged_count": 0,
            "version": 2,
            "messages": [],
            "removed": False,
            "reworded": False,
        }

    def test_an_answer_in_words_reaches_the_author_alone(self, world: World) -> None:
        question = world.asked()
        since = world.number()
        move(world, answers.answer, question, text="Yes.")

        assert world.kinds(since) == {
            "doctor": ["own_question"],
            "other": NOBODY,
            "presenter": NOBODY,
            "moderator": ["question", "desk"],
        }
        ((_, payload),) = world.heard(since)["doctor"]
        assert payload == {
            "id": question.pk,
            "text": "Is it safe?",
            "state": "answered",
            "answer_text": "Yes.",
            "is_answered_live": False,
            "answered_seconds": None,
            "messages": [],
        }

    def test_answered_live_keeps_the_minute_of_the_program(self, world: World) -> None:
        question = world.asked()
        since = world.number()
        move(world, answers.answer_live, question)

        ((_, payload),) = world.heard(since)["doctor"]
        assert (payload["state"], payload["is_answered_live"], payload["answered_seconds"]) == ("answered", True, 598.0)

    def test_publishing_reaches_everybody(self, world: World) -> None:
        question = world.asked()
        since = world.number()
        move(world, answers.publish, question, edited_text="Is this safe?")

        assert world.kinds(since) == {
            "doctor": ["own_question", "published"],
            "other": ["published"],
            "presenter": ["published"],
            "moderator": ["question", "published", "desk"],
        }
        ((_, payload),) = world.heard(since)["other"]
        assert payload == {
            "id": question.pk,
            "text": "Is this safe?",
            "name": "Dr Quiet Asker",
            "answer_text": "",
            "is_answered_live": False,
            "answered_seconds": None,
            "votes": 0,
            "removed": False,
            "reworded": False,
        }

    @pytest.mark.parametrize("work", [answers.unpublish, answers.dismiss])
    def test_what_is_taken_back_is_taken_from_everybody(self, world: World, work: object) -> None:
        question = world.asked()
        move(world, answers.publish, question)
        since = world.number()
        move(world, work, question)

        assert world.kinds(since) == {
            "doctor": ["own_question", "published"],
            "other": ["published"],
            "presenter": ["published"],
            "moderator": ["question", "published", "desk"],
        }
        assert world.heard(since)["other"][0][1]["removed"] is True

    def test_what_is_taken_back_is_replayed_to_nobody(self, world: World) -> None:
        """A patient's name that slipped through: who comes later, or asks from the beginning, does not read it."""
        question = world.asked(text="Mrs Ray of ward 7?")
        move(world, answers.forward, question)
        move(world, answers.publish, question, edited_text="Is ward 7 safe?")
        assert "ward 7" in str(world.heard(0)["other"]).lower()
        assert "ward 7" in str(world.heard(0)["presenter"]).lower()
        move(world, answers.dismiss, question)

        for who in ("other", "presenter"):
            heard = world.heard(0)[who]
            assert "ward 7" not in str(heard).lower()
            assert [payload["removed"] for _, payload in heard] == [True] * len(heard) != []

    def test_words_that_were_changed_are_replayed_to_nobody(self, world: World) -> None:
        question = world.asked(text="Mrs Ray of bed 7?")
        move(world, answers.forward, question)
        move(world, answers.publish, question)
        since = world.number()
        move(world, answers.publish, question, edited_text="Is bed 7 safe?")

        assert [payload["reworded"] for _, payload in world.heard(since)["other"]] == [True]
        for who in ("other", "presenter"):
            heard = world.heard(0)[who]
            assert "Ray" not in str([payload for kind, payload in heard if kind == "published"])
            assert heard[-1][1]["text"] == "Is bed 7 safe?"

        move(world, answers.answer, question, text="Yes.")
        assert world.heard(0)["other"][-1][1]["reworded"] is False, "an answer takes no words back"

    def test_dismissing_takes_it_from_the_presenter_and_restoring_brings_it_back(self, world: World) -> None:
        question = world.asked()
        move(world, answers.forward, question)
        since = world.number()
        move(world, answers.dismiss, question)
        move(world, answers.restore, question)

        assert world.kinds(since)["presenter"] == ["forwarded", "forwarded"]
        assert [payload["removed"] for _, payload in world.heard(since)["presenter"]] == [True, False]
        assert world.kinds(since)["other"] == NOBODY

    def test_every_asker_of_merged_questions_is_told_the_answer(self, world: World) -> None:
        target, same = world.asked(), world.asked(author=world.other, text="Safe, is it?")
        since = world.number()
        move(world, answers.merge, same, into_id=target.pk)
        assert world.kinds(since)["other"] == ["own_question"]
        assert world.kinds(since)["doctor"] == NOBODY

        since = world.number()
        move(world, answers.answer, target, text="Yes.")

        told = {name: [(p["id"], p["answer_text"]) for _, p in events] for name, events in world.heard(since).items()
                if name in {"doctor", "other"}}  # fmt: skip
        assert told == {"doctor": [(target.pk, "Yes.")], "other": [(same.pk, "Yes.")]}

    def test_a_private_word_to_the_doctor(self, world: World) -> None:
        question = world.asked()
        move(world, answers.forward, question)
        since = world.number()
        move(world, answers.say, question, lane=Lane.ATTENDEE, text="Which dose?", client_key=uuid4())

        assert world.kinds(since) == {
            "doctor": ["own_question"],
            "other": NOBODY,
            "presenter": ["forwarded"],  # its version only
            "moderator": ["question", "forwarded"],
        }
        assert world.heard(since)["presenter"][0][1]["messages"] == []
        ((_, payload),) = world.heard(since)["doctor"]
        assert [(one["author"], one["text"], one["mine"]) for one in payload["messages"]] == [
            ("Dr Mo One", "Which dose?", False)
        ]

    def test_the_presenters_lane_is_hidden_from_doctors(self, world: World) -> None:
        question = world.asked()
        move(world, answers.forward, question)
        since = world.number()
        answers.say_on_stage(
            webinar=world.webinar,
            question_id=question.pk,
            actor=world.presenter,
            text="Not now.",
            client_key=uuid4(),
            now=at(20),
        )

        assert world.kinds(since) == {
            "doctor": NOBODY,
            "other": NOBODY,
            "presenter": ["forwarded"],
            "moderator": ["question", "forwarded"],
        }
        assert world.heard(since)["presenter"][0][1]["messages"][0]["text"] == "Not now."

    def test_a_doctors_own_word(self, world: World) -> None:
        question = world.asked()
        since = world.number()
        say(webinar=world.webinar, author=world.doctor, question_id=question.pk, text="10 mg", client_key=uuid4(),
            now=at(5))  # fmt: skip

        assert world.kinds(since) == {
            "doctor": ["own_question"],
            "other": NOBODY,
            "presenter": NOBODY,
            "moderator": ["question"],
        }
        question.refresh_from_db()
        assert question.version == 1

    def test_a_published_lane_that_is_closed_to_doctors_tells_them_nothing(self, world: World) -> None:
        set_lane_access(
            webinar=world.webinar,
            lane=Lane.PUBLISHED,
            level=LaneAccessLevel.NONE,
            part=Part.ATTENDEE,
            actor=world.moderator,
            now=NOON,
        )
        question = world.asked()
        since = world.number()
        move(world, answers.publish, question)

        assert world.kinds(since)["other"] == NOBODY
        assert world.kinds(since)["presenter"] == ["published"]


class TestAnonymity:
    def test_sec_18_the_name_leaves_the_desk_by_no_event(self, world: World) -> None:
        question = world.asked(is_anonymous=True)
        say(webinar=world.webinar, author=world.doctor, question_id=question.pk, text="More", client_key=uuid4(),
            now=at(5))  # fmt: skip
        move(world, answers.forward, question)
        move(world, answers.answer, question, text="Yes.")
        move(world, answers.publish, question)
        same = world.asked(author=world.other)
        move(world, answers.merge, question, into_id=same.pk)

        heard = world.heard()
        for name in ("other", "presenter"):
            assert heard[name]
            assert "Asker" not in repr(heard[name])
            assert all(payload.get("country", "") in {"", "IN"} for _, payload in heard[name])
        forwarded = [payload for kind, payload in heard["presenter"] if kind == "forwarded"]
        assert {(one["name"], one["country"]) for one in forwarded} == {("", "")}
        assert {p["author"]["name"] for k, p in heard["moderator"] if k == "question" and p["id"] == question.pk} == {
            "Dr Quiet Asker"
        }

    def test_the_state_of_a_question_decides_not_its_history(self, world: World) -> None:
        """Answered, then put aside: the answer is not the author's any more."""
        question = world.asked()
        move(world, answers.answer, question, text="Hasty.")
        since = world.number()
        move(world, answers.dismiss, question)

        ((_, payload),) = world.heard(since)["doctor"]
        assert (payload["state"], payload["answer_text"]) == (QuestionState.DISMISSED, "")


class TestCost:
    def test_a_move_costs_the_same_however_long_the_talk(
        self, world: World, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        """Posting needs the whole question each time; it must not read it message by message."""
        question, costs = world.asked(), []
        for n in range(2):
            for text in ("One", "Two", "Three"):
                move(world, answers.say, question, lane=Lane.ATTENDEE, text=f"{text} {n}", client_key=uuid4())
            with django_assert_max_num_queries(40) as captured:
                move(world, answers.forward, question)
            costs.append(len(captured))
        assert costs[1] <= costs[0]  # the second time it changes less
