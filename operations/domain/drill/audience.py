"""Who would come to a webinar: those who registered, else everybody whose programme it is."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from accounts.models import User
from courses.enums import OPEN_ENROLMENTS, EnrolmentStatus
from courses.models import Enrolment
from operations.domain.drill.errors import DrillError
from webinars.models import Registration, Webinar

REGISTERED, ENROLLED, SYNTHETIC = "registered", "enrolled", "synthetic"
COMING = (*OPEN_ENROLMENTS, EnrolmentStatus.INVITED)  # the invited ones will have signed in by then
# Where synthetic doctors live, in percent: countries of the programmes that this was made for.
COUNTRIES = {"IN": 46, "KE": 9, "NG": 9, "PK": 8, "BD": 7, "PH": 6, "ID": 5, "EG": 5, "VN": 3, "LK": 2}


@dataclass(frozen=True)
class Size:
    """How many will come: the audience times `multiple`; of a shorter drill the part that comes in `minutes`."""

    multiple: int
    minutes: float
    within: float
    spot_percent: float = 0.0  # of those who come: come besides, without an account

    def at_door(self, people: int) -> int:
        return math.ceil(self.doctors(people) * self.spot_percent / 100)

    def doctors(self, people: int) -> int:
        return max(1, round(people * self.multiple * min(1.0, self.minutes / self.within)))


def find_webinar(webinar_id: int) -> Webinar:
    found = Webinar.objects.select_related("lesson__course__programme", "video").filter(pk=webinar_id).first()
    if found is None:
        raise DrillError(f"There is no webinar {webinar_id}.")
    return found


def kind_of(webinar: Webinar) -> str:
    """Raises DrillError when nobody would come."""
    if registered_people(webinar).exists():
        return REGISTERED
    if webinar.needs_registration or not enrolled_people(webinar).exists():
        raise DrillError(f"Nobody is registered for “{webinar}”: choose another webinar, or play one with --synthetic.")
    return ENROLLED


def people_of(webinar: Webinar, kind: str) -> "QuerySet[User]":
    return (registered_people(webinar) if kind == REGISTERED else enrolled_people(webinar)).order_by("pk")


def registered_people(webinar: Webinar) -> "QuerySet[User]":
    """Who was suspended or withdrew since stays at home."""
    registered = Registration.objects.filter(webinar=webinar, cancelled_at=None).values("user")
    return enrolled_people(webinar).filter(pk__in=registered)


def enrolled_people(webinar: Webinar) -> "QuerySet[User]":
    places = Enrolment.objects.filter(programme=webinar.lesson.course.programme, status__in=COMING).values("user")
    return User.objects.filter(pk__in=places, is_active=True)


def spread(countries: Sequence[str], count: int) -> list[str]:
    """As many as are wanted, in the same proportions: the list again and again."""
    return [countries[number % len(countries)] for number in range(count)]


def synthetic_countries() -> list[str]:
    """One hundred, mixed, so that any beginning of the list is much like the whole."""
    left, mixed = dict(COUNTRIES), list[str]()
    while left:
        for code in list(left):
            mixed.append(code)
            left[code] -= 1
            if not left[code]:
                del left[code]
    return mixed
