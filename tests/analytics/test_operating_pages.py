"""The pages of a programme's numbers: who may read them, what stands there, what is put on record, what they cost."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils.timezone import now

from accounts.enums import Role
from accounts.models import AuditEvent, User
from courses.enums import EnrolmentStatus
from courses.models import Programme
from reminders.enums import Channel, DeliveryState, Kind
from tests.analytics.lecture_world import well_visited
from tests.factories.accounts import UserFactory
from tests.factories.courses import CourseFactory, EnrolmentFactory, LessonFactory, ProgrammeFactory, RoleGrantFactory
from tests.factories.webinars import WebinarFactory
from tests.pages.html import Page
from tests.pages.world import read, read_as
from tests.reminders.factories import DeliveryFactory
from tests.signing_in import signed_in
from tests.stage.doors import open_door
from webinars.models import SpotRequest

pytestmark = pytest.mark.django_db
LONG_AGO = timedelta(days=40)


@pytest.fixture
def programme() -> Programme:
    made: Programme = ProgrammeFactory.create(title="Fertility <2026>")
    well_visited(CourseFactory.create(programme=made), UserFactory.create())
    return made


@pytest.fixture
def moderator(programme: Programme) -> User:
    user: User = RoleGrantFactory.create(programme=programme, role=Role.MODERATOR).user
    return user


def _late(programme: Programme, **fields: Any) -> User:
    at = now() - LONG_AGO
    user: User = EnrolmentFactory.create(
        user=UserFactory.create(**fields), programme=programme, status=EnrolmentStatus.INVITED, enrolled_at=at
    ).user
    return user


def _path(programme: Programme) -> str:
    return f"/reports/{programme.slug}/"


def _names(page: Page) -> list[str]:
    return [one.text for one in page.all("h2")]


def test_a_moderator_reads_the_numbers_of_their_programme(programme: Programme, moderator: User) -> None:
    _late(programme)
    page = read_as(moderator, _path(programme))
    assert page.one("h1").text == "Fertility <2026>"
    for words in (
        "Doctors invited 41",
        "From the invitation to the certificate",
        "Was invited and never signed in",
        "Minutes watched, by the doctors' local time",
        "Is the data complete?",
        "Endometriosis: what the evidence says",
    ):
        assert words in page.text
    for email in User.objects.exclude(pk=moderator.pk).values_list("email", flat=True):
        assert email not in page.source


def test_what_became_of_messages(programme: Programme, moderator: User) -> None:
    sent: dict[str, Any] = {"programme": programme, "state": DeliveryState.SENT}
    DeliveryFactory.create(kind=Kind.LIVE, channel=Channel.INBOX, read_at=now(), **sent)
    DeliveryFactory.create(kind=Kind.LIVE, **sent)
    DeliveryFactory.create(kind=Kind.DAY_BEFORE, bounced_at=now(), **sent)
    DeliveryFactory.create(kind=Kind.DAY_BEFORE, programme=programme, state=DeliveryState.FAILED)
    DeliveryFactory.create(state=DeliveryState.SENT)  # of another programme
    page = read_as(moderator, _path(programme))
    rows = [row.text for row in page.all("tr")]
    assert [row for row in rows if " E-mail " in row or " Messages on this site " in row] == [
        "All messages E-mail 2 – – 0 1 1 0 0",
        "All messages Messages on this site 1 0 1 0 0 0 0 0",
        "A day before E-mail 1 – – 0 1 1 0 0",
        "We are live E-mail 1 – – 0 0 0 0 0",
        "We are live Messages on this site 1 0 1 0 0 0 0 0",
    ]


def test_who_asked_at_which_door(programme: Programme, moderator: User) -> None:
    course = CourseFactory.create(programme=programme)
    lessons = [
        LessonFactory.create(course=course, title=title, position=n) for n, title in enumerate(("One", "<Two>"), 1)
    ]
    doors = [open_door(WebinarFactory.create(lesson=lesson)) for lesson in lessons]
    doors.append(open_door())
    for number, (at, state) in enumerate(
        [(0, "pending"), (0, "approved"), (1, "approved"), (1, "approved"), (1, "denied"), (2, "denied")]
    ):
        decided = None if state == "pending" else now()
        SpotRequest.objects.create(
            window=doors[at], email=f"{number}@example.org", ticket=str(number), state=state, created_at=now(),
            decided_at=decided,
        )  # fmt: skip
    browser = signed_in(moderator)
    page = read(browser, _path(programme))
    rows = [row.text for row in page.all("tr")]
    begin = rows.index("Webinar Asked Waiting Let in Not let in")
    assert rows[begin : begin + 4] == [
        "Webinar Asked Waiting Let in Not let in",
        "All webinars 5 1 3 1",
        "One 2 1 1 0",
        "<Two> 3 0 2 1",
    ]
    for door in doors[:2]:
        assert browser.get(f"/presenting/{door.webinar_id}/").status_code == 200


def test_who_stopped_on_the_way_can_be_written_to(programme: Programme, moderator: User) -> None:
    _late(programme)
    _late(programme, is_active=False)
    browser = signed_in(moderator)
    address = read(browser, _path(programme)).links()["Write to 1 doctor"]
    assert address == f"/admin/reminders/campaign/add/?programme={programme.pk}&step=invited"
    assert f'<option value="{programme.pk}" selected>' in browser.get(address).content.decode()


def test_tables_to_take_along(programme: Programme, moderator: User) -> None:
    browser = signed_in(moderator)
    links = [one.attrs["href"] for one in read(browser, _path(programme)).all("a")]
    files = [one for one in links if "/export/" in one]
    names = [f"{name}.{form}" for name in ("learners", "watching", "door") for form in ("csv", "xlsx", "json")]
    assert files == [f"{_path(programme)}export/{name}" for name in names]
    for one in files:
        answer = browser.get(one)
        assert answer.status_code == 200
        assert b"".join(answer)


def test_a_programme_in_which_nothing_has_happened() -> None:
    empty = ProgrammeFactory.create()
    operator = RoleGrantFactory.create(programme=None, role=Role.OPERATOR).user
    page = read_as(operator, _path(empty))
    for words in (
        "Nobody has been at a lecture yet.",
        "There is no lecture yet.",
        "Nobody, or the programme is not open.",
        "No message was sent yet.",
    ):
        assert words in page.text
    at_risk = read_as(operator, f"{_path(empty)}at-risk/")
    assert "Nobody is at risk" in at_risk.text
    assert "Write to" not in at_risk.text


def test_the_list_has_ones_own_programmes(programme: Programme, moderator: User) -> None:
    ProgrammeFactory.create(title="Foreign")
    page = read_as(moderator, "/reports/")
    assert [one.text for one in page.all("h2")] == ["Fertility <2026>"]


def test_who_may_not(programme: Programme, moderator: User) -> None:
    doctor = EnrolmentFactory.create(programme=programme).user
    presenter = RoleGrantFactory.create(programme=programme, role=Role.PRESENTER).user
    other = RoleGrantFactory.create(role=Role.MODERATOR).user
    sponsor = RoleGrantFactory.create(programme=programme, role=Role.SPONSOR).user
    for page in ("", "at-risk/"):
        for user in (doctor, presenter, other, sponsor):
            read_as(user, f"{_path(programme)}{page}", status=404)
    late = signed_in(moderator, second_step=False)
    for path in ("/reports/", _path(programme), f"{_path(programme)}at-risk/"):
        assert late.get(path).status_code == 302
    assert not AuditEvent.objects.filter(action="report.at_risk").exists()


def test_doctors_at_risk_are_named_and_the_look_is_on_record(programme: Programme, moderator: User) -> None:
    late = _late(programme, title="Dr", first_name="Meera", last_name="<Nair>")
    stopped = EnrolmentFactory.create(programme=programme, activated_at=now() - LONG_AGO, enrolled_at=now() - LONG_AGO)
    _late(ProgrammeFactory.create())
    browser = signed_in(moderator)
    desk = f"/admin/reminders/campaign/add/?programme={programme.pk}&risk={{}}"
    page = read(browser, f"{_path(programme)}at-risk/?reason=never_came")
    assert _names(page) == ["Dr Meera <Nair>"]
    event = AuditEvent.objects.get(action="report.at_risk")
    assert (event.actor, event.subject_id, event.details) == (moderator, str(programme.pk), {"people": [late.pk]})
    assert page.links()["Write to this doctor"] == desk.format("never_came")
    everybody = read(browser, f"{_path(programme)}at-risk/?reason=nonsense")
    assert everybody.links()["Write to these 2 doctors"] == desk.format("any")
    assert set(_names(everybody)) == {
        "Dr Meera <Nair>",
        stopped.user.get_full_name(),
    }


def test_the_list_is_paged_and_costs_the_same(
    programme: Programme, moderator: User, django_assert_num_queries: Any
) -> None:
    browser, path = signed_in(moderator), f"{_path(programme)}at-risk/"
    _late(programme)
    browser.get(path)
    with django_assert_num_queries(LIST_QUERIES):
        browser.get(path)
    for _ in range(51):
        _late(programme)
    with django_assert_num_queries(LIST_QUERIES):
        first = read(browser, f"{path}?reason=never_came")
    second = read(browser, f"{path}?reason=never_came&page=2")
    assert (len(_names(first)), len(_names(second))) == (50, 2)
    assert not set(_names(first)) & set(_names(second))
    assert "?reason=never_came&page=2" in first.links().values()


LIST_QUERIES = 7


def test_the_page_costs_the_same_whatever_the_number_of_lectures(
    programme: Programme, moderator: User, django_assert_num_queries: Any
) -> None:
    browser = signed_in(moderator)
    browser.get(_path(programme))
    cache.clear()
    with django_assert_num_queries(PAGE_QUERIES):
        browser.get(_path(programme))
    for _ in range(2):
        well_visited(CourseFactory.create(programme=programme), UserFactory.create())
    cache.clear()
    with django_assert_num_queries(PAGE_QUERIES):
        browser.get(_path(programme))


PAGE_QUERIES = 19
