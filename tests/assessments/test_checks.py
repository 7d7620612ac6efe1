"""Checks within a webinar: opened once for the room, closed with what was saved, and silent about the key."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent, User
from assessments.domain.starting import NotHeldUpError, NotOpenError, start_attempt
from assessments.domain.submitting import submit_overdue
from assessments.enums import AttemptState, EndedBy, QuizKind, Review
from assessments.models import Attempt, Quiz
from core.clock import now
from courses.domain.lesson_kinds import InnerFigures, Moment, moment_of
from courses.enums import LessonKind
from courses.models import LessonCompletion
from tests.assessments.sitting import choose, hand_in, make_older, start
from tests.factories.assessments import SINGLE, BankFactory, make_item, make_quiz
from tests.factories.courses import LessonFactory
from tests.factories.media import VideoFactory
from tests.questions.world import World, end, make_world
from tests.signing_in import signed_in
from tests.webinars.on_air import publish
from webinars.domain import checks
from webinars.domain.schedule import state_of
from webinars.enums import EventKind, WebinarState
from webinars.models import RoomCheck, RoomEvent, Webinar

pytestmark = pytest.mark.django_db
SECRETS = ("SECRET", "Right answer", '"right"', '"is_right":true')


@pytest.fixture
def world() -> World:
    """On air since ten minutes of its own clock: what a check asks goes by the database's."""
    made = make_world()
    Webinar.objects.filter(pk=made.webinar.pk).update(starts_at=now() - timedelta(minutes=10))
    made.webinar = made.fresh()
    return made


def check_in(world: World, *, items: Any = 2, **settings: Any) -> Quiz:
    lesson = LessonFactory(course=world.webinar.lesson.course, kind=LessonKind.QUIZ, title="Which first?")
    settings = {"kind": QuizKind.CHECK, "during": world.webinar.lesson, "answers_when": Review.SUBMITTED, **settings}
    return make_quiz(lesson=lesson, items=items, **settings)


def open_(world: World, quiz: Quiz, actor: User | None = None) -> RoomCheck:
    return checks.open_check(webinar=world.webinar, lesson_id=quiz.lesson_id, actor=actor or world.presenter, now=now())


def close(world: World, quiz: Quiz) -> RoomCheck:
    return checks.close_check(webinar=world.webinar, lesson_id=quiz.lesson_id, actor=world.moderator, now=now())


def moment(world: World, quiz: Quiz, user: User | None = None) -> Moment:
    return moment_of(lesson=world.webinar.lesson, inner_id=quiz.lesson_id, user=user or world.doctor, now=now())


def figures(world: World, quiz: Quiz) -> InnerFigures:
    found = {one.inner.lesson_id: one for one in checks.stage_checks(webinar=world.webinar)}[quiz.lesson_id].figures
    assert found is not None
    return found


def record(world: World) -> None:
    end(world.webinar, now=now())
    Webinar.objects.filter(pk=world.webinar.pk).update(video=VideoFactory.create())
    world.webinar = world.fresh()
    assert state_of(world.webinar, now=now()) == WebinarState.RECORDING_READY


class TestOpening:
    def test_tells_the_room_what_leads_there_and_nothing_else(self, world: World) -> None:
        quiz = check_in(world)
        open_(world, quiz)
        open_(world, quiz, world.moderator)  # pressed once more, at the desk

        heard = world.heard()["doctor"]
        assert heard == [("check", {"id": quiz.lesson_id, "title": "Which first?", "questions": 2, "removed": False})]
        assert RoomCheck.objects.get().opened_by == world.presenter
        assert AuditEvent.objects.filter(action="check.opened", actor=world.presenter).count() == 1
        close(world, quiz)
        close(world, quiz)
        assert [payload["removed"] for _, payload in world.heard()["doctor"]] == [False, True]
        assert AuditEvent.objects.filter(action="check.closed", actor=world.moderator).count() == 1

    def test_keeps_the_second_of_the_programme(self, world: World) -> None:
        assert open_(world, check_in(world)).opened_seconds == 598

    def test_one_at_a_time_each_once_and_only_what_is_there(self, world: World) -> None:
        first, second, empty = check_in(world), check_in(world), check_in(world, items=[])
        elsewhere = check_in(make_world())
        with pytest.raises(checks.EmptyCheckError):
            open_(world, empty)
        with pytest.raises(checks.CheckNotFoundError):
            open_(world, elsewhere)
        with pytest.raises(checks.CheckNotFoundError):
            close(world, first)
        open_(world, first)
        with pytest.raises(checks.AnotherCheckOpenError):
            open_(world, second)
        close(world, first)
        open_(world, second)
        with pytest.raises(checks.CheckClosedError):
            open_(world, first)

    def test_what_code_might_forget_the_database_refuses(self, world: World) -> None:
        first, second = check_in(world), check_in(world)
        row = open_(world, first)
        for lesson_id in (first.lesson_id, second.lesson_id):
            with pytest.raises(IntegrityError), transaction.atomic():
                RoomCheck.objects.create(webinar=world.webinar, lesson_id=lesson_id, opened_at=now())
        row.closed_at = row.opened_at - timedelta(seconds=1)
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save()

    def test_only_while_the_room_is_open(self, world: World) -> None:
        quiz = check_in(world)
        end(world.webinar, now=now())
        world.webinar = world.fresh()
        with pytest.raises(checks.RoomNotOpenError):
            open_(world, quiz)

    def test_the_end_of_the_webinar_closes_what_was_left_open(self, world: World) -> None:
        quiz = check_in(world)
        open_(world, quiz)
        assert checks.close_left_open(now=now()) == 0
        end(world.webinar, now=now())
        assert checks.close_left_open(now=now()) == 1
        assert checks.close_left_open(now=now()) == 0
        assert AuditEvent.objects.get(action="check.closed").actor is None

    def test_one_that_was_taken_out_of_the_webinar_is_closed_as_well(self, world: World) -> None:
        quiz = check_in(world, grace_seconds=0)
        open_(world, quiz)
        attempt = start(quiz, world.doctor)
        Quiz.objects.filter(pk=quiz.pk).update(during=None)
        close(world, quiz)
        assert RoomCheck.objects.get().closed_at is not None
        attempt.refresh_from_db()
        assert attempt.deadline_at is not None


class TestAnswering:
    def test_begins_when_it_is_opened_and_counts_as_any_test(self, world: World) -> None:
        quiz = check_in(world)
        assert moment(world, quiz) is Moment.BEFORE
        with pytest.raises(NotHeldUpError):
            start(quiz, world.doctor)
        open_(world, quiz)
        attempt = start(quiz, world.doctor)
        choose(attempt, 0, "b")
        hand_in(attempt)
        assert LessonCompletion.objects.get(user=world.doctor, lesson=quiz.lesson).evidence["attempt"] == attempt.pk
        close(world, quiz)
        assert moment(world, quiz) is Moment.OVER
        with pytest.raises(NotHeldUpError):
            start(quiz, world.other)

    def test_closing_hands_in_what_was_saved(self, world: World) -> None:
        quiz = check_in(world, grace_seconds=0)
        open_(world, quiz)
        attempt = start(quiz, world.doctor)
        make_older(attempt, 5)
        choose(attempt, 0, "b")
        close(world, quiz)
        assert submit_overdue() == 1
        attempt.refresh_from_db()
        assert (attempt.state, attempt.ended_by, attempt.score) == (AttemptState.MARKED, EndedBy.DEADLINE, 1)

    def test_with_the_recording_everybody_may(self, world: World) -> None:
        quiz, never = check_in(world), check_in(world)
        open_(world, quiz)
        close(world, quiz)
        record(world)
        for one in (quiz, never):
            assert moment(world, one) is Moment.RECORDED
            assert start(one, world.other).state == AttemptState.OPEN

    def test_who_has_no_place_in_the_room_waits_for_the_recording(self, world: World) -> None:
        quiz = check_in(world)
        Webinar.objects.filter(pk=world.webinar.pk).update(needs_registration=True)
        world.webinar = world.fresh()
        open_(world, quiz)
        assert moment(world, quiz) is Moment.BEFORE
        record(world)
        assert moment(world, quiz) is Moment.RECORDED

    def test_its_webinar_need_not_be_completed_first_but_what_comes_before_must(self, world: World) -> None:
        course = world.webinar.lesson.course
        course.is_sequential = True
        course.save()
        quiz = check_in(world)
        open_(world, quiz)
        assert start(Quiz.objects.get(pk=quiz.pk), world.doctor).state == AttemptState.OPEN
        later = LessonFactory(course=course)
        quiz.lesson.position, later.position = later.position + 1, later.position
        quiz.lesson.save()
        with pytest.raises(NotOpenError):
            start_attempt(quiz=Quiz.objects.get(pk=quiz.pk), user=world.other, now=now())


class TestFigures:
    def test_count_people_and_answers_without_the_key_until_nobody_can_answer(self, world: World) -> None:
        several = {"shown": SINGLE["shown"], "key": {**SINGLE["key"], "right": ["a", "b"], "rule": "all"}}
        bank = BankFactory(programme=world.programme)
        items = [make_item(bank=bank), make_item(bank=bank, kind="multiple", **several)]
        quiz = check_in(world, items=items, grace_seconds=0)
        open_(world, quiz)
        first, second = start(quiz, world.doctor), start(quiz, world.other)
        choose(first, 0, "b")
        choose(second, 0, "c")
        hand_in(second)

        found = figures(world, quiz)
        assert (found.begun, found.answered, found.is_final) == (2, 2, False)
        assert [[(one.label[-1], one.number, one.is_right) for one in q.options] for q in found.questions] == [
            [("A", 0, None), ("B", 1, None), ("C", 1, None), ("D", 0, None)],
            [("A", 0, None), ("B", 0, None), ("C", 0, None), ("D", 0, None)],
        ]
        make_older(first, 5)
        close(world, quiz)
        found = figures(world, quiz)
        assert found.is_final
        assert [one.is_right for one in found.questions[0].options] == [False, True, False, False]
        assert [one.is_right for one in found.questions[1].options] == [True, True, False, False]

    def test_an_order_is_not_told_by_the_order_of_what_is_shown(self, world: World) -> None:
        entries = [{"id": name, "text": name} for name in "abc"]
        key = {**SINGLE["key"], "right": ["c", "a", "b"], "rule": "pairs"}
        bank = BankFactory(programme=world.programme)
        item = make_item(bank=bank, kind="ordering", shown={"entries": entries}, key=key)
        quiz = check_in(world, items=[item])
        open_(world, quiz)
        assert figures(world, quiz).questions[0].options == ()
        close(world, quiz)
        assert len(figures(world, quiz).questions[0].options) == 9

    def test_those_who_answer_with_the_recording_are_not_among_them(self, world: World) -> None:
        quiz = check_in(world)
        open_(world, quiz)
        close(world, quiz)
        record(world)
        choose(start(quiz, world.other), 0, "b")
        assert (figures(world, quiz).begun, figures(world, quiz).is_final) == (0, True)

    def test_ask_as_often_for_many_as_for_one(
        self, world: World, django_assert_num_queries: Callable[[int], Any]
    ) -> None:
        quiz = check_in(world)
        open_(world, quiz)
        for number, user in enumerate((world.doctor, world.other)):
            choose(start(quiz, user), 0, "abcd"[number])
            figures(world, quiz)  # what questions ask is kept
            with django_assert_num_queries(9):
                figures(world, quiz)


class TestRecording:
    def test_shows_each_at_the_second_at_which_it_was_asked_and_cuts_move_it(self, world: World) -> None:
        asked, never, empty = check_in(world), check_in(world), check_in(world, items=[])
        open_(world, asked)
        publish(world.webinar, spans=[(0, 300, 0), (400, 1000, 300)], cuts=((0, 60),), at=now())
        world.webinar = world.fresh()
        lessons = [one.lesson for one in (asked, never, empty)]
        done = {never.lesson_id}
        found = checks.shown_checks(webinar=world.webinar, lessons=lessons, completed_lesson_ids=done, now=now())
        assert [(one.inner.lesson_id, one.at, one.is_done) for one in found] == [
            (never.lesson_id, None, True),
            (asked.lesson_id, 598 - 100 - 60, False),
        ]
        body = signed_in(world.doctor).get(reverse("webinars:watch", args=[world.webinar.pk])).content.decode()
        assert 'data-at="438.0"' in body
        assert "asked at 7:18" in body

    def test_a_course_without_tests_costs_no_query(
        self, world: World, django_assert_num_queries: Callable[[int], Any]
    ) -> None:
        with django_assert_num_queries(0):
            lessons = [world.webinar.lesson]
            checks.shown_checks(webinar=world.webinar, lessons=lessons, completed_lesson_ids=(), now=now())


class TestPages:
    def test_the_room_shows_a_card_while_it_is_open_and_the_recording_afterwards(self, world: World) -> None:
        quiz = check_in(world)
        page = reverse("webinars:watch", args=[world.webinar.pk])
        link = f'href="{reverse("lesson", args=[quiz.lesson_id])}" target="lesson-{quiz.lesson_id}"'
        client = signed_in(world.doctor)
        assert link not in client.get(page).content.decode()
        open_(world, quiz)
        body = client.get(page).content.decode()
        assert link in body
        assert "2 questions" in body
        close(world, quiz)
        assert link not in client.get(page).content.decode()
        record(world)
        assert link in client.get(page).content.decode()

    def test_nothing_that_doctors_get_tells_the_key_while_it_is_open(self, world: World) -> None:
        """Also to who has handed in, by a test that shows right answers at once: others are still at it."""
        quiz = check_in(world)
        open_(world, quiz)
        client = signed_in(world.doctor)
        front = reverse("assessments:quiz", args=[quiz.pk])
        client.post(reverse("assessments:start", args=[quiz.pk]))
        attempt = Attempt.objects.get()
        pages = [
            reverse("webinars:watch", args=[world.webinar.pk]),
            f"/api/v1/webinars/{world.webinar.pk}/events/?since=0",
            front,
            reverse("assessments:attempt", args=[attempt.pk]),
            f"/api/v1/attempts/{attempt.pk}/",
        ]
        bodies = [client.get(one).content.decode() for one in pages]
        hand_in(attempt)
        after = [front, reverse("assessments:result", args=[attempt.pk]), f"/api/v1/attempts/{attempt.pk}/result/"]
        bodies += [client.get(one).content.decode() for one in after]
        bodies += [repr(one.payload) for one in RoomEvent.objects.filter(kind=EventKind.CHECK)]
        assert [(secret, body[:60]) for body in bodies for secret in SECRETS if secret in body] == []
        close(world, quiz)
        assert "SECRET-RATIONALE" in client.get(after[1]).content.decode()

    def test_the_api_says_whether_it_may_be_begun(self, world: World) -> None:
        quiz = check_in(world)
        address = f"/api/v1/quizzes/{quiz.pk}/"
        client = signed_in(world.doctor)
        said = [client.get(address).json()["state"]]
        assert client.post(f"{address}attempts/").status_code == 409
        open_(world, quiz)
        said.append(client.get(address).json()["state"])
        assert client.post(f"{address}attempts/").status_code == 201
        close(world, quiz)
        said.append(client.get(address).json()["state"])
        record(world)
        said.append(client.get(address).json()["state"])
        assert said == ["not_yet", "open", "closed", "open"]

    def test_the_way_back_leads_to_the_tab_where_the_webinar_plays(self, world: World) -> None:
        quiz = check_in(world)
        open_(world, quiz)
        body = signed_in(world.doctor).get(reverse("assessments:quiz", args=[quiz.pk])).content.decode()
        watch = reverse("webinars:watch", args=[world.webinar.pk])
        assert f'href="{watch}#webinar" target="lesson-{world.webinar.lesson_id}"' in body

    def test_the_stage_opens_and_closes_it_and_shows_the_room(self, world: World) -> None:
        quiz = check_in(world)
        stage = reverse("webinars:stage", args=[world.webinar.pk])
        client = signed_in(world.presenter)
        assert "Open for everybody" in client.get(stage).content.decode()
        client.post(stage, {"do": "check-open", "check": quiz.lesson_id})
        assert RoomCheck.objects.get().closed_at is None
        choose(start(quiz, world.doctor), 0, "b")
        part = client.get(f"{stage}?part=checks", headers={"x-fragment": "1"}).content.decode()
        assert "1 doctor has answered" in part
        assert world.doctor.last_name not in part
        assert 'visually-hidden">right' not in part
        Attempt.objects.update(state=AttemptState.VOID, submitted_at=now())
        done = client.post(
            f"{stage}?part=checks", {"do": "check-close", "check": quiz.lesson_id}, headers={"x-fragment": "1"}
        )
        assert 'visually-hidden">right' in done.content.decode()
        said = client.post(stage, {"do": "check-open", "check": quiz.lesson_id}, follow=True).content.decode()
        assert "It can be opened once." in said

    def test_doctors_have_no_such_buttons(self, world: World) -> None:
        quiz = check_in(world)
        client: Client = signed_in(world.doctor)
        stage = reverse("webinars:stage", args=[world.webinar.pk])
        assert client.post(stage, {"do": "check-open", "check": quiz.lesson_id}).status_code == 403
        assert not RoomCheck.objects.exists()
