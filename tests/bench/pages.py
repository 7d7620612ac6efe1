"""Queries and CPU of the pages that every doctor opens, at one size and at ten times that size."""

import statistics
import time
from dataclasses import dataclass

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.factories.accounts import UserFactory
from tests.factories.courses import CourseFactory, EnrolmentFactory, LessonFactory, ProgrammeFactory
from tests.factories.webinars import WatchRecordFactory, WebinarFactory
from tests.signing_in import signed_in

COURSES = 10
REQUESTS = 15


@dataclass(frozen=True)
class Page:
    queries: int
    cpu_ms: float


def measure_pages(lessons_per_course: int) -> dict[str, Page]:
    """A programme of ten courses with so many lectures each, every second one half watched."""
    programme = ProgrammeFactory.create()
    user = UserFactory.create()
    EnrolmentFactory.create(user=user, programme=programme)
    webinars = []
    for _ in range(COURSES):
        course = CourseFactory.create(programme=programme)
        for _ in range(lessons_per_course):
            webinars.append(WebinarFactory.create(lesson=LessonFactory.create(course=course)))
            if len(webinars) % 2:
                WatchRecordFactory.create(user=user, webinar=webinars[-1], coverage=((0, 600), (900, 1800)))
    browser = signed_in(user)
    addresses = {
        "home": "/",
        "programme": f"/programmes/{programme.slug}/",
        "watch": f"/webinars/{webinars[0].pk}/",
    }
    return {name: _measure(browser, address) for name, address in addresses.items()}


def _measure(browser: Client, address: str) -> Page:
    for _ in range(3):
        response = browser.get(address)
        assert response.status_code == 200, f"{address} answers {response.status_code}"
    with CaptureQueriesContext(connection) as captured:
        browser.get(address)
    queries = len(captured)  # the next request resets the log
    times = []
    for _ in range(REQUESTS):
        started = time.process_time()
        browser.get(address)
        times.append(time.process_time() - started)
    return Page(queries, 1000 * statistics.median(times))
