"""What the pages of the admin do, beyond who may open them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils.functional import empty

from accounts.enums import Role
from accounts.models import AuditEvent, User
from courses.enums import EnrolmentStatus, LessonKind, PublishStatus
from courses.models import Course, Enrolment, Lesson, Programme
from lms import admin_site
from media.enums import VideoStatus
from tests.factories.accounts import UserFactory
from tests.factories.courses import (
    CohortFactory,
    CourseFactory,
    EnrolmentFactory,
    LessonFactory,
    ProgrammeFactory,
    RoleGrantFactory,
)
from tests.factories.media import VideoFactory
from tests.factories.webinars import WebinarFactory
from tests.signing_in import signed_in
from webinars.models import Webinar

pytestmark = pytest.mark.django_db
SUBMITTED = {"_form_submitted": "on"}


@pytest.fixture
def programme() -> Programme:
    one: Programme = ProgrammeFactory(title="Fertility 2026")
    return one


@pytest.fixture
def moderator(programme: Programme) -> User:
    user: User = RoleGrantFactory(programme=programme).user
    return user


@pytest.fixture
def client(moderator: User) -> Client:
    return signed_in(moderator)


def url(name: str, row: Any) -> str:
    return reverse(f"admin:courses_{name}", args=(row.pk,))


def told(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def programme_form(programme: Programme, rows: list[dict[str, object]], initial: int) -> dict[str, object]:
    data: dict[str, object] = {
        "title": programme.title, "slug": programme.slug, "society": "", "summary": "", "timezone": "Europe/Lisbon",
        "completion_rule": "all", "required_count": "7",
        "courses-TOTAL_FORMS": len(rows), "courses-INITIAL_FORMS": initial, "courses-MIN_NUM_FORMS": 0,
        "courses-MAX_NUM_FORMS": 1000, "cohorts-TOTAL_FORMS": 0, "cohorts-INITIAL_FORMS": 0,
        "cohorts-MIN_NUM_FORMS": 0, "cohorts-MAX_NUM_FORMS": 1000,
    }  # fmt: skip
    for number, row in enumerate(rows):
        data |= {f"courses-{number}-{name}": value for name, value in row.items()}
    return data


def row_of(course: Course, position: object, **changes: object) -> dict[str, object]:
    return {"id": course.pk, "programme": course.programme_id, "position": position, "title": course.title, **changes}


def test_courses_are_dragged_renamed_and_added_in_one_save(client: Client, programme: Programme) -> None:
    """The theme counts dragged rows from 0; a new row between two others keeps its place."""
    first, second = (CourseFactory(programme=programme, title=title) for title in ("First", "Second"))
    rows = [
        row_of(first, 2, is_required="on"),
        row_of(second, 0, title="Second, renamed"),
        {"id": "", "programme": programme.pk, "position": 1, "title": "New", "is_required": "on"},
    ]
    response = client.post(url("programme_change", programme), programme_form(programme, rows, 2))
    assert response.status_code == 302, response.context["errors"]
    found = programme.courses.values_list("position", "title", "status", "is_required")
    assert list(found) == [
        (1, "Second, renamed", PublishStatus.PUBLISHED, False),
        (2, "New", PublishStatus.DRAFT, True),
        (3, "First", PublishStatus.PUBLISHED, True),
    ]


def test_a_new_course_without_a_number_goes_to_the_end(client: Client, programme: Programme) -> None:
    first = CourseFactory(programme=programme, title="First")
    rows = [row_of(first, 5), {"id": "", "programme": programme.pk, "position": "", "title": "New"}]
    client.post(url("programme_change", programme), programme_form(programme, rows, 1))
    assert list(programme.courses.values_list("position", "title")) == [(1, "First"), (2, "New")]


def test_a_programmes_form_forgets_a_number_that_its_rule_does_not_need(client: Client, programme: Programme) -> None:
    assert client.post(url("programme_change", programme), programme_form(programme, [], 0)).status_code == 302
    programme.refresh_from_db()
    assert (programme.completion_rule, programme.required_count) == ("all", None)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"completion_rule": "n_of_m", "required_count": ""}, "required_count"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        (
            {"opens_at_0": "2026-05-02", "opens_at_1": "09:00", "closes_at_0": "2026-05-01", "closes_at_1": "09:00"},
            "closes_at",
        ),
        ({"title": "x" * 10_000_000}, "title"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(
    client: Client, programme: Programme, changes: dict[str, str], field: str, settings: Any
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 20_000_000
    response = client.post(url("programme_change", programme), programme_form(programme, [], 0) | changes)
    assert response.status_code == 200
    assert list(response.context["adminform"].form.errors) == [field]
    programme.refresh_from_db()
    assert programme.title == "Fertility 2026"


def test_courses_that_wait_for_each_other_are_refused(client: Client, programme: Programme) -> None:
    first, second = (CourseFactory(programme=programme) for _ in range(2))
    second.prerequisites.add(first)
    empty = {f"lessons-{name}_FORMS": "0" for name in ("TOTAL", "INITIAL", "MIN_NUM", "MAX_NUM")}
    data = {"title": "First", "summary": "", "completion_rule": "all", **empty}
    for prerequisite in (second, first):
        assert client.post(url("course_change", first), data | {"prerequisites": prerequisite.pk}).status_code == 200
    assert not first.prerequisites.exists()


def test_lessons_are_added_ordered_and_removed_in_their_course(client: Client, programme: Programme) -> None:
    course = CourseFactory(programme=programme)
    first, second = (LessonFactory(course=course, title=title) for title in ("First", "Second"))
    data = {
        "title": course.title, "summary": "", "completion_rule": "all",
        "lessons-TOTAL_FORMS": 3, "lessons-INITIAL_FORMS": 2, "lessons-MIN_NUM_FORMS": 0, "lessons-MAX_NUM_FORMS": 99,
        "lessons-0-id": first.pk, "lessons-0-course": course.pk, "lessons-0-position": 1, "lessons-0-title": "First",
        "lessons-0-kind": "webinar", "lessons-0-DELETE": "on",
        "lessons-1-id": second.pk, "lessons-1-course": course.pk, "lessons-1-position": 2, "lessons-1-title": "Second",
        "lessons-1-kind": "webinar", "lessons-1-is_required": "on",
        "lessons-2-course": course.pk, "lessons-2-position": 0, "lessons-2-title": "New", "lessons-2-kind": "webinar",
    }  # fmt: skip
    response = client.post(url("course_change", course), data)
    assert response.status_code == 302, response.context["errors"]
    assert list(course.lessons.values_list("position", "title")) == [(1, "New"), (2, "Second")]
    assert Webinar.objects.filter(lesson__title="New").count() == 1


def test_a_new_webinar_lesson_offers_its_video_and_presenters(client: Client, programme: Programme) -> None:
    course = CourseFactory(programme=programme)
    data = {"course": course.pk, "kind": LessonKind.WEBINAR, "title": "PCOS", "summary": "", "is_required": "on"}
    response = client.post(reverse("admin:courses_lesson_add"), data)
    assert response.status_code == 302, response.context["errors"]
    lesson = Lesson.objects.get()
    page = client.get(url("lesson_change", lesson))
    assert [one.formset.prefix for one in page.context["inline_admin_formsets"]] == ["webinar"]
    document = LessonFactory(course=course, kind=LessonKind.DOCUMENT)
    assert client.get(url("lesson_change", document)).context["inline_admin_formsets"] == []


@pytest.mark.parametrize("page", ["publish", "duplicate", "archive"])
def test_sec_21_looking_at_a_dialog_changes_nothing(client: Client, programme: Programme, page: str) -> None:
    course = CourseFactory(programme=programme, status=PublishStatus.DRAFT)
    LessonFactory(course=course)
    response = client.get(url(f"course_{page}", course))
    assert response.status_code == 200
    assert list(programme.courses.values_list("status", flat=True)) == [PublishStatus.DRAFT]


def test_sec_21_an_action_without_the_csrf_token_is_refused(moderator: User, programme: Programme) -> None:
    course = CourseFactory(programme=programme, status=PublishStatus.DRAFT)
    LessonFactory(course=course)
    strict = signed_in(moderator, enforce_csrf_checks=True)
    assert strict.post(url("course_publish", course), SUBMITTED).status_code == 403
    course.refresh_from_db()
    assert course.status == PublishStatus.DRAFT


def test_publishing_warns_and_archiving_hides(client: Client, programme: Programme) -> None:
    course = CourseFactory(programme=programme, status=PublishStatus.DRAFT)
    refused = client.post(url("course_publish", course), SUBMITTED)
    assert told(refused) == [f"“{course.title}” has no lesson yet."]
    Webinar.objects.create(lesson=LessonFactory(course=course, title="AMH"))
    published = client.post(url("course_publish", course), SUBMITTED)
    assert told(published)[-2:] == [f"“{course.title}” is published.", "“AMH”: no video is chosen yet."]
    course.refresh_from_db()
    assert course.status == PublishStatus.PUBLISHED
    client.post(url("course_archive", course), SUBMITTED)
    course.refresh_from_db()
    assert course.status == PublishStatus.ARCHIVED


def test_a_course_is_duplicated_after_a_confirmation(client: Client, programme: Programme) -> None:
    course = CourseFactory(programme=programme, title="PCOS")
    LessonFactory(course=course, title="AMH")
    assert 'value="PCOS (copy)"' in client.get(url("course_duplicate", course)).content.decode()
    response = client.post(url("course_duplicate", course), SUBMITTED | {"title": "PCOS 2027"}, HTTP_HX_REQUEST="true")
    copy = Course.objects.get(title="PCOS 2027")
    assert response.headers["HX-Redirect"] == url("course_change", copy)
    assert list(copy.lessons.values_list("title", flat=True)) == ["AMH"]
    assert client.post(url("course_duplicate", course), SUBMITTED | {"title": ""}).status_code == 200
    assert Course.objects.count() == 2


def test_the_preview_is_the_doctors_page_with_a_banner(client: Client, programme: Programme) -> None:
    CourseFactory(programme=programme, title="Still a draft", status=PublishStatus.DRAFT)
    page = client.get(url("programme_preview", programme), follow=True)
    text = page.content.decode()
    assert page.redirect_chain == [(reverse("programme", args=(programme.slug,)), 302)]
    assert "You see this programme as a doctor who has not started" in text
    assert "Still a draft" in text


def colleague_of(moderator: User, email: str) -> User:
    """Somebody enrolled in another programme of theirs."""
    other = RoleGrantFactory(user=moderator).programme
    found: User = EnrolmentFactory(programme=other, user__email=email).user
    return found


class TestBulkEnrol:
    def test_first_a_look_then_the_deed(self, client: Client, programme: Programme, moderator: User) -> None:
        cohort = CohortFactory(programme=programme, name="Asia")
        new = colleague_of(moderator, "new@example.org")
        EnrolmentFactory(programme=programme, user__email="known@example.org")
        UserFactory(email="who@example.org")
        data = {
            "addresses": "new@example.org known@example.org who@example.org",
            "cohort": cohort.pk,
            "status": "invited",
        }
        page = client.post(url("programme_bulk_enrol", programme), data)
        assert "Not found: ask an operator to invite them" in page.content.decode()
        plan = page.context["plan"]
        assert ([user.pk for user in plan.new], plan.unknown) == ([new.pk], ("who@example.org",))
        assert not Enrolment.objects.filter(user=new, programme=programme).exists()
        done = client.post(
            url("programme_bulk_enrol", programme),
            data | {"addresses": page.context["text"], "confirmed": "1"},
        )
        assert done.status_code == 302
        made = Enrolment.objects.get(user=new, programme=programme)
        assert (made.programme, made.cohort, made.status) == (programme, cohort, EnrolmentStatus.INVITED)
        event = AuditEvent.objects.get(action="enrolment.bulk")
        assert (event.actor, event.details["created"], event.details["cohort"]) == (moderator, 1, "Asia")

    def test_a_file_and_the_text_are_one_list(self, client: Client, programme: Programme, moderator: User) -> None:
        people = [colleague_of(moderator, f"{name}@example.org") for name in ("anna", "bert")]
        file = SimpleUploadedFile("list.csv", b"Name;Email\nBert;bert@example.org\n")
        data = {"addresses": "anna@example.org", "file": file, "status": "active"}
        page = client.post(url("programme_bulk_enrol", programme), data)
        assert list(page.context["plan"].new) == people

    @pytest.mark.parametrize(
        ("data", "field"),
        [
            ({"addresses": "  "}, "__all__"),
            ({"file": SimpleUploadedFile("x.csv", b"\xff\xfe\x00broken")}, "file"),
            ({"addresses": "a@x.org", "cohort": "999999"}, "cohort"),
            ({"addresses": "a@x.org", "status": "completed"}, "status"),
            ({"addresses": "a@x.org " * 300_000}, "addresses"),
        ],
    )
    def test_what_cannot_be_read_is_said_and_nobody_is_enrolled(
        self, client: Client, programme: Programme, data: dict[str, Any], field: str, settings: Any
    ) -> None:
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 20_000_000
        UserFactory(email="a@x.org")
        page = client.post(url("programme_bulk_enrol", programme), {"status": "invited", "confirmed": "1"} | data)
        assert page.status_code == 200
        assert list(page.context["form"].errors) == [field]
        assert not Enrolment.objects.exists()

    def test_a_foreign_cohort_is_no_choice(self, client: Client, programme: Programme) -> None:
        UserFactory(email="a@x.org")
        data = {"addresses": "a@x.org", "status": "invited", "cohort": CohortFactory().pk, "confirmed": "1"}
        assert client.post(url("programme_bulk_enrol", programme), data).status_code == 200
        assert not Enrolment.objects.exists()


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.OPERATOR])
def test_only_an_operator_is_offered_the_import_of_people(programme: Programme, role: str) -> None:
    client = signed_in(RoleGrantFactory(programme=programme, role=role).user)
    address = url("programme_invite", programme)
    assert (address in client.get(url("programme_change", programme)).content.decode()) is (role == Role.OPERATOR)
    page = client.get(address, follow=True)
    assert page.status_code == (200 if role == Role.OPERATOR else 403)
    if role == Role.OPERATOR:
        assert page.context["form"]["programme"].value() == str(programme.pk)


def test_enrolments_are_moved_in_bulk_and_each_is_recorded(
    client: Client, programme: Programme, moderator: User
) -> None:
    people = [EnrolmentFactory(programme=programme) for _ in range(2)]
    data = {"action": "suspend", "_selected_action": [one.pk for one in people]}
    client.post(reverse("admin:courses_enrolment_changelist"), data)
    assert set(Enrolment.objects.values_list("status", flat=True)) == {EnrolmentStatus.SUSPENDED}
    events = AuditEvent.objects.filter(action="enrolment.suspended", actor=moderator)
    assert set(events.values_list("subject_id", flat=True)) == {str(one.user_id) for one in people}
    client.post(reverse("admin:courses_enrolment_changelist"), data)
    assert events.count() == 2
    client.post(reverse("admin:courses_enrolment_changelist"), data | {"action": "reinstate"})
    assert set(Enrolment.objects.values_list("status", flat=True)) == {EnrolmentStatus.ACTIVE}


def test_a_refused_move_is_told_and_the_others_are_done(client: Client, programme: Programme) -> None:
    gone = EnrolmentFactory(programme=programme, status=EnrolmentStatus.WITHDRAWN)
    here = EnrolmentFactory(programme=programme)
    data = {"action": "suspend", "_selected_action": [gone.pk, here.pk]}
    response = client.post(reverse("admin:courses_enrolment_changelist"), data)
    assert told(response) == [
        "An enrolment cannot go from “Withdrawn” to “Suspended”.",
        "1 enrolment is changed.",
    ]
    assert dict(Enrolment.objects.values_list("pk", "status")) == {gone.pk: "withdrawn", here.pk: "suspended"}


@pytest.mark.parametrize("name", ["programme", "course", "lesson", "enrolment", "rolegrant"])
def test_a_list_costs_the_same_for_one_row_and_for_three(
    django_assert_num_queries: Callable[[int], AbstractContextManager[Any]], name: str
) -> None:
    operator = signed_in(RoleGrantFactory(role=Role.OPERATOR, programme=None).user)
    address = reverse(f"admin:courses_{name}_changelist")

    def grow() -> None:
        programme = ProgrammeFactory()
        LessonFactory(course__programme=programme)
        EnrolmentFactory(programme=programme)
        RoleGrantFactory(programme=programme)

    grow()
    operator.get(address)
    with django_assert_num_queries(1000, exact=False) as counted:  # type: ignore[call-arg]
        operator.get(address)
    first = len(counted.captured_queries)
    grow()
    grow()
    with django_assert_num_queries(first):
        operator.get(address)


class TestOverview:
    def overview(self, client: Client) -> dict[str, list[str]]:
        notices = client.get(reverse("admin:index")).context["notices"]
        return {notice.title: list(notice.details) for notice in notices}

    def test_it_names_what_needs_attention_and_nothing_of_others(
        self, client: Client, programme: Programme, moderator: User
    ) -> None:
        failed = {"error_code": "unreadable", "error_message": "The file is damaged and cannot be read."}
        VideoFactory(title="Mine", status=VideoStatus.FAILED, created_by=moderator, **failed)
        shared = VideoFactory(title="A colleague's", status=VideoStatus.FAILED, created_by=UserFactory(), **failed)
        foreign = VideoFactory(title="Omega", status=VideoStatus.FAILED, created_by=UserFactory(), **failed)
        WebinarFactory(lesson__course__programme=programme, lesson__course__position=90, video=shared)
        WebinarFactory(video=foreign)
        for one, title in ((programme, "Alpha"), (ProgrammeFactory(), "Omega")):
            CourseFactory(programme=one, title=f"Draft {title}", status=PublishStatus.DRAFT)
            LessonFactory(course__programme=one, title=f"Empty {title}")
            EnrolmentFactory(programme=one, status=EnrolmentStatus.INVITED, enrolled_at="2026-01-01T00:00Z")
        assert self.overview(client) == {
            "Videos could not be prepared": [
                "A colleague's: The file is damaged and cannot be read.",
                "Mine: The file is damaged and cannot be read.",
            ],
            "1 lesson still needs its video": ["Empty Alpha"],
            "1 invited doctor has not signed in for a week": [],
            "1 course is a draft": [f"Draft Alpha · {programme}"],
        }

    def test_with_nothing_to_do_it_says_so(self, client: Client) -> None:
        page = client.get(reverse("admin:index"))
        assert page.context["notices"] == []
        assert "Nothing at the moment." in page.content.decode()

    def test_a_lesson_far_in_the_future_may_still_be_empty(self, client: Client, programme: Programme) -> None:
        LessonFactory(course__programme=programme, course__opens_at="2036-01-01T00:00Z")
        assert self.overview(client) == {}

    def test_the_sidebar_has_only_what_opens(self, client: Client) -> None:
        page = client.get(reverse("admin:index"))
        groups = admin_site.navigation(page.wsgi_request)
        links = [item["link"] for group in groups for item in group["items"]]
        names = (
            "admin:index", "admin:courses_programme_changelist", "admin:courses_course_changelist",
            "admin:courses_lesson_changelist", "admin:webinars_webinar_changelist",
            "admin:webinars_spotwindow_changelist", "admin:media_video_changelist", "desk:list",
            "admin:assessments_quiz_changelist", "admin:assessments_bank_changelist",
            "admin:assessments_item_changelist",
            "admin:assessments_board_changelist", "admin:assessments_analysisreport_changelist",
            "admin:assessments_evaluationform_changelist", "admin:assessments_evaluation_changelist",
            "assessments:marking", "admin:certification_activity_changelist",
            "admin:certification_discloser_changelist", "admin:certification_certificate_changelist",
            "admin:certification_certificatetemplate_changelist", "admin:reminders_messagepolicy_changelist",
            "admin:reminders_campaign_changelist", "admin:reminders_templateset_changelist",
            "admin:reminders_delivery_changelist", "admin:reminders_consentrecord_changelist",
            "admin:reminders_suppression_changelist", "admin:courses_enrolment_changelist",
        )  # fmt: skip
        assert links == [reverse(name) for name in names]
        assert {link: client.get(link).status_code for link in links} == dict.fromkeys(links, 200)

    def test_the_list_of_apps_is_made_for_pages_that_show_it(self, client: Client) -> None:
        page = client.get(reverse("admin:courses_course_changelist"))
        assert page.context["available_apps"]._wrapped is empty
        page = client.get(reverse("admin:app_list", args=["courses"]))
        (app,) = page.context["app_list"]
        shown = {one["object_name"] for one in app["models"]}
        assert shown == {"Programme", "Course", "Lesson", "Enrolment"}
        assert all(one["admin_url"] in page.content.decode() for one in app["models"])

    def test_every_entry_of_an_operators_sidebar_opens(self) -> None:
        operator = signed_in(RoleGrantFactory(role=Role.OPERATOR, programme=None).user)
        groups = admin_site.navigation(operator.get(reverse("admin:index")).wsgi_request)
        links = [item["link"] for group in groups for item in group["items"]]
        assert reverse("admin:courses_rolegrant_changelist") in links
        assert {link: operator.get(link).status_code for link in links} == dict.fromkeys(links, 200)
