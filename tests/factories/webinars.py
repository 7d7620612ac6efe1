"""Lectures, and what people have watched of them. A record made here is what the group commit would have written."""

from datetime import timedelta
from typing import Any

import factory
from django.utils.timezone import now

from accounts.enums import Role
from accounts.models import User
from core.ranges import seconds
from courses.models import RoleGrant
from tests.factories.accounts import UserFactory
from tests.factories.courses import LessonFactory
from tests.factories.media import VideoFactory
from webinars.enums import Phase
from webinars.models import WatchRecord, Webinar


def add_presenter(webinar: Webinar, person: User) -> None:
    """On its list, and with the role in its programme."""
    RoleGrant.objects.get_or_create(
        user=person,
        role=Role.PRESENTER,
        programme=webinar.lesson.course.programme,
        defaults={"granted_at": now()},
    )
    webinar.presenters.add(person)


class WebinarFactory(factory.django.DjangoModelFactory[Webinar]):
    """A recorded lecture of one hour."""

    class Meta:
        model = Webinar
        skip_postgeneration_save = True

    lesson = factory.SubFactory(LessonFactory)
    video = factory.SubFactory(VideoFactory)


class LiveWebinarFactory(WebinarFactory):
    """A live webinar whose doors are open; `presenters=[…]`, `moderators=[…]` name its people.

    Presenters get the role in its programme, without which the list would not let them in.
    """

    video = None
    starts_at = factory.LazyFunction(lambda: now() + timedelta(minutes=5))

    @factory.post_generation
    def presenters(self: Any, create: bool, extracted: Any, **_: Any) -> None:
        for person in extracted or ():
            add_presenter(self, person)

    @factory.post_generation
    def moderators(self: Any, create: bool, extracted: Any, **_: Any) -> None:
        if extracted:
            self.moderators.set(extracted)


class WatchRecordFactory(factory.django.DjangoModelFactory[WatchRecord]):
    """`WatchRecordFactory(user=…, webinar=…, coverage=((0, 1450),))`; the position follows the last covered second."""

    class Meta:
        model = WatchRecord

    user = factory.SubFactory(UserFactory)
    webinar = factory.SubFactory(WebinarFactory)
    phase = Phase.ON_DEMAND
    coverage: Any = ((0, 600),)
    seen_seconds = factory.LazyAttribute(lambda record: seconds(record.coverage))
    required_seconds = 3240
    position_seconds = factory.LazyAttribute(lambda record: float(max((end for _, end in record.coverage), default=0)))
    first_beat_at = factory.LazyFunction(now)
    last_beat_at = factory.LazyFunction(now)
