"""The stops of the tour where something is live: the door, a webinar's page in all its states, the presenter's page."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.test import Client
from django.utils.timezone import now

from accounts.enums import Role
from accounts.models import User
from assessments.enums import QuizKind
from courses.enums import LessonKind
from tests.factories.accounts import UserFactory
from tests.factories.assessments import BankFactory, make_item, make_quiz
from tests.factories.courses import EnrolmentFactory, LessonFactory, RoleGrantFactory
from tests.factories.webinars import LiveWebinarFactory
from tests.i18n.tour import DAY, GREEK, Tour, doctors_browser, visitor, write_greek
from tests.stage.doors import open_door
from tests.webinars.on_air import publish as publish_recording
from webinars.domain import spot
from webinars.domain.announcements import announce, pin
from webinars.domain.answers import answer, publish
from webinars.domain.checks import close_check, open_check
from webinars.domain.polls import close_poll, open_poll, save_poll, show_results
from webinars.domain.questions import ask
from webinars.enums import IngestKind, PollKind, Restriction, SpotApproval
from webinars.models import Broadcast, Chapter, PersonRestriction, SpotRequest, SpotWindow, Webinar

ASKER = {
    "email": "asha@clinic.example", "first_name": "Άσα", "last_name": "Μένον", "country": "IN",
    "medical_council": "ΙΣ", "registration_number": "48 213",
}  # fmt: skip
SHOWN: dict[str, Any] = {"options": [{"id": name, "text": GREEK} for name in "abcd"]}
HOUR = timedelta(hours=1)


def at_the_door(tour: Tour) -> None:
    states: dict[str, dict[str, Any]] = {
        "not open yet": {"opens_at": now() + HOUR, "closes_at": now() + 2 * HOUR},
        "closed": {"opens_at": now() - 2 * HOUR, "closes_at": now() - HOUR},
        "full": {"approved_count": 10},
        "open": {},
    }
    windows = {label: open_door(**given) for label, given in states.items()}
    write_greek()
    for label, window in windows.items():
        tour.read(visitor(), f"/door/{window.slug}/", f"door: {label}")
    tour.read(visitor(), f"/door/{windows['open'].slug}/", "door: nothing given", email="")
    tour.read(visitor(), f"/door/{windows['closed'].slug}/", "door: closed meanwhile", 403, data=ASKER)
    for _ in range(600):
        spot.ASKS_PER_ADDRESS.hit(f"{windows['full'].pk}:127.0.0.1")
    SpotWindow.objects.filter(pk=windows["full"].pk).update(approved_count=0)
    tour.read(visitor(), f"/door/{windows['full'].slug}/", "door: too many", 429, data=ASKER)
    _ask_and_wait(tour, windows["open"])
    by_rule = open_door(approval=SpotApproval.EVERYBODY)
    write_greek()
    browser = visitor()
    tour.read(browser, f"/door/{by_rule.slug}/", "door: let in by a rule", data=ASKER)
    tour.read(browser, f"/door/{by_rule.slug}/enter/", "door: the link again", data={"timezone": ""})
    write_greek()  # the accounts that the door has made, too
    tour.read_mails()


def _ask_and_wait(tour: Tour, window: SpotWindow) -> None:
    moderator = RoleGrantFactory.create(programme=window.webinar.lesson.course.programme, role=Role.MODERATOR).user
    refused, accepted = visitor(), visitor()
    for browser, email in ((refused, "no@clinic.example"), (accepted, "yes@clinic.example")):
        tour.read(browser, f"/door/{window.slug}/", f"door: waiting {email}", data={**ASKER, "email": email})
    write_greek()
    spot.deny(request=SpotRequest.objects.get(email="no@clinic.example"), actor=moderator, now=now())
    spot.approve(request=SpotRequest.objects.get(email="yes@clinic.example"), actor=moderator, now=now())
    tour.read(refused, f"/door/{window.slug}/", "door: not let in")
    tour.read(accepted, f"/door/{window.slug}/", "door: let in")


def live(tour: Tour) -> None:
    """Every state of one webinar's page."""
    webinar = LiveWebinarFactory.create(starts_at=now() + 2 * DAY, capacity=2, needs_registration=True)
    doctor = UserFactory.create()
    EnrolmentFactory.create(user=doctor, programme=webinar.lesson.course.programme)
    webinar.presenters.add(UserFactory.create())
    write_greek()
    browser = doctors_browser(doctor)
    tour.read(browser, f"/webinars/{webinar.pk}/", "live: planned")
    tour.read(browser, f"/webinars/{webinar.pk}/registration/", "live: registered", data={"do": "register"})
    _change(webinar, starts_at=now() + timedelta(minutes=5), capacity=None, needs_registration=False)
    tour.read(browser, f"/webinars/{webinar.pk}/", "live: doors open, an empty room")
    _fill_room(webinar, doctor)
    tour.read(browser, f"/webinars/{webinar.pk}/", "live: doors open")
    _change(webinar, starts_at=now() - HOUR, live_at=now() - HOUR)
    Broadcast.objects.create(webinar=webinar, started_at=now() - HOUR, epoch=now() - HOUR)
    tour.read(browser, f"/webinars/{webinar.pk}/", "live: on air")
    tour.read(browser, f"/webinars/{webinar.pk}/keep-alive/?stage=live", "live: frame")
    _elsewhere(tour, browser, webinar)
    removed = PersonRestriction.objects.create(
        webinar=webinar, user=doctor, kind=Restriction.REMOVED, by=doctor, at=now()
    )
    tour.read(browser, f"/webinars/{webinar.pk}/", "live: removed")
    removed.delete()
    _change(webinar, ended_at=now())
    tour.read(browser, f"/webinars/{webinar.pk}/", "live: over")
    publish_recording(webinar, spans=[(0, 600, 0)], at=now())
    Chapter.objects.create(webinar=webinar, at_seconds=60, title="Αρχή")
    tour.read(browser, f"/webinars/{webinar.pk}/", "live: recorded")
    cancelled = LiveWebinarFactory.create(lesson__course=webinar.lesson.course, cancelled_at=now())
    write_greek()
    tour.read(browser, f"/webinars/{cancelled.pk}/", "live: cancelled")


def _elsewhere(tour: Tour, browser: Client, webinar: Webinar) -> None:
    _change(webinar, ingest=IngestKind.EXTERNAL, external_url="https://meet.example.org/x")
    tour.read(browser, f"/webinars/{webinar.pk}/", "live: elsewhere")
    tour.read(browser, f"/webinars/{webinar.pk}/meeting/", "live: in the meeting", data={"x": "1"})
    _change(webinar, ingest=IngestKind.RTMP, external_url="")


def _change(webinar: Webinar, **values: Any) -> None:
    Webinar.objects.filter(pk=webinar.pk).update(**values)
    webinar.refresh_from_db()


def _fill_room(webinar: Webinar, doctor: User) -> None:
    """Something for every part of it, in Greek."""
    programme = webinar.lesson.course.programme
    moderator = RoleGrantFactory.create(programme=programme, role=Role.MODERATOR).user
    colleague = UserFactory.create()
    EnrolmentFactory.create(user=colleague, programme=programme)
    write_greek()
    given: dict[str, Any] = {"webinar": webinar, "actor": User.objects.get(pk=moderator.pk), "now": now()}
    announce(text="Διάλειμμα", client_key=uuid4(), **given)
    pin(title="Οδηγία", url="https://example.org/", **given)
    for author in (User.objects.get(pk=colleague.pk), User.objects.get(pk=doctor.pk)):
        question = ask(webinar=webinar, author=author, text="Γιατί;", client_key=uuid4(), now=now())
        done = answer(question_id=question.pk, version=question.version, text="Διότι.", **given)
        if author.pk == colleague.pk:
            publish(question_id=question.pk, version=done.version, **given)
    words, choice = (
        save_poll(kind=kind, question=GREEK, options=options, **given)
        for kind, options in ((PollKind.WORDS, []), (PollKind.SINGLE, ["Ναι", "Όχι"]))
    )
    open_poll(poll_id=words.pk, **given)
    close_poll(poll_id=words.pk, **given)
    show_results(poll_id=words.pk, **given)
    open_poll(poll_id=choice.pk, **given)
    _hold_up_checks(webinar, given)


def _hold_up_checks(webinar: Webinar, given: dict[str, Any]) -> None:
    """One that was closed, one that is open, and one to come."""
    course = webinar.lesson.course
    item = make_item(bank=BankFactory(programme=course.programme, title=GREEK), shown=SHOWN, stem=GREEK)
    lessons = [LessonFactory(course=course, kind=LessonKind.QUIZ, title=GREEK) for _ in range(3)]
    for lesson in lessons:
        make_quiz(lesson=lesson, items=[item], kind=QuizKind.CHECK, during=webinar.lesson)
    open_check(lesson_id=lessons[0].pk, **given)
    close_check(lesson_id=lessons[0].pk, **given)
    open_check(lesson_id=lessons[1].pk, **given)


def on_stage(tour: Tour) -> None:
    webinar = LiveWebinarFactory.create(starts_at=now() + timedelta(minutes=5))
    presenter = RoleGrantFactory.create(role=Role.PRESENTER, programme=webinar.lesson.course.programme).user
    webinar.presenters.add(presenter)
    write_greek()
    browser = doctors_browser(presenter)
    path = f"/webinars/{webinar.pk}/stage/"
    tour.read(browser, path, "stage")
    answer_with_key = browser.post(path, {"do": "key"})
    assert answer_with_key.status_code == 200
    tour.read(browser, path, "stage: with a key")
    _fill_room(webinar, UserFactory.create())
    write_greek()
    tour.read(browser, path, "stage: checks")
    tour.read_part(browser, f"{path}?part=checks_desk", "desk: checks")
    _change(webinar, live_at=now() - HOUR, ended_at=now())
    tour.read(browser, path, "stage: over")


LIVE_STOPS = (at_the_door, live, on_stage)
