"""Changing and deleting what people have watched: nothing is lost, and whoever has watched enough is completed."""

from typing import Any

import pytest
from django.db.models import ProtectedError
from django.urls import reverse

from accounts.enums import Role
from accounts.models import AuditEvent, User
from courses.domain.authoring import InUseError, delete_lesson
from courses.models import CourseCompletion, Lesson, LessonCompletion
from media.models import Video
from tests.factories.courses import LessonFactory, RoleGrantFactory
from tests.factories.media import VideoFactory
from tests.factories.webinars import WatchRecordFactory
from tests.signing_in import signed_in
from tests.webinars.watching import at, beat, make_device, make_enrolment, make_webinar, open_player, record_of, send
from webinars.domain import completion
from webinars.domain.authoring import RecordingInUseError, save_webinar
from webinars.domain.completion import settle
from webinars.domain.posting import post_beats
from webinars.domain.queries import playback_state, watch_summary
from webinars.domain.watching import start_play_session
from webinars.models import PlaySession, WatchRecord, Webinar

pytestmark = pytest.mark.django_db


def change(webinar: Webinar, *, same_recording: bool = False, **fields: Any) -> Webinar:
    for name, value in fields.items():
        setattr(webinar, name, value)
    return save_webinar(webinar=webinar, same_recording=same_recording, actor=None, now=at(500))


def upload_again(webinar: Webinar, *, seconds: float) -> None:
    """What publishing a new version of the same video does to the row."""
    assert webinar.video_id is not None
    Video.objects.filter(pk=webinar.video_id).update(duration_seconds=seconds, published_version="v2")
    webinar.refresh_from_db()


@pytest.mark.django_db(transaction=True)
def test_a_lower_requirement_completes_whoever_has_seen_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    rings: list[int] = []
    monkeypatch.setattr(completion.doorbell, "ring", lambda: rings.append(1))
    enough = open_player(seconds=100, percent=90)
    webinar = enough.webinar
    send(enough, (0, 60), after=100)
    other = make_enrolment()
    other.programme = webinar.lesson.course.programme
    other.save()
    less = open_player(enrolment=other, webinar=webinar)
    send(less, (0, 49), after=100)
    change(webinar, completion_percent=50)
    assert (record_of(enough).reached_at, record_of(enough).required_seconds) == (at(500), 50)
    assert record_of(less).reached_at is None
    assert rings == [1]
    assert settle(now=at(510)) == 1
    assert set(LessonCompletion.objects.values_list("user_id", flat=True)) == {enough.user_id}
    assert send(less, (49, 50), after=520).done is True  # the open player follows the lower goal
    event = AuditEvent.objects.get(action="webinar.changed")
    assert (event.details["before"]["completion_percent"], event.details["after"]["completion_percent"]) == (90, 50)


def test_a_higher_requirement_takes_nothing_away_and_an_unchanged_one_is_no_event() -> None:
    session = open_player(seconds=100, percent=50)
    send(session, (0, 50), after=100)
    settle(now=at(110))
    change(session.webinar, completion_percent=100)
    assert (record_of(session).reached_at, record_of(session).required_seconds) == (at(100), 50)
    assert LessonCompletion.objects.count() == 1
    change(session.webinar)
    assert AuditEvent.objects.filter(action="webinar.changed").count() == 1


def test_a_shorter_version_of_the_video_completes_at_the_next_sweep() -> None:
    session = open_player(seconds=600)
    send(session, (0, 460), after=400)
    assert settle(now=at(410)) == 0
    upload_again(session.webinar, seconds=500.0)
    assert settle(now=at(420)) == 1
    assert record_of(session).required_seconds == 450
    assert settle(now=at(430)) == 0


def test_what_lies_behind_the_end_of_a_shorter_version_counts_for_nothing() -> None:
    session = open_player(seconds=600)
    send(session, (350, 600), after=400)
    upload_again(session.webinar, seconds=400.0)
    settle(now=at(410))
    summary = watch_summary(user=session.user, webinar_ids=[session.webinar_id])[session.webinar_id]
    assert (summary.coverage, summary.seen, summary.percent, summary.unseen) == (((350, 400),), 50, 12, 350)
    state = playback_state(webinar=session.webinar, user=session.user)
    assert (state.coverage, state.seen, state.required, state.position) == (((350, 400),), 50, 360, 0.0)
    newer = start_play_session(
        webinar=session.webinar, user=session.user, device=make_device(session.user), now=at(420)
    )
    # 250 old seconds and 309 new ones would be enough together; within the new length they are 359 of 360.
    assert send(newer, (0, 309), after=900) == (None, 400, False)
    assert settle(now=at(910)) == 0
    posted = post_beats(user_id=newer.user_id, webinar_id=newer.webinar_id, session=newer.pk, raw_beats=[], now=at(920))
    assert (posted.seen, posted.done) == (400, False)
    assert send(newer, (309, 310), after=930).done is True
    assert record_of(newer).coverage == ((0, 310), (350, 600))  # nothing is thrown away


def test_an_ever_longer_coverage_is_never_more_than_the_whole() -> None:
    enrolment = make_enrolment()
    webinar = make_webinar(enrolment, seconds=100.0)
    WatchRecordFactory.create(user=enrolment.user, webinar=webinar, coverage=((0, 5000),))
    summary = watch_summary(user=enrolment.user, webinar_ids=[webinar.pk])[webinar.pk]
    assert (summary.percent, summary.seen, summary.unseen, summary.needed) == (100, 100, 0, 0)


def test_another_recording_is_refused_once_somebody_has_watched() -> None:
    session = open_player()
    other = VideoFactory.create()
    with pytest.raises(RecordingInUseError):
        change(session.webinar, video=other)
    session.webinar.refresh_from_db()
    with pytest.raises(RecordingInUseError):
        change(session.webinar, video=None)
    assert Webinar.objects.get().video_id != other.pk
    assert not AuditEvent.objects.filter(action="webinar.changed").exists()


def test_the_same_recording_encoded_again_keeps_what_was_watched() -> None:
    session = open_player(seconds=100)
    send(session, (0, 80), after=100)
    shorter = VideoFactory.create(duration_seconds=85.0)
    change(session.webinar, video=shorter, same_recording=True)
    assert record_of(session).coverage == ((0, 80),)
    assert record_of(session).reached_at == at(500)  # 80 of 85
    assert AuditEvent.objects.get(action="webinar.changed").details["same_recording"] is True


def test_a_lecture_nobody_has_opened_takes_any_video() -> None:
    webinar = make_webinar(make_enrolment())
    other = VideoFactory.create()
    change(webinar, video=other)
    assert Webinar.objects.get().video_id == other.pk


@pytest.mark.parametrize("played", [True, False])
def test_a_lesson_that_somebody_opened_is_not_deleted(played: bool) -> None:
    session = open_player()
    if played:
        send(session, (0, 60), after=60)
    lesson = session.webinar.lesson
    with pytest.raises(InUseError):
        delete_lesson(lesson=lesson, actor=None, now=at(100))
    with pytest.raises(ProtectedError):
        lesson.delete()
    assert (Lesson.objects.count(), PlaySession.objects.count(), WatchRecord.objects.count()) == (1, 1, int(played))


def test_a_completed_lesson_is_not_deleted_whatever_its_kind() -> None:
    enrolment = make_enrolment()
    lesson = LessonFactory.create(course__programme=enrolment.programme, kind="document")
    LessonCompletion.objects.create(user=enrolment.user, lesson=lesson, completed_at=at(0))
    with pytest.raises(InUseError):
        delete_lesson(lesson=lesson, actor=None, now=at(100))


def test_deleting_the_last_missing_lesson_completes_the_course() -> None:
    session = open_player(seconds=100)
    spare = make_webinar(make_enrolment()).lesson
    spare.course = session.webinar.lesson.course
    spare.position = 2
    spare.save()
    send(session, (0, 100), after=100)
    settle(now=at(110))
    assert not CourseCompletion.objects.exists()
    delete_lesson(lesson=spare, actor=session.user, now=at(120))
    assert CourseCompletion.objects.get().user_id == session.user_id
    event = AuditEvent.objects.get(action="lesson.deleted")
    assert (event.actor, event.details["title"]) == (session.user, spare.title)


@pytest.fixture
def watched() -> PlaySession:
    session = open_player()
    send(session, (0, 60), after=60)
    return session


@pytest.fixture
def moderator(watched: PlaySession) -> User:
    user: User = RoleGrantFactory.create(programme=watched.webinar.lesson.course.programme).user
    return user


def lesson_form(webinar: Webinar, **changes: object) -> dict[str, object]:
    lesson = webinar.lesson
    data: dict[str, object] = {
        "title": lesson.title, "summary": "", "is_required": "on",
        "webinar-TOTAL_FORMS": 1, "webinar-INITIAL_FORMS": 1, "webinar-MIN_NUM_FORMS": 0, "webinar-MAX_NUM_FORMS": 1,
        "webinar-0-id": webinar.pk, "webinar-0-lesson": lesson.pk, "webinar-0-video": webinar.video_id or "",
        "webinar-0-completion_percent": webinar.completion_percent,
    }  # fmt: skip
    return data | {f"webinar-0-{name}": value for name, value in changes.items()}


def test_the_admin_writes_through_the_domain(watched: PlaySession, moderator: User) -> None:
    webinar = watched.webinar
    address = reverse("admin:courses_lesson_change", args=(webinar.lesson_id,))
    client = signed_in(moderator)
    assert "Same recording" in client.get(address).content.decode()
    response = client.post(address, lesson_form(webinar, completion_percent=10))
    assert response.status_code == 302, response.context["errors"]
    assert record_of(watched).reached_at is not None
    assert AuditEvent.objects.get(action="webinar.changed").actor == moderator
    other = VideoFactory.create(created_by=moderator)
    refused = client.post(address, lesson_form(webinar, video=other.pk, completion_percent=10))
    assert "People have watched this recording." in refused.content.decode()
    assert Webinar.objects.get().video_id != other.pk
    told = client.post(address, lesson_form(webinar, video=other.pk, completion_percent=10, same_recording="on"))
    assert told.status_code == 302
    assert Webinar.objects.get().video_id == other.pk
    assert record_of(watched).coverage == ((0, 60),)


def test_the_admin_says_why_a_watched_lesson_stays(watched: PlaySession, moderator: User) -> None:
    lesson = watched.webinar.lesson
    client = signed_in(moderator)
    address = reverse("admin:courses_lesson_delete", args=(lesson.pk,))
    assert "Make it optional instead, or archive the course." in client.get(address).content.decode()
    client.post(address, {"post": "yes"})
    every = reverse("admin:courses_lesson_changelist")
    client.post(every, {"action": "delete_selected", "_selected_action": [lesson.pk], "post": "yes"})
    course = lesson.course
    response = client.post(reverse("admin:courses_course_change", args=(course.pk,)), {
        "title": course.title, "summary": "", "completion_rule": "all", "is_required": "on",
        "lessons-TOTAL_FORMS": 1, "lessons-INITIAL_FORMS": 1, "lessons-MIN_NUM_FORMS": 0,
        "lessons-MAX_NUM_FORMS": 1000, "lessons-0-id": lesson.pk, "lessons-0-course": course.pk,
        "lessons-0-title": lesson.title, "lessons-0-kind": "webinar", "lessons-0-DELETE": "on",
    })  # fmt: skip
    assert response.status_code == 200
    page = response.content.decode()
    assert "Make it optional instead, or archive the course." in page
    assert watched.user.get_full_name() not in page
    assert (Lesson.objects.count(), PlaySession.objects.count()) == (1, 1)
    assert record_of(watched).coverage == ((0, 60),)


def test_a_course_with_a_watched_lesson_stays_and_names_nobody(watched: PlaySession) -> None:
    course = watched.webinar.lesson.course
    operator = RoleGrantFactory.create(programme=course.programme, role=Role.OPERATOR).user
    client = signed_in(operator)
    address = reverse("admin:courses_course_delete", args=(course.pk,))
    page = client.get(address).content.decode()
    assert "Make it optional instead, or archive the course." in page
    assert watched.user.get_full_name() not in page
    client.post(address, {"post": "yes"})
    assert Lesson.objects.filter(course=course).exists()
    assert record_of(watched).coverage == ((0, 60),)


def test_a_lesson_nobody_used_is_deleted_in_the_admin_and_recorded(watched: PlaySession, moderator: User) -> None:
    spare = LessonFactory.create(course=watched.webinar.lesson.course, position=2)
    client = signed_in(moderator)
    client.post(reverse("admin:courses_lesson_delete", args=(spare.pk,)), {"post": "yes"})
    assert not Lesson.objects.filter(pk=spare.pk).exists()
    assert AuditEvent.objects.get(action="lesson.deleted").actor == moderator


def test_a_late_beat_of_the_longer_version_is_still_credited() -> None:
    session = open_player(seconds=600)
    upload_again(session.webinar, seconds=500.0)
    settle(now=at(10))
    result = send(session, (500, 600), after=100)
    assert result.refusal is None
    assert beat(session).user_id == session.user_id
    assert record_of(session).coverage == ((500, 600),)
