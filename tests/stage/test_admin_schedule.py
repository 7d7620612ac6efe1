"""Planning webinars in the admin: in the programme's zone, through the domain, in plain words."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from accounts.enums import Role
from accounts.models import AuditEvent
from courses.domain import lesson_kinds
from courses.models import Programme
from tests.factories.accounts import UserFactory
from tests.factories.courses import CourseFactory, LessonFactory, ProgrammeFactory, RoleGrantFactory
from tests.factories.webinars import WebinarFactory
from tests.pages.html import Page
from tests.signing_in import signed_in
from webinars.domain.lessons import WebinarLessons
from webinars.domain.registrations import register
from webinars.domain.scheduling import SchedulingError, save_schedule
from webinars.enums import EventKind, IngestKind, RecordingPolicy
from webinars.models import Broadcast, RoomEvent, Webinar

pytestmark = pytest.mark.django_db
YEAR = now().year + 2
NOON = datetime(YEAR, 1, 15, 12, 0, tzinfo=UTC)
SUBMITTED = {"_form_submitted": "on"}
BEFORE = NOON - timedelta(days=30)


@pytest.fixture
def programme() -> Programme:
    made: Programme = ProgrammeFactory.create(timezone="Europe/Berlin")
    return made


@pytest.fixture
def webinar(programme: Programme) -> Webinar:
    lesson = LessonFactory.create(course=CourseFactory.create(programme=programme), title="Endometriosis")
    made: Webinar = WebinarFactory.create(lesson=lesson, video=None)
    return made


@pytest.fixture
def moderator(programme: Programme) -> Client:
    return signed_in(RoleGrantFactory.create(programme=programme, user__timezone="Asia/Kolkata").user)


def change(webinar: Webinar) -> str:
    return reverse("admin:webinars_webinar_change", args=(webinar.pk,))


def filled(**given: Any) -> dict[str, Any]:
    return {
        "starts_at_0": f"{YEAR}-01-15", "starts_at_1": "13:00:00", "planned_minutes": 60, "doors_minutes": 20,
        "capacity": "", "ingest": "rtmp", "external_url": "", "recording_policy": "automatic", "followup_days": 7,
        "recording_opens_at_0": "", "recording_opens_at_1": "",
    } | given  # fmt: skip


def told(response: Any) -> list[str]:
    return [str(one) for one in get_messages(response.wsgi_request)]


class TestPlanning:
    def test_the_start_is_typed_in_the_programmes_zone_and_shown_on_the_own_clock(
        self, moderator: Client, webinar: Webinar
    ) -> None:
        response = moderator.post(change(webinar), filled())

        webinar.refresh_from_db()
        assert response.status_code == 302, response.context["adminform"].form.errors
        assert webinar.starts_at == NOON
        page = moderator.get(change(webinar)).content.decode()
        assert "home time zone: Europe/Berlin" in page
        assert f"On your own clock it starts 15 Jan {YEAR}, 17:30 IST." in page

    @pytest.mark.parametrize("name", ["is_rehearsal", "allows_takeover"])
    def test_a_page_that_was_open_for_long_switches_nothing_back(
        self, moderator: Client, webinar: Webinar, name: str
    ) -> None:
        """What the page says it showed when it was opened stands in hidden fields; presenters switch on their stage."""
        Webinar.objects.filter(pk=webinar.pk).update(starts_at=NOON, **{name: True})
        shown = Page(moderator.get(change(webinar)).content.decode())
        hidden = [one.attrs for one in shown.all("input") if one.attrs.get("name") == f"initial-{name}"]
        assert [one["value"] for one in hidden] == ["True"]
        stale = {f"initial-{name}": "True", name: "on"}

        Webinar.objects.filter(pk=webinar.pk).update(**{name: False})
        assert moderator.post(change(webinar), filled(planned_minutes=75, **stale)).status_code == 302
        webinar.refresh_from_db()
        assert (webinar.planned_minutes, getattr(webinar, name)) == (75, False)

        fresh = {f"initial-{name}": "False", name: "on"}
        assert moderator.post(change(webinar), filled(planned_minutes=75, **fresh)).status_code == 302
        webinar.refresh_from_db()
        assert getattr(webinar, name) is True

    def test_a_start_in_the_past_is_refused_beside_the_field(self, moderator: Client, webinar: Webinar) -> None:
        response = moderator.post(change(webinar), filled(starts_at_0="2020-01-15"))

        assert response.status_code == 200
        assert response.context["adminform"].form.errors == {"starts_at": ["This start lies in the past."]}
        webinar.refresh_from_db()
        assert webinar.starts_at is None

    def test_another_programme_does_not_exist_here(self, webinar: Webinar) -> None:
        elsewhere = signed_in(RoleGrantFactory.create().user)

        assert elsewhere.get(change(webinar)).status_code == 302
        assert elsewhere.post(change(webinar), filled()).status_code == 302
        webinar.refresh_from_db()
        assert webinar.starts_at is None

    def test_only_people_of_the_programme_are_offered(
        self, moderator: Client, webinar: Webinar, programme: Programme
    ) -> None:
        ours = RoleGrantFactory.create(programme=programme, role=Role.PRESENTER).user
        RoleGrantFactory.create(role=Role.PRESENTER)
        UserFactory.create()

        form = moderator.get(change(webinar)).context["adminform"].form

        assert list(form.fields["presenters"].queryset) == [ours]

    def test_a_second_webinar_of_a_presenter_at_that_time_is_a_warning(
        self, moderator: Client, webinar: Webinar, programme: Programme
    ) -> None:
        speaker = RoleGrantFactory.create(programme=programme, role=Role.PRESENTER).user
        other = WebinarFactory.create(starts_at=NOON + timedelta(minutes=30), lesson__title="Surgery")
        other.presenters.add(speaker)

        response = moderator.post(change(webinar), filled(presenters=[speaker.pk]))

        assert any("also presents “Surgery” at that time" in one for one in told(response))
        webinar.refresh_from_db()
        assert webinar.starts_at == NOON

    def test_the_list_shows_what_is_coming_in_a_fixed_number_of_queries(
        self, moderator: Client, programme: Programme, django_assert_max_num_queries: Any
    ) -> None:
        course = CourseFactory.create(programme=programme)
        address = reverse("admin:webinars_webinar_changelist")

        def add(title: str, **given: Any) -> None:
            WebinarFactory.create(lesson=LessonFactory.create(course=course, title=title), video=None, **given)

        add("Coming", starts_at=now() + timedelta(days=2))
        add("Over", starts_at=NOON, live_at=NOON, ended_at=NOON + timedelta(hours=1))
        add("Recorded")
        counts = []
        for title in ("", "Second", "Third"):
            if title:
                add(title, starts_at=now() + timedelta(days=3))
            with django_assert_max_num_queries(30) as counted:
                moderator.get(address)
            counts.append(len(counted.captured_queries))

        shown = moderator.get(address).context["cl"].result_list
        assert sorted(one.lesson.title for one in shown) == ["Coming", "Second", "Third"]
        assert len(set(counts)) == 1


class TestButtons:
    def test_cancelling_asks_why_and_is_recorded(self, moderator: Client, webinar: Webinar) -> None:
        Webinar.objects.filter(pk=webinar.pk).update(starts_at=now() + timedelta(days=1))
        address = reverse("admin:webinars_webinar_cancel", args=(webinar.pk,))

        assert "Why?" in moderator.get(address).content.decode()
        assert moderator.post(address, {**SUBMITTED, "reason": ""}).status_code == 200
        moderator.post(address, {**SUBMITTED, "reason": "The speaker is ill."})

        webinar.refresh_from_db()
        assert webinar.cancelled_at is not None
        assert AuditEvent.objects.get(action="webinar.cancelled").details == {"reason": "The speaker is ill."}

    def test_going_live_ending_and_releasing(self, moderator: Client, webinar: Webinar) -> None:
        Webinar.objects.filter(pk=webinar.pk).update(starts_at=now(), recording_policy=RecordingPolicy.ON_RELEASE)
        for name in ("go_live", "end", "release"):
            moderator.post(reverse(f"admin:webinars_webinar_{name}", args=(webinar.pk,)), SUBMITTED)

        webinar.refresh_from_db()
        assert None not in {webinar.live_at, webinar.ended_at, webinar.recording_opens_at}
        states = RoomEvent.objects.filter(kind=EventKind.STATE).order_by("number").values_list("payload", flat=True)
        assert [one["state"] for one in states] == ["live", "ended", "ended"]

    def test_what_is_too_late_is_told(self, moderator: Client, webinar: Webinar) -> None:
        Webinar.objects.filter(pk=webinar.pk).update(starts_at=now(), cancelled_at=now())

        response = moderator.post(reverse("admin:webinars_webinar_go_live", args=(webinar.pk,)), SUBMITTED)

        assert told(response) == ["This webinar was cancelled."]

    def test_a_get_changes_nothing(self, moderator: Client, webinar: Webinar) -> None:
        Webinar.objects.filter(pk=webinar.pk).update(starts_at=now())

        moderator.get(reverse("admin:webinars_webinar_go_live", args=(webinar.pk,)))

        webinar.refresh_from_db()
        assert webinar.live_at is None


class TestRules:
    def save(self, webinar: Webinar, **given: Any) -> list[str]:
        changed = Webinar.objects.get(pk=webinar.pk)
        for name, value in given.items():
            setattr(changed, name, value)
        return save_schedule(webinar=changed, actor=None, now=BEFORE)

    def test_moving_the_date_tells_open_pages_and_is_recorded(self, webinar: Webinar) -> None:
        self.save(webinar, starts_at=NOON)
        self.save(webinar, starts_at=NOON + timedelta(hours=1))
        self.save(webinar, starts_at=NOON + timedelta(hours=1))

        assert RoomEvent.objects.filter(webinar=webinar, kind=EventKind.STATE).count() == 2
        moved = AuditEvent.objects.filter(action="webinar.scheduled").order_by("-pk")[0]
        assert moved.details == {"starts_at": (NOON + timedelta(hours=1)).isoformat()}

    @pytest.mark.parametrize(
        ("stored", "given", "field"),
        [
            ({}, {"starts_at": BEFORE - timedelta(hours=1)}, "starts_at"),
            ({"starts_at": NOON, "live_at": NOON}, {"starts_at": NOON + timedelta(days=1)}, "starts_at"),
            ({"starts_at": NOON, "cancelled_at": BEFORE}, {"starts_at": NOON + timedelta(days=1)}, "starts_at"),
            ({"starts_at": NOON, "live_at": NOON}, {"ingest": IngestKind.IVS}, "ingest"),
            ({"starts_at": NOON}, {"ingest": IngestKind.EXTERNAL}, "external_url"),
            ({"starts_at": NOON}, {"recording_policy": RecordingPolicy.AT_DATE}, "recording_opens_at"),
            ({"starts_at": NOON, "live_at": NOON}, {"is_rehearsal": True}, "is_rehearsal"),
            ({}, {"is_rehearsal": True}, "is_rehearsal"),
        ],
    )
    def test_nonsense_is_refused(
        self, webinar: Webinar, stored: dict[str, Any], given: dict[str, Any], field: str
    ) -> None:
        Webinar.objects.filter(pk=webinar.pk).update(**stored)

        with pytest.raises(SchedulingError) as refused:
            self.save(webinar, **given)

        assert list(refused.value.problems) == [field]

    def test_places_cannot_fall_below_the_registered(self, webinar: Webinar) -> None:
        self.save(webinar, starts_at=NOON)
        for _ in range(2):
            register(webinar=webinar, user=UserFactory.create(), now=BEFORE)

        with pytest.raises(SchedulingError) as refused:
            self.save(webinar, capacity=1)

        assert refused.value.problems == {"capacity": "2 doctors have registered: there cannot be fewer places."}

    def test_the_date_stays_once_doctors_have_registered(self, webinar: Webinar) -> None:
        self.save(webinar, starts_at=NOON)
        register(webinar=webinar, user=UserFactory.create(), now=BEFORE)

        with pytest.raises(SchedulingError):
            self.save(webinar, starts_at=None)

    def test_switching_a_rehearsal_off_ends_it(self, webinar: Webinar) -> None:
        self.save(webinar, starts_at=NOON)
        self.save(webinar, is_rehearsal=True)
        Broadcast.objects.create(webinar=webinar, is_rehearsal=True, started_at=BEFORE)

        self.save(webinar, is_rehearsal=False)

        assert Broadcast.objects.get().ended_at == BEFORE


class TestLessons:
    def test_a_planned_webinar_needs_no_video_before(self, webinar: Webinar) -> None:
        lesson = webinar.lesson
        assert lesson_kinds.problems_of(lessons=[lesson]) == {lesson.pk: "no video is chosen yet."}
        Webinar.objects.filter(pk=webinar.pk).update(starts_at=NOON)
        assert lesson_kinds.problems_of(lessons=[lesson]) == {}
        Webinar.objects.filter(pk=webinar.pk).update(cancelled_at=BEFORE)
        assert lesson_kinds.problems_of(lessons=[lesson]) == {
            lesson.pk: "its live webinar was cancelled, and it has no video."
        }

    def test_a_copy_has_the_settings_and_people_but_not_the_dates(self, webinar: Webinar) -> None:
        moderator, presenter = UserFactory.create(), UserFactory.create()
        webinar.moderators.add(moderator)
        webinar.presenters.add(presenter)
        Webinar.objects.filter(pk=webinar.pk).update(
            starts_at=NOON, planned_minutes=45, doors_minutes=10, capacity=300, needs_registration=True,
            allows_takeover=True, recording_policy=RecordingPolicy.AT_DATE, recording_opens_at=NOON, is_rehearsal=True,
        )  # fmt: skip
        target = LessonFactory.create(course=webinar.lesson.course)

        WebinarLessons().copy(source=webinar.lesson, target=target, now=BEFORE)

        copy = Webinar.objects.get(lesson=target)
        assert (copy.planned_minutes, copy.doors_minutes, copy.capacity) == (45, 10, 300)
        assert (copy.needs_registration, copy.allows_takeover) == (True, True)
        assert (copy.starts_at, copy.recording_opens_at, copy.is_rehearsal) == (None, None, False)
        assert copy.recording_policy == RecordingPolicy.ON_RELEASE
        assert (list(copy.moderators.all()), list(copy.presenters.all())) == ([moderator], [presenter])
