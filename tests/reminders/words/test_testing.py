"""A message sent to whoever writes it."""

import pytest

from accounts.models import AuditEvent, SignInRequest, User
from courses.models import CourseCompletion
from reminders.domain.builtin_words import built_in_set
from reminders.domain.composing import compose
from reminders.domain.examples import example
from reminders.domain.sending import send_some
from reminders.domain.testing import TestError, send_test
from reminders.enums import Channel, DeliveryState, Kind
from reminders.models import Delivery, InboxItem, MessageTemplate
from reminders.rendering.placeholders import samples
from reminders.transports.base import Outgoing
from tests.factories.accounts import UserFactory
from tests.factories.courses import CourseFactory, ProgrammeFactory
from tests.factories.webinars import WatchRecordFactory, WebinarFactory
from tests.reminders.factories import NOW, scene

pytestmark = pytest.mark.django_db


def words(channel: Channel = Channel.EMAIL, kind: Kind = Kind.LEFT_EARLY) -> MessageTemplate:
    return built_in_set().templates.get(kind=kind, channel=channel, language="en")


@pytest.fixture
def author() -> User:
    made: User = UserFactory.create(email="author@example.org", is_staff=True)
    return made


def sent(one: Delivery) -> Outgoing:
    row = Delivery.objects.select_related("user", "programme", "template", "campaign").get(pk=one.pk)
    found = compose([row], now=NOW)[row.pk]
    assert isinstance(found, Outgoing)
    return found


def test_it_goes_by_the_outbox_to_its_author(author: User) -> None:
    programme = ProgrammeFactory.create()
    one = send_test(template=words(), programme=programme, doctor=None, actor=author, now=NOW)
    assert (one.state, one.kind, one.channel, one.user) == (DeliveryState.PLANNED, Kind.TEST, Channel.EMAIL, author)
    found = sent(one)
    assert found.address == "author@example.org"
    assert found.subject == "36 min to go: Ovarian reserve in daily practice"
    assert found.text.startswith("Dear Dr Meera Nair,")
    (event,) = AuditEvent.objects.filter(action="message_template.tested")
    assert event.actor == author


def test_sec_25_in_a_doctors_words_it_still_goes_to_its_author_and_signs_nobody_in(author: User) -> None:
    made = scene()
    doctor = made.doctors[0]
    one = send_test(
        template=words(kind=Kind.DAY_BEFORE), programme=made.programme, doctor=doctor, actor=author, now=NOW
    )
    found = sent(one)
    assert found.address == "author@example.org"
    assert found.text.startswith(f"Dear {doctor.get_full_name()},")
    assert doctor.email not in found.text + found.html
    assert found.url.endswith(f"/webinars/{made.webinar.pk}/")
    assert dict(found.headers) == {}
    assert not SignInRequest.objects.exists()


def test_it_arrives_on_the_site_as_every_message_does(author: User) -> None:
    """Without a place in the programme, without consent, in the night: it is the author's own."""
    send_test(template=words(Channel.INBOX), programme=ProgrammeFactory.create(), doctor=None, actor=author, now=NOW)
    assert send_some(channel=Channel.INBOX, clock=lambda: NOW).sent == 1
    (item,) = InboxItem.objects.filter(user=author)
    assert (item.subject, item.button) == ("36 min to go: Ovarian reserve in daily practice", "Go on watching")
    assert item.body.startswith("Ovarian reserve in daily practice\n\nYou left at 24:10; 36 min to go.")
    assert item.delivery.template == words(Channel.INBOX)


def test_two_tests_of_the_same_words_are_two_messages(author: User) -> None:
    programme = ProgrammeFactory.create()
    for _ in range(2):
        send_test(template=words(), programme=programme, doctor=None, actor=author, now=NOW)
    assert Delivery.objects.filter(kind=Kind.TEST).count() == 2


def test_words_are_not_fixed_by_a_test(author: User) -> None:
    sent(send_test(template=words(), programme=ProgrammeFactory.create(), doctor=None, actor=author, now=NOW))
    assert words().used_at is None


def test_who_has_no_number_is_told_so(author: User) -> None:
    with pytest.raises(TestError, match="phone number"):
        send_test(template=words(Channel.SMS), programme=ProgrammeFactory.create(), doctor=None, actor=author, now=NOW)
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in {Kind.TEST, Kind.CAMPAIGN}])
def test_an_example_has_something_for_every_placeholder(kind: Kind) -> None:
    made = scene()
    found = example(kind, user=made.doctors[0], programme=made.programme, now=NOW).placeholders
    assert set(samples(kind)) <= set(found)
    assert all(found[name] for name in samples(kind))
    assert found["doctor.name"] == made.doctors[0].get_full_name()
    assert found["programme.title"] == made.programme.title


def test_an_example_is_of_what_the_doctor_did_last() -> None:
    made = scene()
    doctor, other = made.doctors[0], CourseFactory.create(programme=made.programme, title="Done")
    CourseCompletion.objects.create(user=doctor, course=other, completed_at=NOW)
    lecture = WebinarFactory.create(lesson__course=other)
    WebinarFactory.create(lesson__course=other)
    WatchRecordFactory.create(user=doctor, webinar=lecture, coverage=((0, 1200),))
    assert (
        example(Kind.COURSE_COMPLETED, user=doctor, programme=made.programme, now=NOW).placeholders["course.title"]
        == "Done"
    )
    left = example(Kind.LEFT_EARLY, user=doctor, programme=made.programme, now=NOW).placeholders
    assert (left["webinar.title"], left["watch.left_at"], left["watch.to_go"]) == (
        lecture.lesson.title,
        "20:00",
        "40 min",
    )


def test_an_invented_doctor_is_nobody_of_here() -> None:
    assert example(Kind.LIVE, user=None, programme=None, now=NOW).placeholders == samples(Kind.LIVE)
