"""The office states at an activity whose copy its webinar is, or that it belongs to an event."""

from typing import Any

import pytest
from django.contrib.messages import get_messages

from accounts.enums import Role
from certification.models import Activity
from courses.models import Lesson
from tests.certification.test_activities import whole
from tests.certification.test_admin import address, posted
from tests.factories.accounts import UserFactory
from tests.factories.certification import ActivityFactory
from tests.factories.courses import LessonFactory, RoleGrantFactory
from tests.factories.webinars import LiveWebinarFactory
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def copy() -> Activity:
    lesson = LessonFactory.create()
    LiveWebinarFactory.create(lesson=lesson, presenters=[UserFactory.create()])
    return whole(lesson)


@pytest.fixture
def client(copy: Activity) -> Any:
    return signed_in(RoleGrantFactory.create(programme=copy.lesson.course.programme, role=Role.MODERATOR).user)


def offered(client: Any, activity: Activity) -> set[Any]:
    form = client.get(address("activity_change", activity)).context["adminform"].form
    return set(form.fields["same_as"].queryset.values_list("pk", flat=True))


def test_other_accredited_webinars_that_the_office_sees(client: Any, copy: Activity) -> None:
    original = ActivityFactory.create(lesson__course=copy.lesson.course)
    LessonFactory.create(course=copy.lesson.course)  # nobody accredited it
    foreign: Lesson = ActivityFactory.create().lesson
    assert offered(client, copy) == {original.lesson_id}
    response = client.post(address("activity_change", copy), posted(copy, same_as=foreign.pk))
    assert response.status_code == 200
    copy.refresh_from_db()
    assert copy.same_as is None
    given = {"same_as": original.lesson_id, "accreditations-0-event": "Congress 2026"}
    assert client.post(address("activity_change", copy), posted(copy, **given)).status_code == 302
    copy.refresh_from_db()
    assert copy.same_as == original.lesson
    assert copy.accreditations.get().event == "Congress 2026"


def test_what_stands_there_stays_though_it_is_of_another_programme(client: Any, copy: Activity) -> None:
    foreign = ActivityFactory.create().lesson
    Activity.objects.update(same_as=foreign)
    assert offered(client, copy) == {foreign.pk}
    client.post(address("activity_change", copy), posted(copy, same_as=foreign.pk, title="Corrected"))
    copy.refresh_from_db()
    assert (copy.same_as, copy.title) == (foreign, "Corrected")


def test_a_circle_is_refused_in_words(client: Any, copy: Activity) -> None:
    original = ActivityFactory.create(lesson__course=copy.lesson.course, same_as=copy.lesson)
    response = client.post(address("activity_change", copy), posted(copy, same_as=original.lesson_id))
    texts = [str(one) for one in get_messages(response.wsgi_request)]
    assert any("cannot be a copy of that one" in text for text in texts)
    copy.refresh_from_db()
    assert copy.same_as is None
