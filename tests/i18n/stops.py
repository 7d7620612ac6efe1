"""The stops of the tour, one function for each part of the site."""

import re
from datetime import timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.messages import constants
from django.utils.timezone import now

from accounts.domain import devices, invitations
from accounts.enums import DeviceEnd, Role
from accounts.models import Invitation, User
from courses.enums import EnrolmentStatus
from courses.models import Course, Lesson, Programme
from tests.accounts.helpers import code_in, link_in
from tests.factories.accounts import UserFactory
from tests.factories.courses import EnrolmentFactory, LessonFactory, ProgrammeFactory, RoleGrantFactory
from tests.factories.webinars import WebinarFactory
from tests.i18n.tour import DAY, Tour, arrive, doctors_browser, visitor, write_greek
from tests.matrix.passkeys import credential
from tests.pages.world import add_lecture, complete, make_world, watch
from webinars.models import Webinar

PASSWORD = "five quiet herons waded"


def entrance(tour: Tour) -> None:
    doctor = UserFactory.create(email="eleni@example.org")
    write_greek()
    browser = visitor()
    tour.read(browser, "/sign-in/")
    tour.read(browser, "/sign-in/", "no address", email="nobody")
    tour.read(browser, "/sign-in/", "nothing given", email="")
    tour.read(browser, "/sign-in/", "waiting for the code", email=doctor.email)
    (message,) = tour.read_mails()
    right = code_in(message)
    tour.read(browser, "/sign-in/code/", "code too short", code="12")
    for attempt in range(5):
        tour.read(browser, "/sign-in/code/", f"wrong code {attempt}", code=str((int(right) + 1) % 10**6).zfill(6))
    tour.read(browser, "/sign-in/code/", "spent code", code=right)
    tour.read(browser, "/sign-in/password/")
    tour.read(browser, "/sign-in/password/", "wrong password", email=doctor.email, password="x")
    tour.read(visitor(), "/sign-in/link/nobodys/", "unknown link", 410)
    tour.read(browser, "/sign-in/", email=doctor.email)
    (message,) = tour.read_mails()
    tour.read(visitor(), link_in(message), "link")
    tour.read(visitor(), link_in(message), "link, signed in", data={"timezone": ""})
    tour.read(visitor(), link_in(message), "spent link", 410)
    answers = [browser.post("/sign-in/", {"email": doctor.email}).status_code for _ in range(9)]
    assert answers[-1] == 429
    tour.read(browser, "/sign-in/", "too many mails", 429, email=doctor.email)
    tour.read_mails()


def invitation(tour: Tour) -> None:
    _invite(tour, "")
    path = _invite(tour, "Γονιμότητα")
    row = Invitation.objects.latest("pk")
    for label, values in (
        ("expired", {"created_at": now() - 2 * DAY, "expires_at": now() - DAY}),
        ("revoked", {"expires_at": now() + DAY, "revoked_at": now()}),
        ("used", {"revoked_at": None, "used_at": now()}),
    ):
        Invitation.objects.filter(pk=row.pk).update(**values)
        tour.read(visitor(), path, f"{label} invitation", 410)
    tour.read(visitor(), f"{path}new/", "another link after a used invitation", data={"timezone": ""})
    tour.read(visitor(), "/invitation/nobodys/", "unknown invitation", 410)


def _invite(tour: Tour, occasion: str) -> str:
    doctor = UserFactory.create()
    write_greek()
    invitations.queue_invitations(user_ids=[doctor.pk], created_by=None, now=now(), occasion=occasion)
    (message,) = tour.read_mails()
    tour.read(visitor(), link_in(message), f"invitation {occasion}")
    return link_in(message)


def ended_devices(tour: Tour) -> None:
    doctor = UserFactory.create()
    write_greek()
    for reason in DeviceEnd:
        browser = doctors_browser(doctor)
        browser.cookies["django_language"] = "io"
        devices.end_all_devices(user=doctor, reason=reason, now=now())
        tour.read(browser, "/account/devices/", f"device ended: {reason.value}")


def account(tour: Tour) -> None:
    doctor = UserFactory.create(timezone_confirmed_at=None)
    write_greek()
    browser = doctors_browser(doctor)
    tour.read(browser, "/account/")
    tour.read(browser, "/account/", "profile refused", phone="12", timezone="Mars", country="XX", language="tlh")
    kept = {"title": "Δρ", "first_name": "Ε", "last_name": "Ν", "timezone": "UTC", "language": "io", "country": "GR"}
    tour.read(browser, "/account/", "profile saved", data=kept)
    tour.read(browser, "/account/time-zone/", "zone kept", timezone="UTC", next="/account/")
    tour.read(browser, "/account/time-zone/", "zone unknown", timezone="Mars")
    tour.read(browser, "/account/devices/", "one device")
    others = [doctors_browser(doctor) for _ in range(2)]
    assert len(others) == 2
    response = tour.read(browser, "/account/devices/", "three devices")
    (other, *_) = [one for one in response.context["devices"] if one.pk != response.context["current"].pk]
    tour.read(browser, f"/account/devices/{other.pk}/end/", "one ended", data={"x": "1"})
    tour.read(browser, "/account/devices/end-others/", "others ended", data={"x": "1"})


def second_step(tour: Tour) -> None:
    doctor = UserFactory.create()
    write_greek()
    browser = arrive(doctor)
    tour.read(browser, "/account/password/")
    tour.read(browser, "/account/password/", "weak password", password="12345")
    tour.read(browser, "/account/second-step/", "nothing set up")
    tour.read(browser, "/account/second-step/totp/activate/")
    tour.read(browser, "/account/second-step/totp/activate/", "wrong app code", code="000000")
    for page in ("", "add/"):
        tour.read(browser, f"/account/second-step/webauthn/{page}", f"passkeys {page}")
    tour.read(browser, "/account/second-step/webauthn/add/", "refused passkey", credential="{}", name="")
    tour.read(browser, "/account/password/", "password set", password=PASSWORD)
    tour.read(doctors_browser(doctor), "/account/reauthenticate/?next=/account/password/", "again by password")
    wrong = {"password": "wrong"}
    tour.read(doctors_browser(doctor), "/account/reauthenticate/", "again, wrong password", data=wrong)
    _protected(tour, doctor)


def _protected(tour: Tour, doctor: User) -> None:
    browser = arrive(doctor)
    TOTP.activate(doctor, generate_totp_secret())
    RecoveryCodes.activate(doctor)
    passkey = Authenticator.objects.create(
        user=doctor, type="webauthn", data={"name": "Κλειδί", "credential": credential()}
    )
    for page in (
        "", "totp/deactivate/", "recovery-codes/", "recovery-codes/generate/", "webauthn/",
        f"webauthn/keys/{passkey.pk}/edit/", f"webauthn/keys/{passkey.pk}/remove/",
    ):  # fmt: skip
        tour.read(browser, f"/account/second-step/{page}")
    late = doctors_browser(doctor, second_step=False)
    tour.read(late, "/account/second-step/reauthenticate/")
    tour.read(late, "/account/second-step/reauthenticate/", "again, wrong app code", code="000000")
    tour.read(late, "/account/second-step/webauthn/reauthenticate/")
    at_the_door = visitor()
    _, token = invitations.invite(user=doctor, created_by=None, now=now())
    tour.read(at_the_door, f"/invitation/{token}/", "asked for the second step", data={"timezone": ""})
    tour.read(at_the_door, "/account/second-step/authenticate/", "wrong second step", code="000000")
    Authenticator.objects.filter(type="recovery_codes").delete()
    tour.read(browser, "/account/second-step/", "protected, without codes")
    tour.read(browser, "/account/second-step/recovery-codes/generate/", "first codes")
    moderator = RoleGrantFactory.create(role=Role.MODERATOR).user
    write_greek()
    tour.read(doctors_browser(moderator, second_step=False), "/admin/", "staff without a second step")


def learning(tour: Tour) -> None:
    """Home and the programme page, in every state of a programme and of its courses."""
    tour.read(doctors_browser(_one(UserFactory.create())), "/", "home without a programme")
    tour.read(doctors_browser(_one(UserFactory.create())), "/programmes/", "catalogue without a programme")
    sponsor = doctors_browser(_one(RoleGrantFactory.create(role=Role.SPONSOR).user))
    tour.read(sponsor, "/", "home of a sponsor")
    tour.read(sponsor, "/programmes/", "catalogue of a sponsor")
    auditor = doctors_browser(_one(RoleGrantFactory.create(role=Role.AUDITOR).user))
    tour.read(auditor, "/", "home of an auditor")
    ago, ahead = now() - DAY, now() + DAY
    windows: dict[str, dict[str, Any]] = {
        "new": {},
        "later": {"opens_at": ahead},
        "ended": {"closes_at": ago},
        "closing soon": {"closes_at": ahead},
        "closing now": {"closes_at": now() + timedelta(minutes=9)},
    }
    for label, window in windows.items():
        world = make_world(2, **window)
        _read_programme(tour, label, world.doctor(), world.programme)
    empty = ProgrammeFactory.create()
    doctor = UserFactory.create()
    EnrolmentFactory.create(user=doctor, programme=empty)
    _read_programme(tour, "being prepared", doctor, empty)
    world = make_world(2)
    finished = world.doctor()
    complete(finished, *world.courses)
    _read_programme(tour, "finished", finished, world.programme)
    world = make_world(2)
    waiting = world.doctor()
    complete(waiting, world.courses[0])
    Course.objects.filter(pk=world.courses[1].pk).update(opens_at=ahead)
    _read_programme(tour, "waiting", waiting, world.programme)
    Course.objects.filter(pk=world.courses[1].pk).update(opens_at=None, closes_at=ago)
    _read_programme(tour, "nothing open", waiting, world.programme)


def under_way(tour: Tour) -> None:
    world = make_world(7)
    first, second, third, fourth, fifth, sixth, _ = world.courses
    add_lecture(second)
    for kind in ("quiz", "document", "evaluation"):
        LessonFactory.create(course=second, kind=kind, is_required=False)
    Course.objects.filter(pk=second.pk).update(is_sequential=True, required_count=1, completion_rule="n_of_m")
    third.prerequisites.add(fourth, fifth)
    fourth.prerequisites.add(fifth)
    Course.objects.filter(pk=fifth.pk).update(opens_at=now() + DAY, closes_at=now() + 2 * DAY)
    Course.objects.filter(pk=sixth.pk).update(is_required=False, closes_at=now() - DAY)
    doctor = world.doctor()
    complete(doctor, first)
    watch(doctor, second, (0, 400), (900, 1000))
    other = make_world(1)
    EnrolmentFactory.create(user=doctor, programme=other.programme, status=EnrolmentStatus.ACTIVE)
    RoleGrantFactory.create(user=doctor, programme=make_world(1).programme, role=Role.PRESENTER)
    _read_programme(tour, "under way", doctor, world.programme)
    Programme.objects.filter(pk=world.programme.pk).update(required_count=3, completion_rule="n_of_m")
    _read_programme(tour, "some of them", doctor, world.programme)
    presenter = RoleGrantFactory.create(programme=world.programme, role=Role.PRESENTER).user
    for _ in range(21):
        RoleGrantFactory.create(user=presenter, role=Role.PRESENTER, programme=ProgrammeFactory.create(status="draft"))
    _read_programme(tour, "of a presenter", presenter, world.programme)


def _read_programme(tour: Tour, label: str, user: User, programme: Programme) -> None:
    write_greek()
    browser = doctors_browser(user)
    tour.read(browser, "/", f"home: {label}")
    tour.read(browser, "/programmes/", f"catalogue: {label}")
    tour.read(browser, f"/programmes/{programme.slug}/", f"programme: {label}")


def _one(user: User) -> User:
    write_greek()
    return user


def watching(tour: Tour) -> None:
    world = make_world(2)
    course, locked = world.courses
    locked.prerequisites.add(course)
    states = {
        "not open yet": LessonFactory.create(course=course, opens_at=now() + DAY),
        "closed": LessonFactory.create(course=course, closes_at=now() - DAY),
        "being prepared": LessonFactory.create(course=course),
    }
    webinars = {
        label: WebinarFactory.create(lesson=lesson, **({"video": None} if label == "being prepared" else {}))
        for label, lesson in states.items()
    }
    LessonFactory.create(course=course, kind="quiz")
    webinars["locked"] = Webinar.objects.get(lesson__course=locked)
    webinars["lecture"] = Webinar.objects.filter(lesson__course=course).earliest("pk")
    doctor = world.doctor()
    presenter = RoleGrantFactory.create(programme=world.programme, role=Role.PRESENTER).user
    write_greek()
    browser = doctors_browser(doctor)
    for label, webinar in webinars.items():
        tour.read(browser, f"/webinars/{webinar.pk}/", f"watch: {label}")
    lecture = webinars["lecture"]
    tour.read(doctors_browser(presenter), f"/webinars/{lecture.pk}/", "watch: preview")
    tour.read(browser, f"/webinars/{lecture.pk}/keep-alive/")
    watch(doctor, course, (0, 400), (900, 3600))
    tour.read(browser, f"/webinars/{lecture.pk}/", "watch: continue")
    complete(doctor, course)
    tour.read(browser, f"/webinars/{lecture.pk}/", "watch: completed")
    assert Lesson.objects.filter(course=course).count() == 5


def errors(tour: Tour) -> None:
    for status in ("400", "403", "403_csrf", "404", "429", "500", "503", "away"):
        tour.read_template(f"{status}.html")
    tour.read(visitor(), "/nowhere/", status=404)
    doctor = UserFactory.create()
    write_greek()
    tour.read(doctors_browser(doctor), "/programmes/nobodys/", status=404)
    response = tour.read(doctors_browser(doctor), "/nowhere/", "lost", 404)
    assert re.search(r"[0-9a-f]{32}", response.content.decode()), "the number of the request is data"
    for level in constants.DEFAULT_TAGS.values():
        tour.read_template("components/alert.html", kind=level, text="Κείμενο", title="Τίτλος")


STOPS = (entrance, invitation, ended_devices, account, second_step, learning, under_way, watching, errors)
