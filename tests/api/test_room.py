"""The live room over HTTP: asking, voting, the desk, the stage; who may, and what is never told."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from tests.factories.accounts import UserFactory
from tests.factories.courses import EnrolmentFactory, ProgrammeFactory
from tests.questions.world import NOON, World, at, doctor_of, end, make_world
from tests.signing_in import signed_in
from webinars.domain import answers
from webinars.domain.restrictions import mute, remove
from webinars.models import CannedReply, PollVote, Question, QuestionMessage, QuestionVote

pytestmark = pytest.mark.django_db
JSON = "application/json"


@pytest.fixture
def world(db: None) -> World:
    return make_world()


class Browser:
    """One person in one room."""

    def __init__(self, world: World, user: Any) -> None:
        self.root = f"/api/v1/webinars/{world.webinar.pk}/"
        self.client: Client = signed_in(user)

    def get(self, path: str) -> Any:
        return self.client.get(self.root + path)

    def send(self, method: str, path: str, **body: Any) -> Any:
        return self.client.generic(method, self.root + path, json.dumps(body), JSON)

    def post(self, path: str, **body: Any) -> Any:
        return self.send("POST", path, **body)


@pytest.fixture
def doctor(world: World) -> Browser:
    return Browser(world, world.doctor)


@pytest.fixture
def desk(world: World) -> Browser:
    return Browser(world, world.moderator)


def key() -> str:
    return str(uuid4())


def publish(world: World, question: Question) -> Question:
    question.refresh_from_db()
    return answers.publish(webinar=world.webinar, question_id=question.pk, actor=world.moderator,
                           version=question.version, now=NOON)  # fmt: skip


class TestDoctor:
    def test_asks_once_by_one_key_and_reads_it_back(self, doctor: Browser) -> None:
        body = {"text": " Is it\x07 safe? ", "is_anonymous": True, "client_key": key(), "at_seconds": 99_999}
        first, again = doctor.post("questions/", **body), doctor.post("questions/", **body)
        listed = doctor.get("questions/").json()

        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json() == again.json() == listed["own"][0]
        assert listed["published"] == []
        assert listed["may"] == {"ask": True, "read": True, "vote": True}
        assert listed["number"] == 2
        assert Question.objects.get().asked_seconds == 598.0

    @pytest.mark.parametrize(
        "body",
        [
            {"client_key": key()},
            {"text": "No key"},
            {"text": "x" * 1001, "client_key": key()},
            {"text": "\u202e\x00", "client_key": key()},
            {"text": "Hi", "client_key": "1"},
            {"text": "Hi", "client_key": key(), "at_seconds": -1},
            {"text": "Hi", "client_key": key(), "state": "published"},
            {"text": "Hi", "client_key": key(), "author": 1},
        ],
    )
    def test_sec_20_sends_nothing_unfit(self, doctor: Browser, body: dict[str, Any]) -> None:
        assert doctor.post("questions/", **body).status_code == 400
        assert not Question.objects.exists()

    def test_is_told_why_not(self, world: World, doctor: Browser) -> None:
        for _ in range(5):
            assert doctor.post("questions/", text="Why?", client_key=key()).status_code == 201
        flood = doctor.post("questions/", text="Why?", client_key=key())
        mute(webinar=world.webinar, user=world.other, actor=world.moderator, now=NOON)
        muted = Browser(world, world.other).post("questions/", text="Why?", client_key=key())
        remove(webinar=world.webinar, user=world.other, actor=world.moderator, now=NOON)
        removed = Browser(world, world.other).get("questions/")

        assert (flood.status_code, muted.status_code, removed.status_code) == (429, 403, 403)
        assert 1 <= int(flood["Retry-After"]) <= 60
        assert "muted" in muted.json()["detail"]

    def test_reads_and_writes_after_the_webinar_until_the_follow_up_ends(self, world: World, doctor: Browser) -> None:
        end(world.webinar, now=NOON)
        world.webinar.followup_days = 0
        world.webinar.save()

        assert doctor.get("questions/").json()["may"] == {"ask": False, "read": True, "vote": False}
        assert doctor.post("questions/", text="Late?", client_key=key()).status_code == 403

    def test_votes_for_what_is_published(self, world: World, doctor: Browser) -> None:
        question = world.asked(author=world.other)
        path = f"questions/{question.pk}/votes/"
        assert doctor.send("POST", path).status_code == 404
        publish(world, question)

        assert [doctor.send("POST", path).status_code for _ in range(2)] == [204, 204]
        (shown,) = doctor.get("questions/").json()["published"]
        assert (shown["votes"], shown["voted"], shown["recording_seconds"]) == (1, True, None)
        assert [doctor.send("DELETE", path).status_code for _ in range(2)] == [204, 204]
        assert not QuestionVote.objects.exists()

    def test_writes_about_their_own_question_only(self, world: World, doctor: Browser) -> None:
        mine, theirs = world.asked(), world.asked(author=world.other)
        publish(world, theirs)
        said = doctor.post(f"questions/{mine.pk}/messages/", text="10 mg", client_key=key())

        assert [(one["text"], one["mine"]) for one in said.json()["messages"]] == [("10 mg", True)]
        assert doctor.post(f"questions/{theirs.pk}/messages/", text="x", client_key=key()).status_code == 404
        assert QuestionMessage.objects.count() == 1

    def test_sec_18_sees_exactly_the_own_and_the_published(self, world: World, doctor: Browser) -> None:
        mine = world.asked()
        hidden = world.asked(author=world.other, text="A secret of another", is_anonymous=True)
        open_ = publish(world, world.asked(author=world.other, text="For all", is_anonymous=True))
        answers.forward(webinar=world.webinar, question_id=hidden.pk, actor=world.moderator, version=1, now=NOON)
        answers.say_on_stage(webinar=world.webinar, question_id=hidden.pk, actor=world.presenter, text="Not this one",
                             client_key=uuid4(), now=NOON)  # fmt: skip
        listed = doctor.get("questions/")

        assert [one["id"] for one in listed.json()["own"]] == [mine.pk]
        assert [(one["id"], one["name"]) for one in listed.json()["published"]] == [(open_.pk, "")]
        for word in ("secret", "Not this one", world.other.last_name + '"', world.other.first_name):
            assert word not in listed.content.decode()
        for path in ("desk/questions/", "stage/questions/", "desk/polls/", "stage/polls/", "desk/log/", "desk/people/"):
            assert doctor.get(path).status_code == 403

    def test_of_another_programme_finds_nothing(self, world: World) -> None:
        stranger = UserFactory.create()
        EnrolmentFactory.create(user=stranger, programme=ProgrammeFactory.create())
        question = publish(world, world.asked())
        browser = Browser(world, stranger)

        assert browser.get("questions/").status_code == 404
        assert browser.post("questions/", text="Hi", client_key=key()).status_code == 404
        assert browser.send("POST", f"questions/{question.pk}/votes/").status_code == 404
        assert not QuestionVote.objects.exists()

    def test_lists_cost_the_same_for_many(
        self, world: World, doctor: Browser, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        costs = []
        for n in range(3):
            publish(world, world.asked(now=at(n * 61)))
            with django_assert_max_num_queries(30) as captured:
                assert len(doctor.get("questions/").json()["own"]) == n + 1
            costs.append(len(captured))
        assert costs[0] == costs[2]


class TestDesk:
    def move(self, desk: Browser, question: Question, move: str, version: int = 1, **body: Any) -> Any:
        return desk.post(f"desk/questions/{question.pk}/{move}/", version=version, **body)

    def test_a_question_from_claim_to_publication(self, world: World, desk: Browser) -> None:
        question = world.asked(is_anonymous=True)
        steps: list[tuple[str, int, dict[str, Any], str]] = [
            ("claim", 1, {}, "new"),
            ("forward", 1, {"edited_text": "Is this safe?", "is_priority": True}, "forwarded"),
            ("say", 2, {"lane": "presenter", "text": "First, please", "client_key": key()}, "forwarded"),
            ("answer-live", 3, {}, "answered"),
            ("answer", 4, {"text": "Yes."}, "answered"),
            ("publish", 5, {}, "published"),
            ("unpublish", 6, {}, "answered"),
            ("dismiss", 7, {}, "dismissed"),
            ("restore", 8, {}, "answered"),
            ("claim", 9, {}, "answered"),
            ("release", 9, {}, "answered"),
        ]
        shown: dict[str, Any] = {}
        for move, version, body, state in steps:
            response = self.move(desk, question, move, version, **body)
            assert (move, response.status_code, response.json()["state"]) == (move, 200, state)
            shown = response.json()
        assert shown["author"] == {"id": world.doctor.pk, "name": "Dr Quiet Asker", "country": "IN"}
        assert (shown["is_answered_live"], shown["answered_seconds"], shown["claimed_by"]) == (True, 598.0, None)

    def test_who_comes_second_gets_the_present_question(self, world: World, desk: Browser) -> None:
        question = world.asked()
        self.move(Browser(world, world.second), question, "forward", edited_text="Safe?")
        late = self.move(desk, question, "dismiss")

        assert (late.status_code, late.json()["code"]) == (409, "conflict")
        assert (late.json()["current"]["state"], late.json()["current"]["version"]) == ("forwarded", 2)
        assert self.move(desk, question, "unpublish", 2).json()["current"]["state"] == "forwarded"

    def test_merging(self, world: World, desk: Browser) -> None:
        question, target = world.asked(), world.asked(author=world.other)

        assert self.move(desk, question, "merge", into=question.pk).status_code == 409
        assert self.move(desk, question, "merge", into=10**9).status_code == 404
        assert self.move(desk, question, "merge", into=target.pk).json()["merged_into"] == target.pk

    @pytest.mark.parametrize(
        ("move", "body"),
        [
            ("answer", {}),
            ("answer", {"text": "  "}),
            ("say", {"text": "Hi", "client_key": key()}),
            ("say", {"text": "Hi", "client_key": key(), "lane": "published"}),
            ("merge", {}),
            ("dismiss", {"text": "ignored?"}),
            ("publish", {"edited_text": "x" * 1001}),
            ("claim", {"version": -1}),
            ("claim", {"version": "x"}),
        ],
    )
    def test_takes_exactly_what_the_move_needs(
        self, world: World, desk: Browser, move: str, body: dict[str, Any]
    ) -> None:
        question = world.asked()
        assert desk.post(f"desk/questions/{question.pk}/{move}/", **{"version": 1, **body}).status_code == 400
        assert desk.post(f"desk/questions/{question.pk}/{move}/", **body).status_code == 400
        question.refresh_from_db()
        assert question.version == 1

    def test_no_such_move(self, world: World, desk: Browser) -> None:
        question = world.asked()
        for path in (
            f"desk/questions/{question.pk}/steal/",
            "desk/polls/1/steal/",
            f"desk/people/{world.doctor.pk}/x/",
        ):
            assert desk.post(path, version=1).status_code == 404

    def test_the_queue_is_searched_and_paged(
        self, world: World, desk: Browser, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        first = world.asked(text="Is letrozole safe with PCOS?")
        second = world.asked(author=world.other, text="Which dose of gonadotropin?", now=at(1))
        answers.forward(webinar=world.webinar, question_id=second.pk, actor=world.moderator, version=1,
                        is_priority=True, now=NOON)  # fmt: skip

        def found(query: str) -> list[int]:
            return [one["id"] for one in desk.get(f"desk/questions/?{query}").json()["results"]]

        assert found("") == [second.pk, first.pk]
        assert found("state=new") == [first.pk]
        assert found("q=LETROZOLE") == [first.pk]
        assert found("q=letrozol+pcos") == [first.pk]
        assert found("q=gonadotrophin") == [second.pk]  # the other spelling
        assert found("q=asker") == [first.pk]
        assert found("q=%00%25_") == []
        assert found("q=letrozole+dose") == []
        assert desk.get("desk/questions/?state=odd").status_code == 400
        page = desk.get("desk/questions/?page=99").json()
        assert (page["count"], page["page"], page["pages"]) == (2, 1, 1)
        assert page["by_state"] == {
            "new": 1, "forwarded": 1, "answered": 0, "published": 0, "dismissed": 0, "merged": 0,
        }  # fmt: skip

        costs = []
        for _ in range(2):
            with django_assert_max_num_queries(30) as captured:
                desk.get("desk/questions/")
            costs.append(len(captured))
            for n in range(3):
                world.asked(author=doctor_of(world.programme), now=at(100 + n))
        assert costs[0] == costs[1]

    def test_ready_answers_are_of_the_programme_and_of_all(self, world: World, desk: Browser) -> None:
        for title, programme in (("Ours", world.programme), ("All", None), ("Foreign", ProgrammeFactory.create())):
            CannedReply.objects.create(title=title, text="…", programme=programme)

        assert [one["title"] for one in desk.get("desk/replies/").json()["results"]] == ["All", "Ours"]


class TestDeskRoom:
    def test_a_poll_from_draft_to_results(self, world: World, desk: Browser, doctor: Browser) -> None:
        body = {"kind": "single", "question": "Which first?", "options": ["A", "B"]}
        made = desk.post("desk/polls/", **body)
        path = f"desk/polls/{made.json()['id']}/"
        vote = f"polls/{made.json()['id']}/vote/"
        assert made.status_code == 201
        assert desk.send("PUT", path, **{**body, "options": ["C", "D"]}).json()["options"][0]["text"] == "C"
        assert doctor.get("polls/").json()["results"] == []
        assert doctor.send("PUT", vote, choices=[1]).status_code == 404
        assert desk.post(path + "open/").json()["state"] == "open"
        assert [doctor.send("PUT", vote, choices=[one]).status_code for one in (1, 2, 2)] == [200] * 3
        assert doctor.send("PUT", vote, choices=[3]).status_code == 400
        (shown,) = doctor.get("polls/").json()["results"]
        assert (shown["mine"], shown["results"]) == ({"choices": [2], "words": []}, None)
        assert desk.post(path + "show/").json()["results"]["counts"] == {"2": 1}
        assert doctor.get("polls/").json()["results"][0]["results"]["votes"] == 1
        assert desk.post(path + "close/").json()["state"] == "closed"
        assert doctor.send("PUT", vote, choices=[1]).status_code == 409
        assert desk.post(path + "open/").status_code == 409
        assert desk.send("DELETE", path).status_code == 409
        assert desk.get("desk/polls/").json() == Browser(world, world.presenter).get("stage/polls/").json()
        assert PollVote.objects.count() == 1

    def test_a_draft_is_deleted(self, desk: Browser) -> None:
        made = desk.post("desk/polls/", kind="words", question="One word?", most_choices=3)
        path = f"desk/polls/{made.json()['id']}/"

        assert [desk.send("DELETE", path).status_code for _ in range(2)] == [204, 404]

    def test_news(self, desk: Browser) -> None:
        assert desk.post("desk/announcements/", text="Hello", client_key=key()).status_code == 201
        pin = desk.post("desk/pins/", title="Slides", url="https://example.org/")
        assert pin.status_code == 201
        assert desk.get("desk/pins/").json()["results"] == [pin.json()]
        assert desk.post("desk/pins/", title="Bad", url="javascript:alert(1)").status_code == 400
        assert desk.send("DELETE", f"desk/pins/{pin.json()['id']}/").status_code == 204
        assert desk.get("desk/pins/").json()["results"] == []
        assert [one["did"] for one in desk.get("desk/log/").json()["results"]] == [
            "room.unpinned",
            "room.pinned",
            "room.announced",
        ]

    def test_people(self, world: World, desk: Browser) -> None:
        person = f"desk/people/{world.doctor.pk}/"
        assert desk.post(person + "mute/", reason="Loud").status_code == 204
        assert [(one["user"], one["kind"]) for one in desk.get("desk/people/").json()["results"]] == [
            (world.doctor.pk, "muted")
        ]
        assert desk.post(person + "unmute/").status_code == 204
        assert desk.get("desk/people/").json()["results"] == []
        assert desk.post(f"desk/people/{world.presenter.pk}/remove/").status_code == 409
        outside = UserFactory.create()
        assert desk.post(f"desk/people/{outside.pk}/mute/").status_code == 404

    def test_lanes(self, world: World, desk: Browser, doctor: Browser) -> None:
        assert desk.send("PUT", "desk/lanes/", lane="attendee", part="attendee", level="read").status_code == 200
        set_ = desk.send("PUT", "desk/lanes/", lane="attendee", person=world.other.pk, level="write").json()["results"]
        assert [(one["part"], one["person"] and one["person"]["id"], one["level"]) for one in set_] == [
            ("attendee", None, "read"),
            ("", world.other.pk, "write"),
        ]
        assert doctor.post("questions/", text="May I?", client_key=key()).status_code == 403
        assert Browser(world, world.other).post("questions/", text="I may", client_key=key()).status_code == 201
        assert desk.send("PUT", "desk/lanes/", lane="attendee", level="read").status_code == 400
        assert desk.send("PUT", "desk/lanes/", lane="attendee", person=UserFactory.create().pk).status_code == 404
        assert len(desk.send("PUT", "desk/lanes/", lane="attendee", part="attendee").json()["results"]) == 1


class TestStage:
    def test_presenters_see_what_was_passed_on_without_the_hidden_name(self, world: World, desk: Browser) -> None:
        question, hidden = world.asked(is_anonymous=True), world.asked(author=world.other, text="Private")
        stage = Browser(world, world.presenter)
        desk.post(f"desk/questions/{question.pk}/forward/", version=1)
        listed = stage.get("stage/questions/")

        assert [(one["id"], one["name"], one["country"]) for one in listed.json()["results"]] == [(question.pk, "", "")]
        assert "Asker" not in listed.content.decode()
        assert "Private" not in listed.content.decode()
        path = f"stage/questions/{question.pk}/"
        assert stage.post(path + "say/", text="Next", client_key=key()).json()["messages"][0]["text"] == "Next"
        answered = stage.post(path + "answer-live/")
        assert (answered.json()["state"], answered.json()["is_answered_live"]) == ("answered", True)
        assert stage.post(path + "publish/").status_code == 404
        assert stage.post(path + "say/", text="x").status_code == 400
        assert stage.post(path + "answer-live/", text="x").status_code == 400
        assert stage.post(f"stage/questions/{hidden.pk}/answer-live/").status_code == 404
        assert stage.get("desk/questions/").status_code == 403
        assert stage.post(f"desk/questions/{question.pk}/publish/", version=3).status_code == 403
        assert stage.post("questions/", text="Me?", client_key=key()).status_code == 403

    def test_off_the_air_nothing_is_answered_there(self, world: World, desk: Browser) -> None:
        question = world.asked()
        desk.post(f"desk/questions/{question.pk}/forward/", version=1)
        end(world.webinar, now=NOON)

        stage = Browser(world, world.presenter)
        assert stage.post(f"stage/questions/{question.pk}/answer-live/").status_code == 409
