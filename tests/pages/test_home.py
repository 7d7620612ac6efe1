"""The doctor's start page in every state."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils.timezone import now
from pytest_django import DjangoAssertNumQueries

from accounts.enums import Role
from courses.enums import EnrolmentStatus
from lms.views import part_of_day
from tests.factories.accounts import UserFactory
from tests.factories.courses import EnrolmentFactory, ProgrammeFactory, RoleGrantFactory
from tests.pages.html import Page
from tests.pages.world import DAY, complete, make_world, read, read_as, watch
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db


def headline(page: Page) -> str:
    return page.one("h1").text


def rows(page: Page) -> list[tuple[str, str]]:
    """(course, state) of the list."""
    titles = [link.text for heading in page.all("h3") for link in page.all("a") if link.text == heading.text]
    return list(zip(titles, [state.text for state in page.all("p", "state")], strict=True))


@pytest.mark.parametrize(
    ("hour", "part"),
    [(4, "evening"), (5, "morning"), (11, "morning"), (12, "afternoon"), (17, "afternoon"), (18, "evening")],
)
def test_greeting_follows_the_reader_s_clock(hour: int, part: str) -> None:
    assert part_of_day(datetime(2026, 11, 21, hour, 59, tzinfo=ZoneInfo("Asia/Kolkata"))) == part


def test_anonymous_people_are_sent_to_sign_in() -> None:
    for path in ("/", "/programmes/", "/programmes/fertility/"):
        response = Client().get(path)
        assert response.status_code == 302
        assert response["Location"].startswith("/sign-in/")


def test_only_reading_is_possible() -> None:
    browser = signed_in(UserFactory.create())
    assert [browser.post(path).status_code for path in ("/", "/programmes/", "/programmes/x/")] == [405] * 3
    assert browser.head("/").status_code == 200


def test_first_visit_says_how_far_it_is_and_where_to_begin() -> None:
    world = make_world(3, title="Fertility 2026")
    page = read_as(world.doctor(title="Dr", first_name="Meera", last_name="Nair"), "/")
    assert headline(page) == "Welcome. Your certificate is three courses away"
    assert "Dr Meera Nair" in page.text
    webinar = world.courses[0].lessons.get().webinar
    assert page.links()["Start course 1"] == f"/webinars/{webinar.pk}/"
    assert rows(page) == [(f"{number}. Fertility 2026: course {number}", "Not started") for number in (1, 2, 3)]
    assert page.all("svg", "ring")[0].attrs["aria-label"] == "0 of 3 courses completed"


def test_continue_watching_names_the_second_and_what_is_unseen() -> None:
    world = make_world(4, title="F")
    user = world.doctor()
    complete(user, world.courses[0])
    watch(user, world.courses[1], (0, 1450), position_seconds=1450.2)
    page = read_as(user, "/")
    assert headline(page) == "You are three courses from your certificate"
    webinar = world.courses[1].lessons.get().webinar
    assert page.links()["Continue from 24:10"] == f"/webinars/{webinar.pk}/"
    assert "24 min seen · 36 min still unseen" in page.text
    assert "Prof. Ana Ribeiro 2" in page.text
    bar = page.all("svg", "coverage")[0]
    assert bar.attrs["aria-label"] == "24 min seen, 36 min still unseen"
    assert "Open course 3" in page.links()
    assert rows(page)[:3] == [
        ("1. F: course 1", "Completed"),
        ("2. F: course 2", "24 of 60 min"),
        ("3. F: course 3", "Not started"),
    ]


def test_states_are_in_plain_words_and_in_the_reader_s_zone() -> None:
    zone = ZoneInfo("Pacific/Kiritimati")
    world = make_world(4, title="F")
    first, second, third, fourth = world.courses
    second.prerequisites.add(first)
    opens = now() + timedelta(days=3)
    third.opens_at = opens
    third.save()
    fourth.closes_at = now() - DAY
    fourth.save()
    page = read_as(world.doctor(timezone="Pacific/Kiritimati"), "/")
    local, closed = opens.astimezone(zone), fourth.closes_at.astimezone(zone)
    year = "" if local.year == now().astimezone(zone).year else f" {local.year}"
    assert rows(page) == [
        ("1. F: course 1", "Not started"),
        ("2. F: course 2", "Locked: finish “F: course 1” first"),
        ("3. F: course 3", f"Opens {local.day} {local:%B}{year}"),
        ("4. F: course 4", f"Closed on {closed.day} {closed:%B}"),
    ]
    assert "Times are shown for Kiritimati, UTC+14." in page.one("footer").text


def test_a_date_is_the_reader_s_date_with_the_zone_named() -> None:
    opens = (now() + 2 * DAY).replace(hour=20, minute=15)
    world = make_world(1, opens_at=opens)
    for zone, name in (("Asia/Kolkata", "Kolkata, UTC+5:30"), ("America/Sao_Paulo", "Sao Paulo, UTC−3")):
        page = read_as(world.doctor(timezone=zone), "/")
        local = opens.astimezone(ZoneInfo(zone))
        words = f"{local:%A} {local.day} {local:%B}"
        year = "" if local.year == now().astimezone(ZoneInfo(zone)).year else f" {local.year}"
        assert f"{words}{year}, {local:%H:%M} ({name})" in page.text
        assert headline(page).endswith(f"begins on {local.day} {local:%B}{year}")


def test_time_left_is_shown_and_warns_when_it_gets_short() -> None:
    far = read_as(make_world(1, closes_at=now() + 100 * DAY).doctor(timezone="UTC"), "/")
    assert "100 days until" in far.text
    assert far.all("span", "soon") == []
    near = read_as(make_world(1, closes_at=now() + 9 * DAY).doctor(timezone="UTC"), "/")
    assert [chip.text for chip in near.all("span", "soon")] == ["9 days"]


def test_finished() -> None:
    world = make_world(2, title="Fertility 2026")
    user = world.doctor()
    complete(user, *world.courses)
    page = read_as(user, "/")
    assert headline(page) == "You have finished Fertility 2026"
    assert "All two courses that count are complete" in page.text
    assert page.all("svg", "ring")[0].attrs["aria-label"] == "2 of 2 courses completed"
    assert not [text for text in page.links() if text.startswith(("Continue", "Start"))]


def test_ended() -> None:
    world = make_world(2, title="Fertility 2025", closes_at=now() + DAY)
    user = world.doctor()
    complete(user, world.courses[0])
    watch(user, world.courses[1], (0, 60))
    world.programme.closes_at = now() - DAY
    world.programme.save()
    page = read_as(user, "/")
    assert headline(page) == "Fertility 2025 has ended"
    assert "You completed 1 of 2 courses" in page.text
    assert not [text for text in page.links() if text.startswith(("Continue", "Start"))]


def test_waiting_for_the_next_course() -> None:
    world = make_world(2)
    user = world.doctor()
    complete(user, world.courses[0])
    world.courses[1].opens_at = now() + 5 * DAY
    world.courses[1].save()
    page = read_as(user, "/")
    assert headline(page) == "You are one course from your certificate"
    assert "Nothing to watch today" in page.text
    assert "Course 2 opens on" in page.text


def test_nothing_published_yet() -> None:
    page = read_as(make_world(0, title="Fertility 2026").doctor(), "/")
    assert headline(page) == "Fertility 2026 is being prepared"
    assert "The courses are not published yet" in page.text


def test_no_programme() -> None:
    user = UserFactory.create()
    for status in (EnrolmentStatus.SUSPENDED, EnrolmentStatus.WITHDRAWN):
        EnrolmentFactory.create(user=user, status=status)
    page = read_as(user, "/")
    assert headline(page) == "You are not in a programme yet"
    assert "Programmes are by invitation" in page.text
    assert page.all("ol") == []


@pytest.mark.parametrize("role", [Role.PRESENTER, Role.MODERATOR, Role.OPERATOR])
def test_people_with_a_role_and_no_enrolment_are_shown_the_way_to_their_work(role: Role) -> None:
    page = read_as(RoleGrantFactory.create(role=role).user, "/")
    assert headline(page) == "Welcome to Rounds"
    assert page.links()["See my programmes"] == "/programmes/"
    assert ("Administration" in page.links()) == (role != Role.PRESENTER)


@pytest.mark.parametrize(
    ("role", "words"),
    [
        (Role.SPONSOR, ("never who they are", "ask the organiser who gave you access")),
        (
            Role.AUDITOR,
            ("access as an auditor", "Each look is recorded", "the evidence of each activity"),
        ),
    ],
)
@pytest.mark.parametrize("address", ["/", "/programmes/"])
def test_sponsors_and_auditors_are_told_what_they_find_and_whom_to_ask(
    role: Role, words: tuple[str, ...], address: str
) -> None:
    world = make_world(1, title="Confidential")
    user = RoleGrantFactory.create(role=role, programme=world.programme).user
    page = read_as(user, address)
    assert headline(page) == ("Welcome to Rounds" if address == "/" else "Your programmes")
    assert [one for one in words if one not in page.text] == []
    assert ("Open the administration" in page.links()) == (role == Role.AUDITOR)
    assert "by invitation" not in page.text
    assert "Confidential" not in page.source
    browser = signed_in(user)
    local = {href for href in page.links().values() if href.startswith("/")}
    assert {href: browser.get(href).status_code for href in local} == dict.fromkeys(local, 200)


def test_several_programmes() -> None:
    one, other, foreign = make_world(1, title="One"), make_world(1, title="Other"), make_world(1, title="Foreign")
    user = one.doctor()
    EnrolmentFactory.create(user=user, programme=other.programme)
    watch(user, one.courses[0], (0, 100))
    foreign.doctor()
    page = read_as(user, "/")
    assert headline(page) == "You have two programmes under way"
    programmes = {href for href in page.links().values() if href.startswith("/programmes/") and href != "/programmes/"}
    assert programmes == {f"/programmes/{world.programme.slug}/" for world in (one, other)}
    assert "Foreign" not in page.source


@pytest.mark.parametrize("size", [1, 3, 10])
def test_home_costs_the_same_for_any_size(size: int, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    world = make_world(size)
    browser = signed_in(user := world.doctor())
    EnrolmentFactory.create(user=user, programme=make_world(size).programme)
    for course in world.courses:
        watch(user, course, (0, 60))
    browser.get("/")  # the first one also fills the session's cache
    with django_assert_num_queries(8):
        assert browser.get("/").status_code == 200


def test_catalogue_lists_exactly_their_own_programmes() -> None:
    mine, foreign, staffed = make_world(2, title="Mine"), make_world(1, title="Foreign"), make_world(1, title="Staffed")
    user = mine.doctor()
    page = read_as(user, "/programmes/")
    assert [heading.text for heading in page.all("h3")] == ["Mine"]
    RoleGrantFactory.create(user=user, role=Role.MODERATOR, programme=staffed.programme)
    page = read_as(user, "/programmes/")
    assert [heading.text for heading in page.all("h3")] == ["Mine", "Staffed"]
    assert foreign.programme.slug not in page.source


def test_catalogue_without_a_programme_says_what_to_expect() -> None:
    page = read_as(UserFactory.create(), "/programmes/")
    assert "No programme yet" in page.text


def test_catalogue_has_pages_for_those_who_work_on_many() -> None:
    operator = RoleGrantFactory.create(role=Role.OPERATOR, programme=None).user
    ProgrammeFactory.create_batch(23)
    browser = signed_in(operator)
    assert len(read(browser, "/programmes/").all("h3")) == 20
    second = read(browser, "/programmes/?page=2")
    assert len(second.all("h3")) == 3
    assert second.links()["Previous"] == "?page=1"
    assert len(read(browser, "/programmes/?page=%3Cscript%3E").all("h3")) == 20


@pytest.mark.parametrize("size", [1, 3, 10])
def test_catalogue_costs_the_same_for_any_size(size: int, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    user = UserFactory.create()
    for _ in range(size):
        EnrolmentFactory.create(user=user, programme=make_world(2).programme)
        RoleGrantFactory.create(user=user)
    browser = signed_in(user)
    browser.get("/programmes/")
    with django_assert_num_queries(12):
        assert browser.get("/programmes/").status_code == 200
