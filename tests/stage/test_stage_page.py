"""The presenter's page: who may, what it shows, what its buttons do."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from accounts.enums import Role
from accounts.models import User
from courses.domain.roles import revoke_role
from tests.factories.accounts import UserFactory
from tests.factories.courses import EnrolmentFactory, RoleGrantFactory
from tests.factories.webinars import WebinarFactory
from tests.signing_in import signed_in
from tests.stage.pages import text_of
from webinars.domain.stage import figures_of, read_stage, steps_of
from webinars.enums import QuestionState, StreamProblem
from webinars.models import Broadcast, Presence, PublishSession, Question, StreamKey, StreamNotice, Webinar

pytestmark = pytest.mark.django_db
HEALTH = {
    "video_codec": "H.264", "audio_codec": "AAC", "width": 1280, "height": 720, "frame_rate": 30.0,
    "frame_rate_wanted": 30.0, "video_kbits": 1900, "audio_kbits": 128, "frames": 3000, "frames_dropped": 2,
    "key_frame_age": 1.2, "key_frame_interval": 2.0, "problems": [],
}  # fmt: skip


@pytest.fixture
def webinar() -> Webinar:
    made: Webinar = WebinarFactory.create(video=None, starts_at=now() + timedelta(minutes=5), lesson__title="IVF today")
    return made


@pytest.fixture
def presenter(webinar: Webinar) -> User:
    user: User = RoleGrantFactory.create(role=Role.PRESENTER, programme=webinar.lesson.course.programme).user
    webinar.presenters.add(user)
    return user


@pytest.fixture
def browser(presenter: User) -> Client:
    return signed_in(presenter)


def address(webinar: Webinar) -> str:
    return reverse("webinars:stage", args=(webinar.pk,))


def on_air(webinar: Webinar, presenter: User, *, rehearsal: bool = False, **health: Any) -> PublishSession:
    broadcast = Broadcast.objects.create(webinar=webinar, started_at=now(), epoch=now(), is_rehearsal=rehearsal)
    session: PublishSession = PublishSession.objects.create(
        broadcast=broadcast, presenter=presenter, number=1, started_at=now(), lease_until=now() + timedelta(minutes=1),
        health=HEALTH | health, reported_at=now(),
    )  # fmt: skip
    return session


class TestDoor:
    def test_only_presenters_and_staff_of_this_webinar_come_here(self, webinar: Webinar, browser: Client) -> None:
        programme = webinar.lesson.course.programme
        doctor = EnrolmentFactory.create(programme=programme).user
        other = RoleGrantFactory.create(role=Role.PRESENTER, programme=programme).user
        staff = RoleGrantFactory.create(programme=programme).user
        stranger = UserFactory.create()

        seen = [signed_in(one).get(address(webinar)).status_code for one in (doctor, other, staff, stranger)]

        assert (browser.get(address(webinar)).status_code, seen) == (200, [403, 403, 200, 404])

    def test_sec_19_whose_role_was_taken_back_comes_here_no_more_though_still_on_the_list(
        self, webinar: Webinar, browser: Client, presenter: User
    ) -> None:
        """With a place in the programme they watch as any doctor does."""
        EnrolmentFactory.create(user=presenter, programme=webinar.lesson.course.programme)
        api = f"/api/v1/webinars/{webinar.pk}/stage"
        doors = [address(webinar), f"{api}/questions/", f"{api}/polls/"]
        lecture = reverse("webinars:watch", args=(webinar.pk,))
        assert [browser.get(door).status_code for door in doors] == [200] * 3
        assert address(webinar) in browser.get(lecture).content.decode()

        revoke_role(grant=presenter.role_grants.get(), revoked_by=None, now=now())

        assert [browser.get(door).status_code for door in doors] == [403] * 3
        assert browser.post(address(webinar), {"do": "key"}).status_code == 403
        assert not StreamKey.objects.exists()
        page = browser.get(lecture)
        assert (page.status_code, address(webinar) in page.content.decode()) == (200, False)


class TestKey:
    def test_the_key_is_shown_once(self, webinar: Webinar, browser: Client) -> None:
        page = browser.post(address(webinar), {"do": "key"})
        key = StreamKey.objects.get()
        shown = page.content.decode()

        assert f'value="{webinar.pk}-' in shown
        assert page.headers["Cache-Control"].count("no-store") == 1
        later = browser.get(address(webinar)).content.decode()
        assert f'value="{webinar.pk}-' not in later
        assert key.ending in later

    def test_a_new_key_replaces_the_old_one_and_can_be_withdrawn(self, webinar: Webinar, browser: Client) -> None:
        browser.post(address(webinar), {"do": "key"})
        browser.post(address(webinar), {"do": "key"})
        assert StreamKey.objects.filter(revoked_at=None).count() == 1

        browser.post(address(webinar), {"do": "revoke"})

        assert StreamKey.objects.filter(revoked_at=None).count() == 0
        assert "Make a stream key" in text_of(browser.get(address(webinar)))


class TestBoard:
    def test_the_checklist_ticks_itself(self, webinar: Webinar, browser: Client, presenter: User) -> None:
        def done() -> list[bool]:
            context = browser.get(address(webinar)).context
            return [step.is_done for step in context["stage"].steps]

        assert done() == [False] * 6
        browser.post(address(webinar), {"do": "key"})
        assert done() == [True] + [False] * 5
        session = on_air(webinar, presenter, rehearsal=True, audio_codec="")
        assert done() == [True, True, True, False, True, False]
        PublishSession.objects.filter(pk=session.pk).update(health=HEALTH)
        browser.post(address(webinar), {"do": "seen"})
        assert done() == [True] * 6

    @pytest.mark.parametrize(
        ("problem", "bad"),
        [
            (StreamProblem.NO_VIDEO, {"Picture"}),
            (StreamProblem.NO_SOUND, {"Sound"}),
            (StreamProblem.BITRATE_TOO_HIGH, {"Bitrate"}),
            (StreamProblem.KEYFRAMES_RARE, {"Last key frame"}),
        ],
    )
    def test_what_is_wrong_is_marked(self, problem: StreamProblem, bad: set[str]) -> None:
        health = HEALTH | {"problems": [{"problem": problem.value, "detail": ""}]}

        assert {figure.name for figure in figures_of(health) if not figure.is_good} == bad
        assert not all(one.is_done for one in steps_of(health, has_key=True, is_connected=True, has_seen=True))

    def test_old_figures_are_not_shown_as_new(self, webinar: Webinar, presenter: User) -> None:
        session = on_air(webinar, presenter)
        PublishSession.objects.filter(pk=session.pk).update(reported_at=now() - timedelta(minutes=1))

        assert read_stage(webinar=webinar, presenter=presenter, seen="", now=now()).figures == ()

    def test_notices_say_what_to_do_and_go_when_it_is_mended(
        self, webinar: Webinar, browser: Client, presenter: User
    ) -> None:
        StreamNotice.objects.create(webinar=webinar, problem=StreamProblem.NO_SOUND, at=now() - timedelta(seconds=5))
        assert "Choose a microphone in the audio settings" in text_of(browser.get(address(webinar)))

        on_air(webinar, presenter)

        assert "There is no sound in the stream." not in text_of(browser.get(address(webinar)))

    def test_people_and_their_countries(self, webinar: Webinar, browser: Client) -> None:
        for process, countries in (("a", {"IN": 3, "KE": 1}), ("b", {"IN": 2})):
            people = sum(countries.values())
            Presence.objects.create(webinar=webinar, process=process, people=people, countries=countries, at=now())

        stage = browser.get(address(webinar)).context["stage"]

        assert stage.people.number == 6
        assert [(bar.label, bar.number) for bar in stage.countries] == [("India", 5), ("Kenya", 1)]

    def test_only_forwarded_questions_are_here_and_no_hidden_name(self, webinar: Webinar, browser: Client) -> None:
        asker = UserFactory.create(last_name="Secretname")
        common = {"webinar": webinar, "author": asker, "asked_at": now()}
        Question.objects.create(text="Not for you yet", **common)
        Question.objects.create(
            text="Raw words", edited_text="What about AMH?", is_anonymous=True, state=QuestionState.FORWARDED,
            forwarded_at=now(), **common,
        )  # fmt: skip

        text = text_of(browser.get(address(webinar)))

        assert "What about AMH?" in text
        for hidden in ("Not for you yet", "Raw words", "Secretname"):
            assert hidden not in text

    def test_a_part_comes_alone_and_renews_the_grant(self, webinar: Webinar, browser: Client, presenter: User) -> None:
        session = on_air(webinar, presenter)

        part = browser.get(address(webinar), {"part": "top"}, headers={"X-Fragment": "1"})

        assert "<html" not in part.content.decode()
        assert f"media_{session.broadcast.key}" in part.cookies


class TestButtons:
    def test_live_and_over(self, webinar: Webinar, browser: Client) -> None:
        browser.post(address(webinar), {"do": "live"})
        webinar.refresh_from_db()
        assert webinar.live_at is not None
        browser.post(address(webinar), {"do": "end"})
        webinar.refresh_from_db()
        assert webinar.ended_at is not None
        assert "This webinar is over." in text_of(browser.get(address(webinar)))

    def test_a_cancelled_webinar_does_not_go_live(self, webinar: Webinar, browser: Client) -> None:
        Webinar.objects.filter(pk=webinar.pk).update(cancelled_at=now())

        response = browser.post(address(webinar), {"do": "live"}, follow=True)

        assert "This webinar was cancelled." in text_of(response)

    def test_a_recorded_lecture_has_nothing_on_air(self, webinar: Webinar, browser: Client) -> None:
        Webinar.objects.filter(pk=webinar.pk).update(starts_at=None)

        text = text_of(browser.get(address(webinar)))

        assert "This is a recorded lecture" in text
        assert "This webinar is over." not in text

    def test_rehearsal_and_takeover_are_switches(self, webinar: Webinar, browser: Client) -> None:
        for name, field in (("rehearse", "is_rehearsal"), ("takeover", "allows_takeover")):
            for on in ("1", "0"):
                browser.post(address(webinar), {"do": name, "on": on})
                webinar.refresh_from_db()
                assert getattr(webinar, field) is (on == "1")

    def test_a_question_is_answered_on_air(self, webinar: Webinar, browser: Client, presenter: User) -> None:
        Webinar.objects.filter(pk=webinar.pk).update(live_at=now(), starts_at=now())
        on_air(webinar, presenter)
        question = Question.objects.create(
            webinar=webinar, author=UserFactory.create(), text="Dose?", asked_at=now(), forwarded_at=now(),
            state=QuestionState.FORWARDED,
        )  # fmt: skip

        part = browser.post(
            f"{address(webinar)}?part=side", {"do": "answer", "question": question.pk}, headers={"X-Fragment": "1"}
        )

        question.refresh_from_db()
        assert (part.status_code, question.is_answered_live) == (200, True)
        assert "I am answering this now" not in part.content.decode()

    def test_a_get_and_an_unknown_button_change_nothing(self, webinar: Webinar, browser: Client) -> None:
        before = Webinar.objects.values().get(pk=webinar.pk)

        browser.get(f"{address(webinar)}?do=live")
        browser.post(address(webinar), {"do": "explode"})

        assert Webinar.objects.values().get(pk=webinar.pk) == before
