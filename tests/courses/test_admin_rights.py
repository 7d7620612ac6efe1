"""Two programmes side by side, and who may see and do what in the admin. Every list is compared as an exact set."""

import re
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.enums import Role
from accounts.models import User
from courses.enums import LessonKind, PublishStatus
from courses.models import Cohort, Course, Enrolment, Lesson, Programme, RoleGrant
from media.models import Video
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
from tests.signing_in import signed_in
from webinars.models import Webinar

pytestmark = pytest.mark.django_db
MODELS = ("programme", "course", "lesson", "enrolment")


@dataclass
class World:
    """All rows of one programme."""

    programme: Programme
    course: Course
    lesson: Lesson
    cohort: Cohort
    enrolment: Enrolment
    grant: RoleGrant

    def row(self, name: str) -> Any:
        return getattr(self, "grant" if name == "rolegrant" else name)


def make_world(title: str) -> World:
    programme = ProgrammeFactory(title=f"Programme {title}", slug=title.lower())
    course = CourseFactory(programme=programme, title=f"Course {title}")
    lesson = LessonFactory(course=course, title=f"Lesson {title}")
    Webinar.objects.create(lesson=lesson)
    return World(
        programme=programme,
        course=course,
        lesson=lesson,
        cohort=CohortFactory(programme=programme, name=f"Cohort {title}"),
        enrolment=EnrolmentFactory(programme=programme, user__last_name=f"Doctor{title}"),
        grant=RoleGrantFactory(programme=programme, role=Role.PRESENTER, user__last_name=f"Presenter{title}"),
    )


@pytest.fixture
def mine() -> World:
    return make_world("Alpha")


@pytest.fixture
def theirs() -> World:
    return make_world("Omega")


@pytest.fixture
def moderator(mine: World) -> Client:
    return signed_in(RoleGrantFactory(programme=mine.programme, user__last_name="Moderator").user)


@pytest.fixture
def operator() -> Client:
    return signed_in(RoleGrantFactory(role=Role.OPERATOR, programme=None, user__last_name="Operator").user)


def listed(client: Client, name: str, query: str = "") -> set[int]:
    response = client.get(reverse(f"admin:courses_{name}_changelist") + query)
    assert response.status_code == 200
    return {row.pk for row in response.context["cl"].queryset}


def change(client: Client, name: str, row: Any) -> Any:
    return client.get(reverse(f"admin:courses_{name}_change", args=(row.pk,)))


def is_shut(response: Any) -> bool:
    """As if it did not exist: Django's admin leads back to its index, a door of ours answers 404."""
    return response.status_code in {403, 404} or (
        response.status_code == 302 and response["Location"] in {reverse("admin:index"), "/sign-in/"}
    )


@pytest.mark.parametrize("name", MODELS)
def test_a_moderator_lists_and_opens_only_what_is_theirs(
    moderator: Client, mine: World, theirs: World, name: str
) -> None:
    assert listed(moderator, name) == {mine.row(name).pk}
    assert change(moderator, name, mine.row(name)).status_code == 200
    assert is_shut(change(moderator, name, theirs.row(name)))


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("page", ["change", "delete", "history"])
def test_sec_19_no_page_of_a_foreign_row_opens_or_writes(
    moderator: Client, theirs: World, name: str, page: str
) -> None:
    address = reverse(f"admin:courses_{name}_{page}", args=(theirs.row(name).pk,))
    assert is_shut(moderator.get(address))
    assert is_shut(moderator.post(address, {"title": "taken over", "post": "yes"}))
    assert type(theirs.row(name)).objects.filter(pk=theirs.row(name).pk).exists()
    theirs.course.refresh_from_db()
    assert theirs.course.title == "Course Omega"


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("programme", "preview"), ("programme", "bulk_enrol"), ("programme", "invite"),
        ("programme", "publish"), ("programme", "archive"),
        ("course", "preview"), ("course", "publish"), ("course", "duplicate"), ("course", "archive"),
    ],
)  # fmt: skip
def test_sec_19_no_action_works_on_a_foreign_row(moderator: Client, theirs: World, name: str, page: str) -> None:
    Course.objects.update(status=PublishStatus.DRAFT)
    Programme.objects.filter(pk=theirs.programme.pk).update(status=PublishStatus.DRAFT)
    address = reverse(f"admin:courses_{name}_{page}", args=(theirs.row(name).pk,))
    assert is_shut(moderator.get(address))
    data = {"_form_submitted": "on", "title": "Copy", "addresses": "a@x.org", "status": "active", "confirmed": "1"}
    assert is_shut(moderator.post(address, data))
    assert list(theirs.programme.courses.values_list("title", "status")) == [("Course Omega", "draft")]
    assert Programme.objects.get(pk=theirs.programme.pk).status == PublishStatus.DRAFT


@pytest.mark.parametrize("name", MODELS)
def test_searching_and_filtering_do_not_widen_the_view(
    moderator: Client, mine: World, theirs: World, name: str
) -> None:
    assert listed(moderator, name, "?q=Omega") == set()
    if name != "programme":
        path = "course__programme" if name == "lesson" else "programme"
        assert listed(moderator, name, f"?{path}__id__exact={theirs.programme.pk}") <= {mine.row(name).pk}


@pytest.mark.parametrize("name", ["programme", "course", "lesson", "enrolment"])
def test_no_page_of_a_moderator_names_the_other_programme(
    moderator: Client, mine: World, theirs: World, name: str
) -> None:
    """Choice lists, filters, breadcrumbs: the words of the other programme are nowhere in the text."""
    pages: list[Any] = [
        moderator.get(reverse("admin:index")),
        moderator.get(reverse(f"admin:courses_{name}_changelist")),
        change(moderator, name, mine.row(name)),
    ]
    if name in {"course", "lesson"}:
        pages.append(moderator.get(reverse(f"admin:courses_{name}_add")))
    assert [re.findall(r"[^>]*Omega[^<]*", page.content.decode()) for page in pages] == [[]] * len(pages)
    assert any("Alpha" in page.content.decode() for page in pages)


def test_sec_20_a_course_or_lesson_cannot_be_put_into_a_foreign_programme(
    moderator: Client, mine: World, theirs: World
) -> None:
    moderator.post(reverse("admin:courses_course_add"), {"programme": theirs.programme.pk, "title": "Smuggled"})
    moderator.post(
        reverse("admin:courses_lesson_add"),
        {"course": theirs.course.pk, "kind": LessonKind.WEBINAR, "title": "Smuggled"},
    )
    assert not Course.objects.filter(title="Smuggled").exists()
    assert not Lesson.objects.filter(title="Smuggled").exists()


def test_sec_20_status_programme_and_evidence_are_no_form_fields(moderator: Client, mine: World) -> None:
    Course.objects.update(status=PublishStatus.DRAFT)
    data = course_form(mine.course) | {
        "status": "published",
        "programme": "999",
        "programme_id": "999",
        "position": "9",
    }
    response = moderator.post(reverse("admin:courses_course_change", args=(mine.course.pk,)), data)
    assert response.status_code == 302, response.context["errors"]
    course = Course.objects.get(pk=mine.course.pk)
    assert (course.title, course.status, course.programme) == ("Renamed", PublishStatus.DRAFT, mine.programme)


def course_form(course: Course) -> dict[str, str]:
    inline = {f"lessons-{name}_FORMS": "0" for name in ("TOTAL", "INITIAL", "MIN_NUM", "MAX_NUM")}
    return {"title": "Renamed", "summary": "", "completion_rule": "all", "required_count": "", **inline}


def test_prerequisites_of_another_programme_are_refused(moderator: Client, mine: World, theirs: World) -> None:
    data = course_form(mine.course) | {"prerequisites": str(theirs.course.pk)}
    response = moderator.post(reverse("admin:courses_course_change", args=(mine.course.pk,)), data)
    assert response.status_code == 200
    assert not mine.course.prerequisites.exists()


def test_a_cohort_of_another_programme_is_refused(moderator: Client, mine: World, theirs: World) -> None:
    address = reverse("admin:courses_enrolment_change", args=(mine.enrolment.pk,))
    assert moderator.post(address, {"cohort": theirs.cohort.pk}).status_code == 200
    mine.enrolment.refresh_from_db()
    assert mine.enrolment.cohort is None
    assert moderator.post(address, {"cohort": mine.cohort.pk}).status_code == 302
    mine.enrolment.refresh_from_db()
    assert mine.enrolment.cohort == mine.cohort


def test_bulk_actions_leave_foreign_enrolments_alone(moderator: Client, mine: World, theirs: World) -> None:
    chosen = [mine.enrolment.pk, theirs.enrolment.pk]
    moderator.post(reverse("admin:courses_enrolment_changelist"), {"action": "suspend", "_selected_action": chosen})
    statuses = dict(Enrolment.objects.values_list("pk", "status"))
    assert statuses == {mine.enrolment.pk: "suspended", theirs.enrolment.pk: "active"}


def test_a_moderator_neither_makes_nor_deletes_programmes_nor_sees_roles(moderator: Client, mine: World) -> None:
    assert moderator.get(reverse("admin:courses_programme_add")).status_code == 403
    assert moderator.post(reverse("admin:courses_programme_add"), {"title": "New"}).status_code == 403
    assert is_shut(moderator.get(reverse("admin:courses_programme_delete", args=(mine.programme.pk,))))
    assert moderator.get(reverse("admin:courses_rolegrant_changelist")).status_code == 403
    assert (
        moderator.post(
            reverse("admin:courses_rolegrant_add"), {"email": "me@example.org", "role": "operator"}
        ).status_code
        == 403
    )


def test_an_operator_of_one_programme_gives_roles_there_and_nowhere_else(mine: World, theirs: World) -> None:
    operator = RoleGrantFactory(role=Role.OPERATOR, programme=mine.programme)
    client, person = signed_in(operator.user), UserFactory(email="person@example.org")
    assert listed(client, "rolegrant") == {mine.grant.pk, operator.pk}
    assert is_shut(change(client, "rolegrant", theirs.grant))
    address = reverse("admin:courses_rolegrant_add")
    for programme in ("", theirs.programme.pk):
        assert (
            client.post(address, {"email": person.email, "role": "sponsor", "programme": programme}).status_code == 200
        )
    assert (
        client.post(address, {"email": person.email, "role": "moderator", "programme": mine.programme.pk}).status_code
        == 302
    )
    assert [(one.role, one.programme, one.granted_by) for one in person.role_grants.all()] == [
        ("moderator", mine.programme, operator.user)
    ]
    assert User.objects.get(pk=person.pk).is_staff


def test_an_operator_sees_both_programmes_and_every_role(operator: Client, mine: World, theirs: World) -> None:
    for name in MODELS:
        assert listed(operator, name) == {mine.row(name).pk, theirs.row(name).pk}
    assert listed(operator, "rolegrant") == set(RoleGrant.objects.values_list("pk", flat=True))


def test_taking_a_role_away_goes_through_the_domain(operator: Client, mine: World) -> None:
    grant = RoleGrantFactory(programme=mine.programme)
    operator.post(reverse("admin:courses_rolegrant_changelist"), {"action": "revoke", "_selected_action": [grant.pk]})
    assert not RoleGrant.objects.filter(pk=grant.pk).exists()
    assert not User.objects.get(pk=grant.user_id).is_staff
    second = RoleGrantFactory(programme=mine.programme)
    operator.post(reverse("admin:courses_rolegrant_delete", args=(second.pk,)), {"post": "yes"})
    assert not User.objects.get(pk=second.user_id).is_staff


@pytest.mark.parametrize("role", [Role.PRESENTER, Role.SPONSOR, Role.DOCTOR])
def test_nobody_else_enters(mine: World, role: str) -> None:
    user = mine.enrolment.user if role == Role.DOCTOR else RoleGrantFactory(programme=mine.programme, role=role).user
    client = signed_in(user)
    for name in ("index", "courses_programme_changelist", "courses_enrolment_changelist"):
        response = client.get(reverse(f"admin:{name}"))
        assert response.status_code in {302, 403, 404}
        assert b"Alpha" not in response.content


def test_an_auditor_enters_and_finds_nothing_of_courses_and_people(mine: World) -> None:
    client = signed_in(RoleGrantFactory(programme=mine.programme, role=Role.AUDITOR).user)
    assert client.get(reverse("admin:index")).status_code == 200
    for name in ("courses_programme_changelist", "courses_enrolment_changelist", "accounts_user_changelist"):
        assert client.get(reverse(f"admin:{name}")).status_code == 403


def test_a_revoked_moderator_is_out_at_the_next_click(moderator: Client, mine: World) -> None:
    assert listed(moderator, "course") == {mine.course.pk}
    RoleGrant.objects.filter(role=Role.MODERATOR).delete()
    assert is_shut(moderator.get(reverse("admin:courses_course_changelist")))


def test_the_lessons_video_is_chosen_from_ones_own_and_presenters_from_the_programme(
    moderator: Client, mine: World, theirs: World
) -> None:
    page = change(moderator, "lesson", mine.lesson)
    form = page.context["inline_admin_formsets"][0].formset.forms[0]
    assert set(form.fields["presenters"].queryset) == {mine.grant.user}
    own = VideoFactory(title="Alpha lecture", created_by=RoleGrant.objects.get(role=Role.MODERATOR).user)
    VideoFactory(title="Omega lecture", created_by=theirs.grant.user)
    found = moderator.get(
        reverse("admin:autocomplete"),
        {"app_label": "webinars", "model_name": "webinar", "field_name": "video", "term": ""},
    )
    assert [row["id"] for row in found.json()["results"]] == [str(own.pk)]


def test_a_foreign_video_cannot_be_slipped_into_a_lesson(moderator: Client, mine: World, theirs: World) -> None:
    foreign: Video = VideoFactory(title="Omega lecture", created_by=theirs.grant.user)
    webinar = Webinar.objects.get(lesson=mine.lesson)
    data = {
        "title": "Lesson Alpha", "summary": "", "is_required": "on",
        "webinar-TOTAL_FORMS": "1", "webinar-INITIAL_FORMS": "1", "webinar-MIN_NUM_FORMS": "0",
        "webinar-MAX_NUM_FORMS": "1", "webinar-0-id": webinar.pk, "webinar-0-lesson": mine.lesson.pk,
        "webinar-0-video": foreign.pk, "webinar-0-completion_percent": "80",
    }  # fmt: skip
    response = moderator.post(reverse("admin:courses_lesson_change", args=(mine.lesson.pk,)), data)
    assert response.status_code == 200
    webinar.refresh_from_db()
    assert (webinar.video, webinar.completion_percent) == (None, 90)
    own = VideoFactory(created_by=RoleGrant.objects.get(role=Role.MODERATOR).user)
    moderator.post(reverse("admin:courses_lesson_change", args=(mine.lesson.pk,)), data | {"webinar-0-video": own.pk})
    webinar.refresh_from_db()
    assert (webinar.video, webinar.completion_percent) == (own, 80)
