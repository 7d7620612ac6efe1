"""The demonstration, loaded once for all tests of this module: drawing its lectures costs seconds."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone

from accounts.domain import invitations
from accounts.enums import OFFICE_ROLES, Role
from accounts.models import User
from assessments.domain.evaluation_forms import ready_form
from assessments.models import Evaluation
from courses import rules
from courses.domain.queries import outline_of
from courses.enums import EnrolmentStatus, LessonKind
from courses.models import CourseCompletion, Enrolment, LessonCompletion, Programme
from lms.demo import people, programmes
from media.enums import VideoStatus
from media.ffmpeg.probe import probe
from media.models import Video
from media.storages import media_storage
from tests.signing_in import signed_in
from webinars.domain.schedule import state_of
from webinars.enums import WebinarState
from webinars.models import WatchRecord, Webinar

MEERA = "meera.nair@rounds.example"


@dataclass
class Loaded:
    text: str
    var: Path


@pytest.fixture(scope="module")
def demo(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """One transaction around everything keeps it out of the other modules' database."""
    var = tmp_path_factory.mktemp("demo")
    with django_db_blocker.unblock(), override_settings(VAR_DIR=var):
        around = transaction.atomic()
        around.__enter__()
        try:
            out = StringIO()
            call_command("demo", stdout=out)
            yield Loaded(out.getvalue(), var)
        finally:
            transaction.set_rollback(True)
            around.__exit__(None, None, None)


def fertility() -> Programme:
    found: Programme = Programme.objects.get(slug=programmes.SLUG)
    return found


pytestmark = pytest.mark.django_db


def test_ten_courses_of_which_some_are_still_to_come(demo: Loaded) -> None:
    outline = outline_of(programme=fertility(), user_id=None, enrolment=None, now=timezone.now())
    states = [str(one.availability.state) for one in outline.courses]
    assert states == ["open"] * 6 + ["locked"] + ["not_yet"] * 3 + ["open"]
    assert [one.course.title for one in outline.courses][3] == "Endometriosis and fertility"
    assert (outline.needed, outline.done) == (10, 0)
    assert [one.course.required_count for one in outline.courses if one.course.required_count] == [1]


def test_one_webinar_has_its_doors_open_and_one_is_tomorrow(demo: Loaded) -> None:
    """So that `manage.py broadcast` can be tried at once."""
    now = timezone.now()
    found = Webinar.objects.filter(starts_at__isnull=False, ended_at=None).select_related("video").order_by("starts_at")
    assert [state_of(one, now=now) for one in found] == [WebinarState.DOORS_OPEN, WebinarState.SCHEDULED]
    client = signed_in(User.objects.get(email=MEERA))
    pages = [client.get(reverse("webinars:watch", args=[one.pk])).content.decode() for one in found]
    assert "You are in the right place." in pages[0]
    assert "Add to my calendar" in pages[1]


def test_the_doctors_are_at_different_places_by_the_engines_own_account(demo: Loaded) -> None:
    """What a doctor completed follows from what they watched: nothing was written past the watch engine."""
    reached = set(WatchRecord.objects.exclude(reached_at=None).values_list("user", "webinar__lesson"))
    lectures = LessonCompletion.objects.filter(lesson__kind=LessonKind.WEBINAR)
    assert reached == set(lectures.values_list("user", "lesson"))
    records = WatchRecord.objects.filter(reached_at=None)
    assert all(0 < one.seen_seconds < one.required_seconds for one in records)
    done = {one.email: CourseCompletion.objects.filter(user__email=one.email).count() for one in people.DOCTORS}
    assert done[MEERA] == 5
    assert sorted(done.values()) == [0, 0, 0, 1, 2, 2, 2, 2, 5, 5, 6, 7]


def test_the_doctor_half_way_can_continue_in_the_middle_with_a_gap_behind_her(demo: Loaded) -> None:
    record = WatchRecord.objects.get(user__email=MEERA, webinar__lesson__title__startswith="Endometriosis")
    assert record.position_seconds == 84
    assert record.coverage == ((0, 42), (62, 84))


def test_everybody_lives_somewhere_and_speaks_something(demo: Loaded) -> None:
    doctors = User.objects.filter(enrolments__programme=fertility())
    assert doctors.count() == len(people.DOCTORS) == 12
    assert len(set(doctors.values_list("timezone", flat=True))) == 12
    assert len(set(doctors.values_list("country", flat=True))) == 12
    assert set(doctors.values_list("language", flat=True)) == {"en", "fr", "es", "pt", "ar"}
    for user in doctors:
        ZoneInfo(user.timezone)


def test_every_role_is_there_and_only_staff_and_auditors_enter_the_admin(demo: Loaded) -> None:
    roles = {one.email: one.role for one in (*people.STAFF, people.OTHER_MODERATOR)}
    assert set(roles.values()) == set(Role.values) - {Role.DOCTOR}
    staff = {email for email, role in roles.items() if role in OFFICE_ROLES}
    assert set(User.objects.filter(is_staff=True).values_list("email", flat=True)) == staff
    assert set(Authenticator.objects.values_list("user__email", flat=True)) == staff


def test_a_lecture_has_a_feedback_form_about_it(demo: Loaded) -> None:
    evaluation = Evaluation.objects.get()

    assert evaluation.form == ready_form()
    assert evaluation.about is not None
    assert (evaluation.about.kind, evaluation.about.course) == (LessonKind.WEBINAR, evaluation.lesson.course)


def test_the_other_programme_is_a_world_of_its_own(demo: Loaded) -> None:
    other = User.objects.get(email=people.OTHER_DOCTOR.email)
    assert [one.slug for one in rules.programmes_for(other)] == [programmes.OTHER_SLUG]
    assert [one.slug for one in rules.programmes_for(User.objects.get(email=MEERA))] == [programmes.SLUG]
    moderator = User.objects.get(email="nadia.rahman@rounds.example")
    assert [one.slug for one in rules.programmes_staffed_by(moderator)] == [programmes.SLUG]


def test_the_printed_password_and_codes_open_the_doors(demo: Loaded) -> None:
    (password,) = re.findall(r"with the password  (\S+)  for", demo.text)
    codes = StringIO()
    call_command("demo", "--codes", stdout=codes)
    lines = dict(line.split() for line in codes.getvalue().splitlines())
    for email in (MEERA, "sam.whitfield@rounds.example", "claire.dubois@rounds.example"):
        assert User.objects.get(email=email).check_password(password)
        assert email in demo.text
    for email, code in lines.items():
        assert TOTP(Authenticator.objects.get(user__email=email)).validate_code(code)
    assert set(lines) == {one.email for one in (*people.STAFF, people.OTHER_MODERATOR) if one.role in OFFICE_ROLES}


def test_the_one_tap_link_is_of_the_invited_doctor_and_opens_her_programme(demo: Loaded) -> None:
    (token,) = re.findall(r"/invitation/([^/\s]+)/", demo.text)
    invited = invitations.find(token=token, now=timezone.now()).user
    assert invited.email == "piotr.kowalski@rounds.example"
    assert Enrolment.objects.get(user=invited).status == EnrolmentStatus.INVITED


def test_the_sign_ins_are_kept_for_this_user_only(demo: Loaded) -> None:
    path = demo.var / "demo-sign-ins.txt"
    assert path.read_text() in demo.text
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_lectures_wait_for_the_worker_with_the_likely_ones_first(demo: Loaded) -> None:
    videos = list(Video.objects.order_by("pk"))
    assert {one.status for one in videos} == {VideoStatus.QUEUED}
    assert len(videos) == 8
    assert {one.title.split(":")[0] for one in videos[:3]} == {
        "Endometriosis and fertility", "Ovarian reserve", "Male factor",
    }  # fmt: skip
    for video in videos:
        source = probe(Path(media_storage().path(video.source_key)), max_seconds=3600)
        assert (source.width, source.height, source.has_audio) == (1280, 720, True)
        assert source.duration_seconds == pytest.approx(210, abs=0.5)


@pytest.mark.parametrize("path", ["/", "/programmes/", f"/programmes/{programmes.SLUG}/"])
def test_the_doctors_pages_show_it(demo: Loaded, path: str) -> None:
    page = signed_in(User.objects.get(email=MEERA)).get(path)
    assert page.status_code == 200
    assert "Fertility 2026" in page.content.decode()
    assert "Menopause" not in page.content.decode()


def test_the_operators_overview_shows_what_is_left_to_do(demo: Loaded) -> None:
    operator = User.objects.get(email="sam.whitfield@rounds.example")
    notices = signed_in(operator).get(reverse("admin:index")).context["notices"]
    assert [one.title for one in notices] == [
        "3 lessons still need their video",
        "1 invited doctor has not signed in for a week",
        "1 course is a draft",
    ]


def test_a_second_time_it_only_tells_the_sign_ins_again(demo: Loaded) -> None:
    before = {model: model.objects.count() for model in (User, Programme, Enrolment, Video, WatchRecord)}
    out = StringIO()
    call_command("demo", "--into-existing", stdout=out)
    assert (demo.var / "demo-sign-ins.txt").read_text() in out.getvalue()
    assert {model: model.objects.count() for model in before} == before


def test_it_refuses_in_production(settings: Any) -> None:
    settings.PRODUCTION = True
    for options in ([], ["--codes"], ["--into-existing"]):
        with pytest.raises(CommandError, match="not for production"):
            call_command("demo", *options)
