"""Real objects for every route, all of one programme, and one person for every role in and outside of it.

So every number and token that is tried does exist: a 404 means "not for you", never "no such row".
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.cached_db import SessionStore
from django.core.files.base import ContentFile
from django.core.mail import EmailMessage
from django.db import models
from django.test import Client
from django.utils.timezone import now
from PIL import Image

from accounts.domain.audit import record
from accounts.domain.invitations import invite
from accounts.domain.message_links import MessageLink, keep_links
from accounts.domain.secrets import hash_token
from accounts.enums import Role
from accounts.models import Device, SignInRequest, User
from assessments.domain.images import add_image
from assessments.domain.saving import save_answer
from assessments.domain.starting import start_attempt
from assessments.domain.submitting import submit
from assessments.enums import EndedBy
from assessments.models import AnalysisReport, Answer, Bank, Board, Item, ItemImage, Quiz
from certification.domain.issuing import issue
from certification.domain.sheets import refresh_sheet
from certification.models import Claim, DisclosureRequest, EvidencePack, LedgerEntry
from courses.domain.people_imports import receive
from courses.enums import LessonKind
from courses.models import Course, Programme
from lms.dev_mail import FolderBackend
from media.models import Upload
from media.storages import media_storage
from operations.models import Incident
from reminders.domain.builtin_words import built_in_set
from reminders.domain.consent import choose
from reminders.domain.unsubscribing import token_of
from reminders.enums import Channel, ConsentSource
from reminders.models import CalendarFeed
from tests.factories.accounts import UserFactory
from tests.factories.assessments import SINGLE, make_evaluation, make_item, make_quiz
from tests.factories.certification import (
    AccreditationFactory,
    ActivityFactory,
    CertificateTemplateFactory,
    ContributorFactory,
    disclose,
    grant,
)
from tests.factories.courses import (
    CohortFactory,
    CourseFactory,
    EnrolmentFactory,
    LessonFactory,
    ProgrammeFactory,
    RoleGrantFactory,
)
from tests.factories.media import VideoFactory
from tests.factories.webinars import WatchRecordFactory, WebinarFactory
from tests.matrix.passkeys import credential
from tests.matrix.walk import Route
from tests.reminders.factories import (
    CampaignFactory,
    DeliveryFactory,
    InboxItemFactory,
    JourneyFactory,
    MessagePolicyFactory,
    PushSubscriptionFactory,
    suppressed,
)
from tests.signing_in import FIREFOX, device_of, signed_in
from webinars.models import CannedReply, Pin, Poll, Question, SpotRequest, SpotWindow

ANONYMOUS = "anonymous"
ROLES = (ANONYMOUS, "stranger", "doctor", "presenter", "sponsor", "auditor", "moderator", "elsewhere", "operator")
LINK_TOKEN = "l" * 43
DISCLOSURE_TOKEN = "d" * 43
CALENDAR_TOKEN = "c" * 43
# Addresses for the routes that are regular expressions.
SAMPLES = {
    "^api/": "/api/nowhere/",
    "api/v1/^.*$": "/api/v1/nowhere/",
    "admin/(?P<url>.*)$": "/admin/nowhere/",
    "admin/^(app)/$": "/admin/courses/",
}


WORDS = {"webinar_dataset": "audience", "programme_dataset": "learners", "kind": "single"}


ABSENT = {"slug": "nobodys", "public_id": "A" * 26} | dict.fromkeys(
    ("device_id", "upload_id", "import_id", "key"), str(UUID(int=7))
)


class Visitor(Client):
    """Keeps of an answer what a browser would. Django's own copies the context of each template of each page."""

    def request(self, **request: Any) -> Any:
        response: Any = self.handler(self._base_environ(**request))  # type: ignore[attr-defined]
        response.json = partial(self._parse_json, response)  # type: ignore[attr-defined]
        return response


@dataclass
class World:
    """`stranger` is a doctor and `elsewhere` a moderator of another programme; `operator` of all programmes."""

    people: dict[str, User]
    browsers: dict[str, Visitor]
    cookies: dict[str, dict[str, str]]
    objects: dict[str, models.Model]
    values: dict[str, str]
    sessions: dict[str, Any]  # as the cache keeps them, where every visit looks first
    written: Counter[str] = field(default_factory=Counter)  # rows, after the latest visit

    def address(self, route: Route) -> str:
        if route.is_regex:
            return SAMPLES[route.path]
        return route.fill(lambda name: self._value(route, name))

    def absent_address(self, route: Route) -> str:
        """The same with numbers and names that nobody has."""
        return route.fill(lambda name: ABSENT.get(name, str(10**9)))

    def _value(self, route: Route, name: str) -> str:
        parts = route.path.split("/")
        if parts[0] == "admin" and name == "object_id":
            label = f"{parts[1]}.{parts[2]}" if parts[1] != "r" else "courses.programme"
            return str(self.objects[label].pk)
        return self.values.get(f"{parts[0]}:{name}") or self.values[name]


def build_world() -> World:
    programme, other = ProgrammeFactory.create(slug="ours"), ProgrammeFactory.create(slug="theirs")
    people = _people(programme, other)
    objects = _objects(programme, people)
    objects["reminders.templateset"] = built_in_set()
    objects["reminders.campaign"] = CampaignFactory.create(programme=programme)
    objects["reminders.messagetemplate"] = built_in_set().templates.earliest("pk")
    objects["reminders.messagepolicy"] = MessagePolicyFactory.create(programme=programme, is_on=False)
    objects["reminders.journey"] = JourneyFactory.create(programme=programme)
    objects["certification.certificatetemplate"] = CertificateTemplateFactory.create(programme=programme)
    enrolment = people["doctor"].enrolments.get()
    enrolment.completed_at = now()
    enrolment.save()
    objects["certification.certificate"] = issue(of=enrolment, now=now())
    objects["certification.ledgerentry"] = LedgerEntry.objects.filter(programme=programme).earliest("number")
    cookies = {role: cookies_of(signed_in(user)) for role, user in people.items()} | {ANONYMOUS: {}}
    doctors_phone = signed_in(people["doctor"])
    objects["accounts.device"] = device_of(doctors_phone)
    # A slow machine takes longer for all visits than the five minutes after which "last seen" is written again.
    Device.objects.update(last_seen_at=now() + timedelta(hours=1))
    return World(
        people=people,
        browsers={role: Visitor(headers={} if role == ANONYMOUS else {"user-agent": FIREFOX}) for role in cookies},
        cookies=cookies,
        objects=objects,
        values=_values(programme, people, objects),
        sessions=dict(_session_of(kept) for kept in cookies.values() if kept),
    )


def _session_of(cookies: dict[str, str]) -> tuple[str, Any]:
    store = SessionStore(cookies[settings.SESSION_COOKIE_NAME])
    return store.cache_key, store.load()


def cookies_of(browser: Client) -> dict[str, str]:
    return {name: morsel.value for name, morsel in browser.cookies.items()}


def _people(programme: Programme, other: Programme) -> dict[str, User]:
    people = {role: UserFactory.create(email=f"{role}@example.org") for role in ROLES if role != ANONYMOUS}
    EnrolmentFactory.create(user=people["doctor"], programme=programme)
    EnrolmentFactory.create(user=people["stranger"], programme=other)
    for role in (Role.PRESENTER, Role.SPONSOR, Role.AUDITOR, Role.MODERATOR):
        RoleGrantFactory.create(user=people[role], role=role, programme=programme)
    RoleGrantFactory.create(user=people["elsewhere"], role=Role.MODERATOR, programme=other)
    RoleGrantFactory.create(user=people["operator"], role=Role.OPERATOR, programme=None)
    for user in people.values():
        user.refresh_from_db()
    return people


def _objects(programme: Programme, people: dict[str, User]) -> dict[str, models.Model]:
    doctor, moderator = people["doctor"], people["moderator"]
    course = CourseFactory.create(programme=programme)
    lesson = LessonFactory.create(course=course)
    video = VideoFactory.create(created_by=moderator)
    webinar = WebinarFactory.create(lesson=lesson, video=video)
    upload = Upload.objects.create(
        video=VideoFactory.create(created_by=moderator), created_by=moderator, name="lecture.mp4", size_bytes=10,
        part_bytes=5, fingerprint="f", storage_key="uploads/f", created_at=now(), active_at=now(),
    )  # fmt: skip
    people_list = receive(
        content=b"email\nnew@example.org\n",
        file_name="people.csv",
        programme=programme,
        operator=people["operator"],
        now=now(),
    )
    invitation, _ = invite(user=UserFactory.create(email="invited@example.org"), created_by=moderator, now=now())
    quiz = make_quiz(lesson=LessonFactory.create(course=course, kind=LessonKind.QUIZ), has_ranking=True)
    evaluation = make_evaluation(lesson__course=course, about=lesson, form__programme=programme)
    assert evaluation.form
    objects: list[models.Model] = [
        _picture(quiz), evaluation, evaluation.form, quiz, quiz.sections.get(),
        start_attempt(quiz=quiz, user=doctor, now=now())[0],
        AnalysisReport.objects.create(quiz=quiz), _essay(course, doctor), *_accredited(course),
        AccreditationFactory.create(activity__lesson=lesson, activity__starts_at=now() - timedelta(hours=1)),
        _granted(course),
        Bank.objects.get(programme=programme), Item.objects.earliest("pk"), Board.objects.create(title="Board"),
        Incident.objects.create(title="Videos are slow", started_at=now()),
        programme, course, lesson, video, webinar, upload, invitation, people_list, doctor,
        CohortFactory.create(programme=programme),
        doctor.enrolments.get(),
        people["presenter"].role_grants.get(),
        WatchRecordFactory.create(user=doctor, webinar=webinar),
        SpotWindow.objects.create(
            webinar=webinar, opens_at=now() - timedelta(hours=1), closes_at=now() + timedelta(hours=1), capacity=5,
            created_at=now(),
        ),
        SpotRequest.objects.create(
            window=webinar.spot_windows.get(), email="door@example.org", ticket="t", created_at=now()
        ),
        Question.objects.create(webinar=webinar, author=doctor, text="Is it safe?", asked_at=now()),
        Poll.objects.create(webinar=webinar, question="Which one?"),
        CannedReply.objects.create(programme=programme, title="Soon", text="This comes in the next part."),
        Pin.objects.create(webinar=webinar, title="Slides", url="https://example.org/", created_at=now()),
        record("test", actor=doctor, subject=programme, now=now()),
        EmailAddress.objects.create(user=doctor, email=doctor.email),
        Group.objects.create(name="group"),
        Authenticator.objects.create(user=doctor, type="webauthn", data={"name": "Key", "credential": credential()}),
        SignInRequest.objects.create(
            user=doctor, link_hash=hash_token(LINK_TOKEN), created_at=now(), expires_at=now() + timedelta(minutes=9)
        ),
        *_messages(doctor),
    ]  # fmt: skip
    return {one._meta.label_lower: one for one in objects}


def _messages(doctor: User) -> list[models.Model]:
    """One on the site, another with a link, a browser for notices, and a calendar that reads."""
    delivery = DeliveryFactory.create(user=doctor, programme=doctor.enrolments.get().programme)
    link = MessageLink(doctor.pk, message_token(delivery), "/credits/", now() + timedelta(hours=1))
    keep_links([link], now=now())
    feed = CalendarFeed.objects.create(user=doctor, token_hash=hash_token(CALENDAR_TOKEN), made_at=now())
    choose(user_id=doctor.pk, choices={Channel.SMS: True}, source=ConsentSource.PROFILE, now=now())
    answer, held = doctor.consent_records.get(), suppressed(Channel.EMAIL, doctor.email)
    browser = PushSubscriptionFactory.create(user=doctor)
    return [delivery, InboxItemFactory.create(user=doctor), browser, feed, answer, held]


def message_token(delivery: models.Model) -> str:
    """Of its link: it begins with the number."""
    return f"{delivery.pk}-{'m' * 24}"


def _accredited(course: Course) -> list[models.Model]:
    """Another lecture, with an open activity that has a sheet, and somebody who stated something by a link."""
    activity = ActivityFactory.create(lesson=WebinarFactory.create(lesson__course=course).lesson, format="enduring")
    contributor = ContributorFactory.create(activity=activity)
    disclose(contributor.person, decision="none")
    refresh_sheet(activity=activity, now=now())
    DisclosureRequest.objects.create(
        person=contributor.person, token_hash=hash_token(DISCLOSURE_TOKEN), sent_at=now(), created_at=now(),
        expires_at=now() + timedelta(days=60),
    )  # fmt: skip
    pack = EvidencePack.objects.create(
        activity=activity, requested_at=now(), made_at=now(), size_bytes=3, sha256=b"p" * 32,
        stored_as=media_storage().save("evidence/pack.zip", ContentFile(b"PK!")),
    )  # fmt: skip
    return [activity, contributor.person, pack]


def _granted(course: Course) -> Claim:
    """Somebody's credit for another lecture."""
    entry = grant(accreditation=AccreditationFactory.create(activity__lesson=LessonFactory.create(course=course)))
    assert entry.claim
    return entry.claim


def _essay(course: Course, doctor: User) -> Answer:
    """Of the doctor's, handed in: it waits for somebody who marks."""
    item = make_item(bank=Bank.objects.get(programme=course.programme), kind="essay", shown={}, key={"rubric": []})
    quiz = make_quiz(lesson=LessonFactory.create(course=course, kind=LessonKind.QUIZ), items=[item])
    attempt = start_attempt(quiz=quiz, user=doctor, now=now())[0]
    save_answer(attempt=attempt, position=0, raw={"text": "Because of the dose."}, saved=1)
    submit(attempt_id=attempt.pk, by=EndedBy.PERSON)
    return attempt.answers.get()


def _picture(quiz: Quiz) -> ItemImage:
    """On every paper of the test from now on."""
    written = BytesIO()
    Image.new("RGB", (8, 6)).save(written, "PNG")
    bank = Bank.objects.get(items__picks__section__quiz=quiz, items__picks__position=1)
    image = add_image(bank=bank, data=written.getvalue(), description="An ovary")
    item = make_item(bank=bank, shown={**SINGLE["shown"], "images": [image.pk]})
    quiz.sections.get().picks.create(position=9, item=item)
    return image


def _values(programme: Programme, people: dict[str, User], objects: dict[str, models.Model]) -> dict[str, str]:
    """By the parameter's name; where two apps give the same name another meaning, by `first-part:name`."""
    _, invitation_token = invite(user=UserFactory.create(email="guest@example.org"), created_by=None, now=now())
    folder = Path(settings.EMAIL_FILE_PATH)
    FolderBackend().send_messages([EmailMessage("Hello", "Text", to=["doctor@example.org"])])
    mail = max(folder.glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)  # other tests write to the folder too
    video = objects["media.video"]
    return {
        "slug": programme.slug,
        "course_id": str(objects["courses.course"].pk),
        "lesson_id": str(objects["courses.lesson"].pk),
        "webinar_id": str(objects["webinars.webinar"].pk),
        "question_id": str(objects["webinars.question"].pk),
        "poll_id": str(objects["webinars.poll"].pk),
        "pin_id": str(objects["webinars.pin"].pk),
        "quiz_id": str(objects["assessments.quiz"].pk),
        "bank_id": str(objects["assessments.bank"].pk),
        **WORDS,
        "attempt_id": str(objects["assessments.attempt"].pk),
        "answer_id": str(objects["assessments.answer"].pk),
        "image_id": str(objects["assessments.itemimage"].pk),
        "position": "1",
        "accreditation_id": str(objects["certification.accreditation"].pk),
        "evaluation_id": str(objects["assessments.evaluation"].pk),
        "user_id": str(people["doctor"].pk),
        "move": "claim",
        "stage_move": "answer-live",
        "poll_move": "hide",
        "person_move": "mute",
        "state_move": "end",
        "door_move": "deny",
        "request_id": str(objects["webinars.spotrequest"].pk),
        "device_id": str(objects["accounts.device"].pk),
        "video_id": str(video.pk),
        "upload_id": str(objects["media.upload"].pk),
        "import_id": str(objects["accounts.pendingimport"].pk),
        "number": "1",
        "key": str(video.key),  # type: ignore[attr-defined]
        "media:name": "v1/master.m3u8",
        "dev:name": mail.stem,
        "window_id": str(objects["webinars.spotwindow"].pk),
        "public_id": objects["certification.certificate"].public_id,  # type: ignore[attr-defined]
        "disclosures:token": DISCLOSURE_TOKEN,
        "pack_id": str(objects["certification.evidencepack"].pk),
        "report": "councils",
        "form": "csv",
        "activity_id": str(objects["certification.activity"].pk),
        "callbacks:name": "twilio",
        "door:slug": objects["webinars.spotwindow"].slug,  # type: ignore[attr-defined]
        "invitation:token": invitation_token,
        "sign-in:token": LINK_TOKEN,
        "m:token": message_token(objects["reminders.delivery"]),
        "u:token": token_of(people["doctor"].pk, Channel.EMAIL),
        "calendar:token": CALENDAR_TOKEN,
        "campaign_id": str(objects["reminders.campaign"].pk),
        "message_id": str(objects["reminders.inboxitem"].pk),
        "subscription_id": str(objects["reminders.pushsubscription"].pk),
        "pk": str(objects["mfa.authenticator"].pk),
        "content_type_id": str(ContentType.objects.get_for_model(Programme).pk),
    }
