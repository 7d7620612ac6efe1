"""The desk's own pages: who may open them, what stands in them, and what changes the webinar's state."""

import json
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client
from django.utils.timezone import now

from accounts.enums import Role
from accounts.models import AuditEvent, User
from courses.enums import EnrolmentStatus
from tests.factories.accounts import UserFactory
from tests.factories.courses import EnrolmentFactory, LessonFactory, RoleGrantFactory
from tests.factories.webinars import LiveWebinarFactory, WatchRecordFactory, WebinarFactory, add_presenter
from tests.room.rooms import Scene, make_scene
from tests.signing_in import signed_in
from webinars.admin.desk_words import WORDS
from webinars.domain import answers, restrictions, schedule
from webinars.domain.answers import Move
from webinars.domain.desk_overview import activity, stream_line, webinars_to_moderate
from webinars.domain.desk_people import people_with
from webinars.domain.questions import ask
from webinars.enums import IngestKind, Phase, StreamProblem, WebinarState
from webinars.models import Broadcast, CannedReply, PublishSession, Question, Webinar

pytestmark = pytest.mark.django_db
LIST = "/admin/webinars/desk/"


@pytest.fixture
def scene() -> Scene:
    return make_scene()


def address(scene: Scene, page: str = "") -> str:
    return f"{LIST}{scene.webinar.pk}/{page}"


def question(scene: Scene, text: str, author: User | None = None) -> Question:
    return ask(webinar=scene.webinar, author=author or scene.doctor().user, text=text, client_key=uuid4(), now=now())


def moderator(scene: Scene) -> User:
    return scene.moderator().user


def overview(browser: Client, scene: Scene) -> dict[str, Any]:
    html = browser.get(address(scene)).content.decode()
    found = re.search(r'<script id="dk-overview" type="application/json">(.*?)</script>', html, re.DOTALL)
    assert found
    loaded: dict[str, Any] = json.loads(found[1])
    return loaded


class TestDoors:
    @pytest.mark.parametrize("page", ["", "data/", "status/", "people/"])
    def test_a_moderator_of_another_programme_finds_nothing(self, scene: Scene, page: str) -> None:
        elsewhere = moderator(make_scene())
        assert signed_in(elsewhere).get(address(scene, page)).status_code == 404
        assert signed_in(moderator(scene)).get(address(scene, page)).status_code == 200

    @pytest.mark.parametrize("page", ["", "data/", "status/", "people/"])
    def test_staff_who_only_attend_or_present_here_are_refused(self, scene: Scene, page: str) -> None:
        elsewhere = moderator(make_scene())
        EnrolmentFactory.create(user=elsewhere, programme=scene.programme)
        assert signed_in(elsewhere).get(address(scene, page)).status_code == 403
        add_presenter(scene.webinar, elsewhere)
        assert signed_in(elsewhere).get(address(scene, page)).status_code == 403

    def test_doctors_and_presenters_do_not_come_into_the_admin(self, scene: Scene) -> None:
        for device in (scene.doctor(), scene.presenter()):
            answer = signed_in(device.user).get(address(scene))
            assert (answer.status_code, "/admin/login/" in answer["Location"]) == (302, True)

    def test_without_the_second_step_nobody_opens_it(self, scene: Scene) -> None:
        answer = signed_in(moderator(scene), second_step=False).get(address(scene))
        assert answer.status_code == 302

    @pytest.mark.parametrize("part", ["questions", "polls", "pins", "people", "lanes", "log", "replies"])
    def test_sec_07_nor_do_its_calls_answer(self, scene: Scene, part: str) -> None:
        question(scene, "Between the two of us")
        path, user = f"/api/v1/webinars/{scene.webinar.pk}/desk/{part}/", moderator(scene)
        assert signed_in(user).get(path).status_code == 200
        refused = signed_in(user, second_step=False).get(path)
        assert (refused.status_code, refused.json()["code"]) == (403, "second_step_needed")

    def test_that_somebody_looked_is_audited(self, scene: Scene) -> None:
        user = moderator(scene)
        signed_in(user).get(address(scene))
        event = AuditEvent.objects.get(action="desk.opened")
        assert (event.actor, event.subject_id) == (user, str(scene.webinar.pk))


class TestPage:
    def test_everything_stands_in_the_page_and_nothing_of_other_webinars(self, scene: Scene) -> None:
        other = make_scene()
        question(other, "Of another programme")
        mine, theirs = question(scene, "First"), question(scene, "Second")
        CannedReply.objects.create(programme=other.programme, title="Foreign", text="x")
        CannedReply.objects.create(programme=scene.programme, title="Ours", text="x")
        user = moderator(scene)
        answers.claim(webinar=scene.webinar, question_id=mine.pk, actor=user, version=1, now=now())
        answers.claim(webinar=scene.webinar, question_id=theirs.pk, actor=moderator(scene), version=1, now=now())
        found = overview(signed_in(user), scene)
        assert [one["text"] for one in found["questions"]["results"]] == ["First", "Second"]
        assert [one["id"] for one in found["mine"]] == [mine.pk]
        assert [one["title"] for one in found["replies"]] == ["Ours"]
        assert found["questions"]["by_state"]["new"] == 2
        assert (found["state"], found["me"]["id"]) == ("live", user.pk)

    def test_a_question_cannot_break_out_of_the_page(self, scene: Scene) -> None:
        question(scene, "</script><script>alert(1)</script><!--")
        browser = signed_in(moderator(scene))
        assert "<script>alert(1)" not in browser.get(address(scene)).content.decode()
        (found,) = overview(browser, scene)["questions"]["results"]
        assert found["text"] == "</script><script>alert(1)</script><!--"

    def test_the_page_runs_no_script_of_its_own(self, scene: Scene) -> None:
        """Scripts are files, and data is data; so the policy could be as strict as everywhere."""
        html = signed_in(moderator(scene)).get(address(scene)).content.decode()
        desk = html[html.index('id="desk"') :]
        desk = desk[: desk.index('<script id="dk-addresses"')]
        assert re.findall(r"<script(?! id=\"dk-)", desk) == []
        assert re.findall(r"\son\w+=|javascript:", desk) == []

    def test_the_number_of_queries_does_not_grow_with_the_questions(
        self, scene: Scene, django_assert_max_num_queries: Any
    ) -> None:
        browser = signed_in(moderator(scene))
        for number in range(6):
            question(scene, f"Question {number}")
        with django_assert_max_num_queries(45):
            browser.get(address(scene))

    def test_everything_the_log_can_say_has_words(self) -> None:
        unlogged = {Move.CLAIM, Move.RELEASE, Move.SAY}
        assert {f"did-question.{move.value}" for move in set(Move) - unlogged} <= set(WORDS)
        assert {f"webinar-{state.value}" for state in WebinarState} <= set(WORDS)
        assert {f"done-{move.value}" for move in Move} <= set(WORDS)

    def test_the_script_says_nothing_that_the_page_has_no_words_for(self) -> None:
        script = "".join(path.read_text() for path in (settings.BASE_DIR / "static/js/desk").glob("*.js"))
        said = set(re.findall(r"say\(\"([\w-]+)\"", script)) | set(re.findall(r"\"(empty-\w+|empty)\"", script))
        begins = tuple(re.findall(r"`([a-z-]+-)\$\{", script))
        ends = tuple(re.findall(r"`\$\{\w+\}(-\w+)`", script))
        assert said - set(WORDS) == set()
        assert len(said) > 40
        unsaid = {key for key in set(WORDS) - said if not key.startswith(begins) and not key.endswith(ends)}
        assert {key for key in unsaid if not re.search(rf'"{key}"', script)} == set()


class TestList:
    def test_live_first_then_what_comes_then_what_was(self, scene: Scene) -> None:
        user, moment = moderator(scene), now()
        course = scene.webinar.lesson.course

        def planned(title: str, **values: Any) -> Webinar:
            return LiveWebinarFactory.create(lesson=LessonFactory.create(course=course, title=title), **values)

        past = moment - timedelta(days=3)
        planned("Over", starts_at=past, live_at=past, ended_at=past + timedelta(hours=1))
        planned("Long over", starts_at=moment - timedelta(days=60))
        planned("Later", starts_at=moment + timedelta(days=2))
        planned("Soon", starts_at=moment + timedelta(days=1))
        planned("Doors", starts_at=moment + timedelta(minutes=5))
        WebinarFactory.create(lesson=LessonFactory.create(course=course, title="A recording"))
        make_scene()
        question(scene, "One")
        question(scene, "Two")
        rows = webinars_to_moderate(user=user, now=moment)
        titles = [row.webinar.lesson.title for row in rows]
        assert titles == [scene.webinar.lesson.title, "Doors", "Soon", "Later", "Over"]
        assert [row.new for row in rows] == [2, 0, 0, 0, 0]
        html = signed_in(user).get(LIST).content.decode()
        assert html.index(address(scene)) < html.index("Soon")
        assert "2 new questions" in html

    def test_one_query_for_one_and_for_three(self, scene: Scene, django_assert_num_queries: Any) -> None:
        user = moderator(scene)
        for _ in range(3):
            with django_assert_num_queries(1):
                webinars_to_moderate(user=user, now=now())
            LiveWebinarFactory.create(lesson=LessonFactory.create(course=scene.webinar.lesson.course))
        assert len(webinars_to_moderate(user=user, now=now())) == 4


class TestPeople:
    def names(self, scene: Scene, search: str = "") -> list[str]:
        return [one["name"] for one in people_with(webinar=scene.webinar, search=search, now=now())["results"]]

    def test_only_doctors_of_this_programme_are_found(self, scene: Scene) -> None:
        scene.doctor(title="", first_name="Meera", last_name="Nair", email="meera@ward.example")
        left = UserFactory.create(first_name="Meera", last_name="Left")
        EnrolmentFactory.create(user=left, programme=scene.programme, status=EnrolmentStatus.WITHDRAWN)
        make_scene().doctor(first_name="Meera", last_name="Elsewhere")
        RoleGrantFactory.create(
            user=UserFactory.create(first_name="Meera", last_name="Staff"),
            role=Role.MODERATOR,
            programme=scene.programme,
        )
        assert (
            self.names(scene, "meera") == self.names(scene, "NAIR mee") == self.names(scene, "@ward") == ["Meera Nair"]
        )
        assert self.names(scene, "meera tanaka") == []
        assert self.names(scene, "%") == []

    def test_without_words_whoever_is_restricted_or_watching_comes(self, scene: Scene) -> None:
        people = {
            name: scene.doctor(title="", first_name=name, last_name="X").user
            for name in ("Away", "Gone", "Here", "Muted", "Out")
        }
        actor, moment = moderator(scene), now()
        for name, ago in (("Here", 20), ("Gone", 200)):
            then = moment - timedelta(seconds=ago)
            WatchRecordFactory.create(user=people[name], webinar=scene.webinar, phase=Phase.LIVE, last_beat_at=then)
        restrictions.mute(webinar=scene.webinar, user=people["Muted"], actor=actor, now=moment)
        restrictions.remove(webinar=scene.webinar, user=people["Out"], actor=actor, now=moment)
        found = people_with(webinar=scene.webinar, search="", now=moment)["results"]
        flags = [(one["name"], one["here"], one["muted"], one["removed"]) for one in found]
        assert flags == [("Out X", False, False, True), ("Muted X", False, True, False), ("Here X", True, False, False)]

    def test_the_page_of_the_script_answers_the_same(self, scene: Scene) -> None:
        scene.doctor(title="", first_name="Meera", last_name="Nair")
        answer = signed_in(moderator(scene)).get(address(scene, "people/"), {"q": "meera\x00"})
        assert [one["name"] for one in answer.json()["results"]] == ["Meera Nair"]


class TestState:
    def move(self, browser: Client, scene: Scene, move: str, **options: Any) -> Any:
        return browser.post(address(scene, f"state/{move}/"), {"reason": "Strike"}, **options)

    def test_a_form_without_a_script_ends_the_webinar(self, scene: Scene) -> None:
        browser = signed_in(moderator(scene))
        answer = self.move(browser, scene, "end")
        assert (answer.status_code, answer["Location"]) == (302, address(scene))
        scene.webinar.refresh_from_db()
        assert scene.webinar.ended_at is not None

    def test_a_script_gets_the_new_state(self, scene: Scene) -> None:
        answer = self.move(signed_in(moderator(scene)), scene, "end", headers={"accept": "application/json"})
        assert (answer.status_code, answer.json()["state"]) == (200, "ended")

    def test_what_cannot_be_is_said(self, scene: Scene) -> None:
        browser = signed_in(moderator(scene))
        answer = self.move(browser, scene, "cancel", headers={"accept": "application/json"})
        assert (answer.status_code, answer.json()["detail"]) == (409, "This cannot be done now.")
        page = browser.post(address(scene, "state/cancel/"), follow=True).content.decode()
        assert "This cannot be done now." in page
        assert self.move(browser, scene, "explode").status_code == 404
        assert browser.get(address(scene, "state/end/")).status_code == 405

    def test_going_live_and_cancelling(self, scene: Scene) -> None:
        lessons = [LessonFactory.create(course=scene.webinar.lesson.course) for _ in range(2)]
        first, second = (LiveWebinarFactory.create(lesson=lesson) for lesson in lessons)
        browser = signed_in(moderator(scene))
        self.move(browser, Scene(first), "go-live")
        self.move(browser, Scene(second), "cancel")
        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.live_at is not None, second.cancelled_at is not None) == (True, True)
        assert AuditEvent.objects.get(action="webinar.cancelled").details == {"reason": "Strike"}

    def test_nobody_else_changes_it(self, scene: Scene) -> None:
        elsewhere = moderator(make_scene())
        assert self.move(signed_in(elsewhere), scene, "end").status_code == 404
        assert self.move(signed_in(scene.doctor().user), scene, "end").status_code == 302
        scene.webinar.refresh_from_db()
        assert scene.webinar.ended_at is None


class TestStreamLine:
    def tone(self, scene: Scene) -> str:
        return stream_line(webinar=scene.webinar, now=now())["tone"]

    def test_from_nothing_to_fine_to_interrupted(self, scene: Scene) -> None:
        assert self.tone(scene) == "quiet"
        moment = now()
        broadcast = Broadcast.objects.create(webinar=scene.webinar, started_at=moment)
        session = PublishSession.objects.create(
            broadcast=broadcast, number=1, started_at=moment, lease_until=moment, reported_at=moment,
            health={"height": 720, "frame_rate": 25.0, "video_kbits": 1100, "audio_kbits": 96, "frames": 1000},
        )  # fmt: skip
        line = stream_line(webinar=scene.webinar, now=moment)
        assert line == {
            "tone": "good", "text": "The stream is fine: 720 lines, 25 pictures a second, 1196 kbit/s.",
        }  # fmt: skip
        session.health["frames_dropped"] = 30
        session.save()
        assert stream_line(webinar=scene.webinar, now=moment)["text"] == "The stream loses pictures: 30 so far."
        session.health["problems"] = [{"problem": StreamProblem.BITRATE_LOW.value, "detail": "20"}]
        session.save()
        assert stream_line(webinar=scene.webinar, now=moment)["text"] == str(StreamProblem.BITRATE_LOW.label)
        assert stream_line(webinar=scene.webinar, now=moment + timedelta(minutes=1))["tone"] == "warn"
        session.ended_at = moment
        session.save()
        assert self.tone(scene) == "bad"

    def test_a_meeting_elsewhere_has_none(self, scene: Scene) -> None:
        scene.webinar.ingest = IngestKind.EXTERNAL
        assert self.tone(scene) == "quiet"


def test_the_log_has_the_desks_and_what_happened_to_the_webinar(scene: Scene) -> None:
    asked, user = question(scene, "First"), moderator(scene)
    User.objects.filter(pk=user.pk).update(title="", first_name="Ana", last_name="Ribeiro")
    user.refresh_from_db()
    answers.dismiss(webinar=scene.webinar, question_id=asked.pk, actor=user, version=1, now=now())
    schedule.end_webinar(webinar_id=scene.webinar.pk, actor=user, now=now() + timedelta(seconds=1))
    schedule.end_webinar(webinar_id=make_scene().webinar.pk, actor=user, now=now())
    rows = [(row["by"], row["did"], row["what"]) for row in activity(webinar=scene.webinar)]
    assert rows == [("Ana Ribeiro", "webinar.ended", ""), ("Ana Ribeiro", "question.dismiss", "First")]


class TestReadyAnswers:
    def reply(self, title: str, programme: Any = None) -> CannedReply:
        return CannedReply.objects.create(programme=programme, title=title, text="Text")

    def change(self, reply: CannedReply) -> str:
        return f"/admin/webinars/cannedreply/{reply.pk}/change/"

    def test_a_moderator_sees_ours_and_everybodys_and_changes_ours(self, scene: Scene) -> None:
        ours, everybodys = self.reply("Ours", scene.programme), self.reply("Everybody’s")
        foreign = self.reply("Foreign", make_scene().programme)
        browser = signed_in(moderator(scene))
        html = browser.get("/admin/webinars/cannedreply/").content.decode()
        assert ("Ours" in html, "Everybody’s" in html, "Foreign" in html) == (True, True, False)
        given = {"programme": scene.programme.pk, "title": "New", "text": "New"}
        browser.post(self.change(ours), given)
        assert browser.post(self.change(everybodys), given).status_code == 403
        assert browser.post(self.change(foreign), given).status_code == 302  # to the list: there is no such thing
        titles = set(CannedReply.objects.values_list("title", flat=True))
        assert titles == {"New", "Everybody’s", "Foreign"}

    def test_only_an_operator_of_all_programmes_writes_for_all(self, scene: Scene) -> None:
        browser = signed_in(moderator(scene))
        browser.post("/admin/webinars/cannedreply/add/", {"programme": "", "title": "For all", "text": "x"})
        foreign = make_scene().programme
        browser.post("/admin/webinars/cannedreply/add/", {"programme": foreign.pk, "title": "Foreign", "text": "x"})
        assert CannedReply.objects.count() == 0
        operator = RoleGrantFactory.create(role=Role.OPERATOR, programme=None).user
        signed_in(operator).post("/admin/webinars/cannedreply/add/", {"programme": "", "title": "For all", "text": "x"})
        assert CannedReply.objects.get().title == "For all"
