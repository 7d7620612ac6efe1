"""The pages of sponsors and auditors, and the doctor's own word about being named there."""

import csv
import io
import zipfile
from datetime import timedelta
from typing import Any

import pypdfium2
import pytest
from django.utils import translation
from django.utils.timezone import now

from accounts.enums import Role
from accounts.models import AuditEvent, User
from analytics.domain.sharing.consent import LONGEST, agree, withdraw, wording_of
from analytics.models import SharingConsent
from courses.enums import EnrolmentStatus
from courses.models import Course, Enrolment
from tests.analytics.shared_world import AGO, doctors_of, well_shared
from tests.factories.courses import CourseFactory, EnrolmentFactory, ProgrammeFactory, RoleGrantFactory
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def course() -> Course:
    found: Course = CourseFactory.create()
    well_shared(found)
    return found


def reader(course: Course, role: Role = Role.SPONSOR) -> User:
    user: User = RoleGrantFactory.create(programme=course.programme, role=role).user
    return user


def _text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def test_sec_39_a_sponsor_reads_numbers_and_only_the_names_of_who_agreed(course: Course) -> None:
    sponsor = reader(course)
    page = _text(signed_in(sponsor).get(f"/shared/{course.programme.slug}/"))
    for words in ("India", "Everything until the end of", "Watched a lecture", "Endometriosis", "fewer than five"):
        assert words in page
    assert "Malta" not in page
    doctors = doctors_of(course)
    named = {user.get_full_name() for user in doctors if f"<bdi>{user.get_full_name()}</bdi>" in page}
    assert named == {user.get_full_name() for user in doctors[:6]}
    assert [user.email for user in doctors if user.email in page] == []
    assert f"For {sponsor.get_full_name()} ({sponsor.email})" in page


def test_sec_32_every_look_and_every_file_is_in_the_trail(course: Course) -> None:
    auditor = reader(course, Role.AUDITOR)
    browser = signed_in(auditor)
    before = set(AuditEvent.objects.values_list("pk", flat=True))
    browser.get("/shared/")
    browser.get(f"/shared/{course.programme.slug}/")
    b"".join(browser.get(f"/shared/{course.programme.slug}/figures.xlsx").streaming_content)  # type: ignore[attr-defined]
    events = AuditEvent.objects.exclude(pk__in=before).order_by("pk")
    about = str(course.programme.pk)
    assert [(one.action, one.actor, one.subject_id, one.details) for one in events] == [
        ("shared_figures.listed", auditor, "", {}),
        ("shared_figures.read", auditor, about, {}),
        ("shared_figures.exported", auditor, about, {"form": "xlsx"}),
    ]


def test_others_find_nothing_and_leave_no_trace_of_a_look(course: Course) -> None:
    doctor = doctors_of(course)[0]
    elsewhere = RoleGrantFactory.create(role=Role.SPONSOR).user
    presenter = RoleGrantFactory.create(programme=course.programme, role=Role.PRESENTER).user
    for user in (doctor, elsewhere, presenter):
        browser = signed_in(user)
        assert browser.get(f"/shared/{course.programme.slug}/").status_code == 404
        assert browser.get(f"/shared/{course.programme.slug}/figures.csv").status_code == 404
    assert not AuditEvent.objects.filter(action__in=("shared_figures.read", "shared_figures.exported")).exists()
    assert signed_in(reader(course)).get(f"/shared/{course.programme.slug}/figures.docx").status_code == 404


def test_the_list_has_ones_own_programmes_only(course: Course) -> None:
    ProgrammeFactory.create(title="Another one")
    page = _text(signed_in(reader(course)).get("/shared/"))
    assert course.programme.title in page
    assert "Another one" not in page
    assert "There are no figures for you" in _text(signed_in(doctors_of(course)[0]).get("/shared/"))


def test_every_row_of_a_file_says_for_whom_it_was_made(course: Course) -> None:
    sponsor = reader(course)
    User.objects.filter(pk=sponsor.pk).update(title="", first_name="=cmd|' /C calc'!A0", last_name="")
    course.programme.title = "+Fertility"
    course.programme.save()
    address = f"/shared/{course.programme.slug}/figures"
    response = signed_in(sponsor).get(f"{address}.csv")
    rows = list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))))  # type: ignore[attr-defined]
    mark = rows[0][0]
    assert mark.startswith("For =cmd|")  # no formula: it begins with a word
    assert "+Fertility" in mark
    assert sponsor.email in mark
    assert {row[-1] for row in rows[2:]} == {mark}
    assert ["Funnel", "Invited", "40", "", mark] in rows
    assert ["By country", "India", "20", "", mark] in rows
    assert sum(row[0] == "Doctors who agreed to be named" for row in rows) == 6
    made = signed_in(sponsor).get(f"{address}.xlsx")
    with zipfile.ZipFile(io.BytesIO(b"".join(made.streaming_content))) as archive:  # type: ignore[attr-defined]
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<headerFooter><oddHeader>&amp;CFor =cmd|" in sheet
    assert "<f>" not in sheet
    printed = signed_in(sponsor).get(f"{address}.pdf").content
    pages = [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(printed)]
    assert all(sponsor.email in page for page in pages)
    assert "India" in "".join(pages)
    assert sheet.count(sponsor.email) == len(rows) + 1 - 1  # every row but the headings, and the printed header


def test_sec_39_a_file_taken_after_the_page_has_fewer_names_and_the_same_numbers() -> None:
    """Four of the five from Kenya withdraw in between: the fifth must not stand there alone."""
    course = CourseFactory.create()
    well_shared(course, named=0)
    kenyans = [user for user in doctors_of(course) if user.country == "KE"]
    for user in kenyans[:4]:
        agree(user=user, programme=course.programme, wording=wording_of(course.programme), now=now() - AGO)
    address, browser = f"/shared/{course.programme.slug}/", signed_in(reader(course))
    files, pages = [], []
    for _ in range(2):
        pages.append(_text(browser.get(address)))
        taken = b"".join(browser.get(f"{address}figures.csv").streaming_content)  # type: ignore[attr-defined]
        files.append([row[:4] for row in csv.reader(io.StringIO(taken.decode("utf-8-sig")))][1:])
        for user in kenyans[:4]:
            withdraw(user=user, programme=course.programme, now=now())
    title = "Doctors who agreed to be named"
    assert [sum(row[0] == title for row in rows) for rows in files] == [4, 0]
    assert [title in page for page in pages] == [True, False]
    assert ["Kenya" in page for page in pages] == [False, False]
    assert [row for row in files[0] if row[0] != title] == files[1]


def test_before_the_first_day_with_five_doctors_nothing_is_shown() -> None:
    place = EnrolmentFactory.create()
    sponsor = RoleGrantFactory.create(programme=place.programme, role=Role.SPONSOR).user
    page = _text(signed_in(sponsor).get(f"/shared/{place.programme.slug}/"))
    assert "Nothing to show yet" in page
    assert "Invited" not in page


class TestConsent:
    def test_a_doctor_agrees_to_the_words_as_they_stand_and_ends_it(self) -> None:
        place = EnrolmentFactory.create()
        browser = signed_in(place.user)
        address = f"/account/sharing/{place.programme.slug}/"
        words = wording_of(place.programme)
        page = _text(browser.get("/account/sharing/"))
        assert "Your name is not shown" in page
        assert "your name is there from tomorrow at the earliest" in page
        for _ in range(2):
            browser.post(f"{address}agree/", {"wording": words})
        (given,) = SharingConsent.objects.filter(user=place.user)
        assert (given.programme, given.wording, given.withdrawn_at) == (place.programme, words, None)
        place.programme.title = "Renamed"
        place.programme.save()
        page = _text(browser.get("/account/sharing/"))
        assert "Renamed" in page
        assert "your name is there from tomorrow at the earliest" in page
        assert given.wording.replace("“", "“") in page
        for _ in range(2):
            browser.post(f"{address}withdraw/")
        given.refresh_from_db()
        assert given.withdrawn_at is not None
        trail = AuditEvent.objects.filter(action__startswith="sharing.").order_by("pk").values_list("action", "actor")
        assert list(trail) == [("sharing.agreed", place.user_id), ("sharing.withdrawn", place.user_id)]
        browser.post(f"{address}agree/", {"wording": wording_of(place.programme)})
        assert SharingConsent.objects.filter(user=place.user).count() == 2

    def test_other_words_than_those_shown_are_no_agreement(self) -> None:
        place = EnrolmentFactory.create()
        browser = signed_in(place.user)
        for wording in ("", "I agree to everything", wording_of(ProgrammeFactory.create())):
            response = browser.post(
                f"/account/sharing/{place.programme.slug}/agree/", {"wording": wording}, follow=True
            )
            assert "The words have changed" in _text(response)
        assert not SharingConsent.objects.exists()

    def test_nobody_agrees_without_a_place_but_everybody_can_end_it(self) -> None:
        place = EnrolmentFactory.create()
        foreign = ProgrammeFactory.create()
        agree(user=place.user, programme=place.programme, wording=wording_of(place.programme), now=now())
        Enrolment.objects.filter(pk=place.pk).update(status=EnrolmentStatus.SUSPENDED)
        browser = signed_in(place.user)
        words = {"wording": wording_of(foreign)}
        assert browser.post(f"/account/sharing/{foreign.slug}/agree/", words).status_code == 404
        assert browser.post(f"/account/sharing/{place.programme.slug}/agree/", words).status_code == 404
        assert place.programme.title in _text(browser.get("/account/sharing/"))
        assert browser.post(f"/account/sharing/{place.programme.slug}/withdraw/").status_code == 302
        assert not SharingConsent.objects.filter(withdrawn_at=None).exists()
        assert place.programme.title not in _text(browser.get("/account/sharing/"))

    def test_one_person_ends_only_their_own(self) -> None:
        mine, other = EnrolmentFactory.create(), EnrolmentFactory.create()
        EnrolmentFactory.create(user=mine.user, programme=other.programme)
        agree(user=other.user, programme=other.programme, wording=wording_of(other.programme), now=now())
        signed_in(mine.user).post(f"/account/sharing/{other.programme.slug}/withdraw/")
        assert SharingConsent.objects.get().withdrawn_at is None

    def test_the_longest_title_fits_and_a_clock_that_is_behind_ends_nothing_before_it_began(self) -> None:
        place = EnrolmentFactory.create(programme__title="x" * 200)
        with translation.override("en"):
            words = wording_of(place.programme)
        assert len(words) < LONGEST
        given = agree(user=place.user, programme=place.programme, wording=words, now=now() + timedelta(hours=1))
        signed_in(place.user).post(f"/account/sharing/{place.programme.slug}/withdraw/")
        given.refresh_from_db()
        assert given.withdrawn_at == given.given_at

    def test_the_list_costs_the_same_for_many_programmes(self, django_assert_num_queries: Any) -> None:
        place = EnrolmentFactory.create()
        browser = signed_in(place.user)
        browser.get("/account/sharing/")
        with django_assert_num_queries(3):
            browser.get("/account/sharing/")
        for _ in range(2):
            EnrolmentFactory.create(user=place.user)
        with django_assert_num_queries(3):
            browser.get("/account/sharing/")
