"""What reads much reads from the replica where there is one; while it is away, the same comes from the database."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test.utils import CaptureQueriesContext

from analytics.domain.axis import axis_of
from analytics.domain.exporting.catalogue import DATASETS
from analytics.domain.exporting.datasets import Source
from analytics.domain.presenting.audience import audience_of
from analytics.domain.presenting.overview import overview_of
from analytics.domain.quality import live_now, quality_of
from analytics.domain.retention import retention_of
from analytics.domain.rollups.refreshing import refresh_all
from analytics.domain.sharing.figures import figures_of
from core import replica
from core.clock import now
from core.replica import REPLICA
from tests.analytics.quality_world import tell_of_play
from tests.analytics.shared_world import well_shared
from tests.core.test_replica import second_connection
from tests.factories.courses import CourseFactory
from tests.webinars.watching import NOON
from webinars.models import Webinar

pytestmark = pytest.mark.django_db(transaction=True)
# Rows by the person, by the minute or by the answer.
LARGE = (
    "webinars_watchrecord", "webinars_visit", "webinars_playsession", "webinars_question", "courses_enrolment",
    "courses_lessoncompletion", "analytics_audience", "analytics_quality", "analytics_playbackreport",
    "certification_certificate",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _mended() -> Iterator[None]:
    replica._breaker.open_until = float("-inf")
    yield
    replica._breaker.open_until = float("-inf")


@pytest.fixture
def following() -> Iterator[BaseDatabaseWrapper]:
    yield from second_connection()


@pytest.fixture
def absent() -> Iterator[BaseDatabaseWrapper]:
    yield from second_connection(HOST="127.0.0.1", PORT="1")


@pytest.fixture
def webinar() -> Webinar:
    course = CourseFactory.create()
    found = well_shared(course)
    tell_of_play(found, days=2, each=4)
    refresh_all(now=now(), whole=True)
    return found


def reads(webinar: Webinar) -> dict[str, Callable[[], Any]]:
    """Everything that reads much, by its name."""
    programme = webinar.lesson.course.programme
    presenter = webinar.presenters.get()
    source = Source(programme, webinar, sees_all=True)
    files = {key: (lambda one=one: list(one.rows(source))) for key, one in DATASETS.items() if key != "feedback"}
    return {
        **files,
        "curve": lambda: retention_of(axis_of(webinar), webinar_id=webinar.pk, programme_id=programme.pk),
        "audience of a lecture": lambda: audience_of(webinar_id=webinar.pk, programme_id=programme.pk),
        "all lectures": lambda: overview_of(presenter),
        "shared": lambda: figures_of(programme, now=now()),
        "quality": lambda: quality_of(programme, since=NOON.replace(year=NOON.year - 1)),
        "live": lambda: live_now(programme, now=now()),
    }


def test_nothing_large_is_read_from_the_database_while_the_replica_answers(
    webinar: Webinar, following: BaseDatabaseWrapper
) -> None:
    assert replica.reading() == REPLICA
    for name, read in reads(webinar).items():
        with CaptureQueriesContext(connection) as here, CaptureQueriesContext(following) as there:
            assert read() is not None
        assert [one["sql"] for one in here if any(table in one["sql"] for table in LARGE)] == [], name
        assert len(there) > 0, name


def test_while_it_is_away_the_same_is_read_from_the_database(webinar: Webinar, absent: BaseDatabaseWrapper) -> None:
    expected = {name: read() for name, read in reads(webinar).items() if name != "live"}
    assert replica._breaker.open_until > 0
    assert len(expected["watching"]) > 0
    assert expected["quality"].total.plays > 0
    del expected["shared"]
    replica._breaker.open_until = float("inf")
    assert {name: read() for name, read in reads(webinar).items() if name in expected} == expected
