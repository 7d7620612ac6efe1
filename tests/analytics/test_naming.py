"""Which texts name a doctor of the programme."""

from typing import Any

import pytest

from analytics.domain.presenting.naming import naming
from courses.models import Programme
from tests.factories.accounts import UserFactory
from tests.factories.courses import EnrolmentFactory, ProgrammeFactory
from tests.factories.webinars import LiveWebinarFactory
from webinars.models import Webinar

pytestmark = pytest.mark.django_db
NAMES = [("Meera", "Nair"), ("Lucía", "García López"), ("Wei", "Li"), ("Sinead", "O'Brien"), ("Erik", "Åström")]


@pytest.fixture
def programme() -> Programme:
    made: Programme = ProgrammeFactory.create()
    for first, last in NAMES:
        EnrolmentFactory.create(programme=made, user__first_name=first, user__last_name=last)
    EnrolmentFactory.create(user__first_name="Tomas", user__last_name="Elsewhere")
    UserFactory.create(first_name="No", last_name="Place")
    return made


@pytest.mark.parametrize(
    "text",
    ["Dr Nair talked too much", "dr NAIR again", "Ask nair.", "Garcia said so", "I agree with López", "Wei Li knows",
     "as O'Brien said", "As Li, Wei showed", "Astrom was right"],
)  # fmt: skip
def test_a_name_of_a_doctor_of_the_programme_is_found(programme: Programme, text: str) -> None:
    assert naming({text, "The slides were small"}, programmes=[programme.pk]) == {text}


@pytest.mark.parametrize(
    "text",
    ["The nairobi cases", "Li in the title alone", "Meera was fine", "Tomas Elsewhere", "In place of slides", "", "12"],
)  # fmt: skip
def test_what_is_no_name_of_theirs_may_be_quoted(programme: Programme, text: str) -> None:
    assert naming({text}, programmes=[programme.pk]) == set()


def test_who_presents_there_is_public_and_in_another_programme_is_not(programme: Programme) -> None:
    webinar: Webinar = LiveWebinarFactory.create(lesson__course__programme=programme)
    for place in programme.enrolments.filter(user__last_name__in=["Nair", "Li"]):
        where = webinar if place.user.last_name == "Nair" else LiveWebinarFactory.create()
        where.presenters.add(place.user)
    texts = {"Dr Nair was clear", "Wei Li was not"}
    assert naming(texts, programmes=[programme.pk]) == {"Wei Li was not"}


def test_several_programmes_are_one_query(programme: Programme, django_assert_num_queries: Any) -> None:
    other = EnrolmentFactory.create(user__last_name="Kamau").programme
    with django_assert_num_queries(1):
        assert naming({"Kamau", "Nair", "Place"}, programmes=[programme.pk, other.pk]) == {"Kamau", "Nair"}
    with django_assert_num_queries(0):
        assert naming(set(), programmes=[programme.pk]) == set()
