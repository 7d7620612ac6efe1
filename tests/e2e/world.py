"""What the browser tests find on the site: doctors, courses, and lectures that were really transcoded.

Run as `python -m tests.e2e.world <doctor> …` with the site's environment; prints one JSON object. A process of its own,
because Playwright's event loop and Django's database do not live in one thread.
"""

import json
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

LENGTH_SECONDS = 60
CAPTIONS = b"WEBVTT\n\n00:00:00.000 --> 00:01:00.000\nThe captions of the lecture\n"


def main() -> None:
    import django

    django.setup()
    print(json.dumps(build(sys.argv[1:])))


def build(doctors: list[str]) -> dict[str, Any]:
    from django.utils.timezone import now

    from tests.e2e.assessments_world import build_assessments
    from tests.e2e.certificates_world import build_certificates
    from tests.e2e.credits_world import build_credits
    from tests.e2e.disclosures_world import build_disclosures
    from tests.e2e.marking_world import build_marking
    from tests.e2e.messages_world import build_messages
    from tests.e2e.reports_world import build_reports
    from tests.e2e.stage_world import build_stage
    from tests.factories.courses import CourseFactory, LessonFactory, ProgrammeFactory
    from tests.factories.webinars import WebinarFactory

    lecture = make_lecture()
    programme = ProgrammeFactory.create(slug="fertility", title="Fertility 2026", summary="Ten courses in one year.")
    course = CourseFactory.create(programme=programme, title="Endometriosis and fertility", summary="Two lectures.")
    locked = CourseFactory.create(programme=programme, title="Fertility preservation in oncology")
    locked.prerequisites.add(course)
    lessons = {
        "lecture": LessonFactory.create(course=course, title="Endometriosis: what the evidence says", summary=SUMMARY),
        "second": LessonFactory.create(course=course, title="Surgery before IVF", is_required=False),
        "preparing": LessonFactory.create(course=course, title="The next recording", is_required=False),
        "later": LessonFactory.create(
            course=course, title="Case discussion", is_required=False, opens_at=now() + timedelta(days=5)
        ),
        "closed": LessonFactory.create(
            course=course, title="Opening ceremony", is_required=False, closes_at=now() - timedelta(days=5)
        ),
        "locked": LessonFactory.create(course=locked, title="Cryopreservation"),
    }
    webinars = {
        name: WebinarFactory.create(lesson=lesson, video=None if name == "preparing" else lecture)
        for name, lesson in lessons.items()
    }
    presenter = make_person("presenter", "Ana", "Ribeiro")
    for webinar in webinars.values():
        webinar.presenters.add(presenter)
    people = {name: enrol_doctor(name, programme) for name in doctors}
    if "ring" in people:
        watch_almost_all(people["ring"], webinars["lecture"])
    if "guarded" in people:
        people["guarded"] |= guard(people["guarded"])
    stage = build_stage()
    assessments = build_assessments(course, people.get("axe"))
    disclosures = build_disclosures(lecture)
    return {
        "certificates": build_certificates(programme, people.get("axe")),
        "assessments": assessments,
        "credits": build_credits(people),
        "disclosures": disclosures,
        "reports": build_reports(),
        "marking": build_marking(),
        "messages": build_messages(programme, people.get("axe")),
        "stage": stage,
        "office": one_of_each(presenter, programme, lecture),
        "webinars": {name: webinar.pk for name, webinar in webinars.items()},
        "programme": programme.slug,
        "doctors": people,
    }


def watch_almost_all(doctor: dict[str, str], webinar: Any) -> None:
    """Two seconds short of what completes the lecture, an hour ago."""
    from django.utils.timezone import now

    from accounts.models import User
    from tests.factories.webinars import WatchRecordFactory

    then = now() - timedelta(hours=1)
    WatchRecordFactory.create(
        user=User.objects.get(pk=doctor["id"]),
        webinar=webinar,
        coverage=((0, 52),),
        required_seconds=54,
        clock=((then, then + timedelta(minutes=1)),),
        first_beat_at=then,
        last_beat_at=then + timedelta(minutes=1),
    )


def guard(doctor: dict[str, str]) -> dict[str, str]:
    """With everything that can stand behind the second step: a password, an app, recovery codes and a passkey."""
    from allauth.mfa.models import Authenticator
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    from accounts.models import User
    from tests.matrix.passkeys import credential

    user = User.objects.get(pk=doctor["id"])
    user.set_password(PASSWORD)
    user.save()
    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    RecoveryCodes.activate(user)
    data = {"name": "Laptop of the ward", "passwordless": True, "credential": credential("localhost")}
    passkey = Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data=data)
    return {"password": PASSWORD, "totp": secret, "passkey": str(passkey.pk)}


def one_of_each(person: Any, programme: Any, lecture: Any) -> dict[str, str]:
    """An id for every model in the admin, so that each form has something to show. A model without any is an error."""
    from django.contrib import admin
    from django.utils.timezone import now

    from accounts.domain.audit import record
    from accounts.domain.invitations import invite
    from accounts.enums import Role
    from assessments.domain.analysis.report import make_report
    from assessments.models import Attempt, Board, Item, Quiz
    from media.domain.captions import set_caption
    from operations.models import Incident
    from reminders.domain.builtin_words import built_in_set
    from reminders.domain.consent import choose
    from reminders.enums import Channel, ConsentSource, DeliveryState
    from reminders.models import MessagePolicy
    from tests.factories.courses import CohortFactory, RoleGrantFactory
    from tests.reminders.factories import (
        CampaignFactory,
        DeliveryFactory,
        JourneyFactory,
        MessagePolicyFactory,
        suppressed,
    )
    from webinars.models import CannedReply, Webinar

    invite(user=person, created_by=person, now=now())
    record("person.viewed", actor=person, subject=person, now=now())
    RoleGrantFactory.create(user=person, role=Role.PRESENTER, programme=programme)
    CohortFactory.create(programme=programme)
    set_caption(video=lecture, language="fr", label="Français", data=CAPTIONS, now=now())
    CannedReply.objects.create(programme=programme, title="Slides", text="The slides are on the course page.")
    topic = Board.objects.create(title="Fellowship in reproductive medicine").topics.create(code="1", title="Ovulation")
    Item.objects.earliest("pk").topics.add(topic)
    make_report(quiz=Quiz.objects.filter(attempts__counts=True).earliest("pk"), now=now())
    began = now() - timedelta(days=2)  # over: nothing of it stands on other pages
    words = built_in_set()
    if not MessagePolicy.objects.filter(programme=programme).exists():  # off: nothing is sent meanwhile
        MessagePolicyFactory.create(programme=programme, template_set=words, is_on=False)
        JourneyFactory.create(programme=programme)
    CampaignFactory.create(programme=programme, title="News of the programme", path="/programmes/", made_at=now())
    DeliveryFactory.create(programme=programme, user=person, state=DeliveryState.SENT)
    choose(user_id=person.pk, choices={Channel.SMS: True}, source=ConsentSource.PROFILE, now=now())
    suppressed(Channel.EMAIL, "gone@example.org")
    Incident.objects.create(title="Videos were slow.", started_at=began, ended_at=began + timedelta(hours=1))
    ids = {"webinars.desk": str(Webinar.objects.filter(starts_at__isnull=False).earliest("pk").pk)}
    admin.autodiscover()
    for model in admin.site._registry:
        row = model._default_manager.order_by("pk").first()
        if row is None:
            raise RuntimeError(f"No {model._meta.label}: make one here, or its pages are not looked at.")
        ids[model._meta.label_lower] = str(row.pk)
    attempt = Attempt.objects.order_by("submitted_at", "pk").last()  # an open one comes last
    if attempt is None:
        raise RuntimeError("No attempt: make one here, or the pages of running a test are not looked at.")
    return ids | {
        "assessments.attempt": str(attempt.pk),
        "assessments.quiz": str(attempt.quiz_id),
        "assessments.doctor": str(attempt.user_id),
    }


PASSWORD = "four unrelated quiet words"
SUMMARY = "What we know, what we believe, and what to tell the patient in front of you. With two cases."


def make_person(name: str, first: str, last: str) -> Any:
    from tests.factories.accounts import UserFactory

    return UserFactory.create(
        email=f"{name}@example.org",
        first_name=first,
        last_name=last,
        specialty="Gynaecology",
        medical_council="KMC",
        registration_number="48213",
        timezone="UTC",
    )


def enrol_doctor(name: str, programme: Any) -> dict[str, str]:
    """With two browsers that are signed in already: a laptop and a phone."""
    from django.conf import settings

    from accounts.enums import Role
    from tests.factories.courses import EnrolmentFactory, RoleGrantFactory
    from tests.signing_in import signed_in

    person = make_person(name, "Meera", "Nair")
    if name == "rtl":
        person.language = "ar"
        person.save()
    EnrolmentFactory.create(user=person, programme=programme)
    if name == "office":
        RoleGrantFactory.create(user=person, role=Role.OPERATOR, programme=None)
    cookie = settings.SESSION_COOKIE_NAME
    return {
        "id": str(person.pk),
        "email": person.email,
        "laptop": signed_in(person).cookies[cookie].value,
        "phone": signed_in(person).cookies[cookie].value,
    }


def make_lecture() -> Any:
    """A minute of moving test picture with a tone, through the pipeline of the site."""
    from django.utils.timezone import now

    from media.domain.captions import set_caption
    from media.domain.transcoding import transcode_video
    from media.domain.videos import store_source
    from media.ffmpeg.binary import ffmpeg_path

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lecture.mp4"
        source = f"testsrc2=size=640x360:rate=10:duration={LENGTH_SECONDS}"
        tone = f"sine=frequency=330:duration={LENGTH_SECONDS}"
        command = [ffmpeg_path(), "-v", "error", "-f", "lavfi", "-i", source, "-f", "lavfi", "-i", tone]
        command += ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", str(path)]
        subprocess.run(command, check=True)
        video = store_source(path=path, title="Endometriosis", created_by=None, now=now())
    if not transcode_video(video_id=video.pk):
        video.refresh_from_db()
        raise RuntimeError(f"The lecture was not prepared: {video.error_message}")
    video.refresh_from_db()
    set_caption(video=video, language="en", label="English", data=CAPTIONS, now=now())
    return video


if __name__ == "__main__":
    main()
