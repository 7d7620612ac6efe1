"""Who doctors are and what they asked in private: for staff after the second step only, by page, file and API alike."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from accounts.enums import Role
from accounts.models import AuditEvent, Device, User
from analytics.domain.exporting.catalogue import DATASETS
from analytics.domain.exporting.datasets import Scope
from courses.domain.roles import grant_role
from courses.models import Course
from tests.analytics.shared_world import well_shared
from tests.factories.accounts import UserFactory
from tests.factories.courses import CourseFactory
from tests.signing_in import device_of, signed_in
from webinars.models import Webinar

pytestmark = pytest.mark.django_db

LOOKS = ("report.exported", "report.at_risk", "shared_figures.read", "shared_figures.exported")


@pytest.fixture
def course() -> Course:
    found: Course = CourseFactory.create()
    return found


@pytest.fixture
def webinar(course: Course) -> Webinar:
    return well_shared(course)


def person(course: Course, role: Role) -> User:
    user: User = UserFactory.create()
    grant_role(user=user, role=role, programme=course.programme, granted_by=None, now=now())
    return user


def addresses(course: Course, webinar: Webinar) -> tuple[list[str], list[str]]:
    """Pages and files; and the API."""
    slug, calls = course.programme.slug, []
    pages = [f"/reports/{slug}/{page}" for page in ("", "at-risk/", "quality/")]
    for key, dataset in DATASETS.items():
        about, kind = (slug, "programmes") if dataset.scope is Scope.PROGRAMME else (webinar.pk, "webinars")
        of = f"/reports/{slug}" if dataset.scope is Scope.PROGRAMME else f"/presenting/{webinar.pk}"
        pages.append(f"{of}/export/{key}.csv")
        calls.append(f"/api/v1/reports/{kind}/{about}/{key}/")
    return [*pages, *shared(course)], calls


def shared(course: Course) -> list[str]:
    return [f"/shared/{course.programme.slug}/", f"/shared/{course.programme.slug}/figures.csv"]


def answers(browser: Client, paths: list[str]) -> list[tuple[str, int, str]]:
    return [(path, found.status_code, found.get("Location", "")) for path in paths for found in [browser.get(path)]]


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.OPERATOR])
def test_sec_07_staff_read_nobodys_name_before_the_second_step(course: Course, webinar: Webinar, role: Role) -> None:
    browser = signed_in(person(course, role), second_step=False)
    pages, calls = addresses(course, webinar)
    first = reverse("mfa_activate_totp")

    assert answers(browser, pages) == [(path, 302, first) for path in pages]
    for path in calls:
        refused = browser.get(path)
        assert (refused.status_code, refused["Content-Type"]) == (403, "application/problem+json")
        assert refused.json()["code"] == "second_step_needed"
    assert not AuditEvent.objects.filter(action__in=LOOKS).exists()

    Device.objects.filter(pk=device_of(browser).pk).update(mfa_at=now())
    opened = [*pages, *calls]
    assert answers(browser, opened) == [(path, 200, "") for path in opened]


def test_sec_07_auditors_too_and_nobody_else_is_asked(course: Course, webinar: Webinar) -> None:
    """Sponsors and presenters cannot open the administration, and are given no second step to pass."""
    auditor = signed_in(person(course, Role.AUDITOR), second_step=False)
    first = reverse("mfa_activate_totp")
    assert answers(auditor, shared(course)) == [(path, 302, first) for path in shared(course)]
    sponsor = signed_in(person(course, Role.SPONSOR), second_step=False)
    assert answers(sponsor, shared(course)) == [(path, 200, "") for path in shared(course)]
    presenter = signed_in(webinar.presenters.get(), second_step=False)
    own = [f"/presenting/{webinar.pk}/export/questions.csv", f"/api/v1/reports/webinars/{webinar.pk}/questions/"]
    assert answers(presenter, own) == [(path, 200, "") for path in own]
