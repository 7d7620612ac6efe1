"""The editor's page: what it shows at each stage, what it saves, and for whom."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent, User
from tests.factories.courses import EnrolmentFactory, RoleGrantFactory
from tests.recording.theatre import at
from tests.signing_in import signed_in
from tests.webinars.on_air import add_segments, make_live, publish
from tests.webinars.watching import make_enrolment, make_webinar
from webinars.models import Broadcast, Chapter, Cut, Edition, Webinar

pytestmark = pytest.mark.django_db
SPANS = [(0.0, 200.0, 0.0), (220.0, 420.0, 200.0)]


@pytest.fixture
def webinar() -> Webinar:
    made = make_live(webinar=make_webinar(make_enrolment()))
    add_segments(made.broadcasts.get(), [(0.0, 100), (220.0, 100)])
    publish(made, spans=SPANS, at=at(500))
    return made


@pytest.fixture
def moderator(webinar: Webinar) -> User:
    user: User = RoleGrantFactory.create(programme=webinar.lesson.course.programme).user
    return user


@pytest.fixture
def client(moderator: User) -> Client:
    return signed_in(moderator)


def address(webinar: Webinar) -> str:
    return reverse("recording", args=(webinar.pk,))


def cuts_form(*rows: tuple[str, str, str], **more: str) -> dict[str, str]:
    data = {"do": "cuts", "cuts-TOTAL_FORMS": str(len(rows)), "cuts-INITIAL_FORMS": "0"}
    for number, (start, end, reason) in enumerate(rows):
        data |= {f"cuts-{number}-start": start, f"cuts-{number}-end": end, f"cuts-{number}-reason": reason}
    return data | more


def test_the_page_shows_the_uncut_recording_its_gaps_and_opens_its_files(client: Client, webinar: Webinar) -> None:
    response = client.get(address(webinar))
    page = response.content.decode()
    broadcast = Broadcast.objects.get()
    assert f"/media/videos/{broadcast.key}/live/master-full.m3u8" in page
    assert f"media_{broadcast.key}" in response.cookies
    assert "On air: 6:40 of 6:40." in page
    assert "3:20" in page
    assert "20 seconds are missing" in page


def test_cuts_are_saved_shown_again_and_undone(client: Client, webinar: Webinar, moderator: User) -> None:
    saved = client.post(address(webinar), cuts_form(("0:00", "0:30", "greeting"), ("", "", ""), ("1:00", "75", "")))
    assert saved.status_code == 302, saved.content.decode()
    assert list(Cut.objects.values_list("start", "end", "reason", "created_by")) == [
        (0.0, 30.0, "greeting", moderator.pk),
        (60.0, 75.0, "", moderator.pk),
    ]
    assert Edition.objects.latest("number").cuts == [[0, 30], [60, 75]]
    page = client.get(address(webinar)).content.decode()
    assert 'value="greeting"' in page
    assert "The recording is being put together." in page
    again = client.post(
        address(webinar), cuts_form(("0:00", "0:30", ""), ("1:00", "1:15", "")) | {"cuts-0-DELETE": "on"}
    )
    assert again.status_code == 302
    assert Edition.objects.latest("number").cuts == [[60, 75]]
    client.post(address(webinar), {"do": "undo"})
    assert Edition.objects.latest("number").cuts == []
    assert AuditEvent.objects.filter(action="recording.cut", actor=moderator).count() == 3


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        pytest.param([("soon", "0:30", "")], "Write a time like 1:02:03 or 4:30.", id="no time"),
        pytest.param([("0:30", "", "")], "This field is required.", id="half a cut"),
        pytest.param([("0:30", "0:10", "")], "A cut begins and ends within the recording", id="backwards"),
        pytest.param([("0:00", "6:35", "")], "At least ten seconds must be left.", id="nothing left"),
    ],
)
def test_what_cannot_be_is_said_and_kept_in_the_form(
    client: Client, webinar: Webinar, rows: list[tuple[str, str, str]], words: str
) -> None:
    response = client.post(address(webinar), cuts_form(*rows))
    assert response.status_code == 200
    assert words in response.content.decode()
    assert f'value="{rows[0][0]}"' in response.content.decode()
    assert not Cut.objects.exists()


def test_chapters_are_saved_and_played(client: Client, webinar: Webinar) -> None:
    data = {"do": "chapters", "chapters-TOTAL_FORMS": "3", "chapters-INITIAL_FORMS": "0"}
    data |= {
        "chapters-0-at": "0",
        "chapters-0-title": "Welcome",
        "chapters-1-at": "2:00",
        "chapters-1-title": "<b>Method",
    }
    assert client.post(address(webinar), data).status_code == 302
    assert list(Chapter.objects.values_list("at_seconds", "title")) == [(0.0, "Welcome"), (120.0, "<b>Method")]
    assert "&lt;b&gt;Method" in client.get(address(webinar)).content.decode()
    publish(webinar, spans=SPANS, cuts=((0, 60),))
    doctor = EnrolmentFactory.create(programme=webinar.lesson.course.programme).user
    playback = signed_in(doctor).get(f"/api/v1/webinars/{webinar.pk}/playback/").json()
    assert playback["chapters"] == [{"at": 0.0, "title": "Welcome"}, {"at": 60.0, "title": "<b>Method"}]
    data |= {"chapters-1-at": "0"}
    refused = client.post(address(webinar), data)
    assert "no two begin at the same time" in refused.content.decode()


def test_a_failed_recording_says_why_and_is_tried_again(client: Client, webinar: Webinar) -> None:
    Edition.objects.create(
        broadcast=Broadcast.objects.get(), number=2, attempts=3, problem="No space left on device", created_at=at(600)
    )
    page = client.get(address(webinar)).content.decode()
    assert "The recording could not be put together. No space left on device" in page
    client.post(address(webinar), {"do": "retry"})
    assert Edition.objects.latest("number").attempts == 0


def test_an_uploaded_lecture_has_chapters_only(client: Client, webinar: Webinar) -> None:
    lecture = make_webinar(make_enrolment())
    lecture.lesson.course = webinar.lesson.course
    lecture.lesson.position = 2
    lecture.lesson.save()
    page = client.get(address(lecture)).content.decode()
    assert "An uploaded lecture: chapters can be set here." in page
    assert "What nobody shall see" not in page


def test_only_who_moderates_the_webinar_comes_in(webinar: Webinar) -> None:
    programme = webinar.lesson.course.programme
    doctor = EnrolmentFactory.create(programme=programme).user
    elsewhere = RoleGrantFactory.create().user
    for user in (doctor, elsewhere):
        for send in (signed_in(user).get, signed_in(user).post):
            assert send(address(webinar), {"do": "undo"}).status_code in {302, 403, 404}
    assert Edition.objects.count() == 1
    assert Client().get(address(webinar)).status_code == 302
