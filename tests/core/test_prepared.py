"""Prepared queries give what the ORM gives, for every person and in every thread."""

import inspect
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, connections
from django.db.models import Exists, F, OuterRef
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from accounts.enums import Role
from accounts.models import Device, User
from core.prepared import Prepared
from courses.models import RoleGrant
from courses.rules import _grants

pytestmark = pytest.mark.django_db

PERSON = Prepared[User](lambda user: User.objects.filter(pk=user))
PEOPLE = Prepared[User](lambda users: User.objects.filter(pk__in=users).order_by("-pk"))
NAMES = Prepared[tuple[int, str]](
    lambda users: User.objects.filter(pk__in=users).order_by("pk").values_list("pk", "email")
)
DEVICES = Prepared[Device](
    lambda device, email: (
        Device.objects.filter(pk=device, user__email=email)
        .select_related("user")
        .annotate(whose=F("user__email"), is_known=Exists(User.objects.filter(pk=OuterRef("user_id"))))
    )
)


@pytest.fixture
def people() -> list[User]:
    return [User.objects.create(email=f"d{number}@example.org", first_name=f"D{number}") for number in range(4)]


def test_the_same_query_serves_other_people(people: list[User]) -> None:
    for person in people:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert PERSON.rows(user=person.pk) == [person]
        assert len(asked) == 1
        assert PERSON.first(user=person.pk).email == person.email  # type: ignore[union-attr]
    assert PERSON.first(user=-1) is None
    assert PERSON.exists(user=people[0].pk)
    assert not PERSON.exists(user=-1)


def test_sequences_of_any_length_and_rows_that_are_no_objects(people: list[User]) -> None:
    keys = [person.pk for person in people]
    for some in (keys[:1], keys[1:3], tuple(keys), keys[:2]):
        assert [one.pk for one in PEOPLE.rows(users=some)] == sorted(some, reverse=True)
        assert NAMES.rows(users=some) == list(NAMES.make(users=some))


def test_relations_annotations_texts_and_uuids_come_as_from_the_orm(people: list[User]) -> None:
    mine = [
        Device.objects.create(user=person, session_key=f"k{person.pk}", created_at=now(), last_seen_at=now())
        for person in people
    ]
    for device, person in zip(mine, people, strict=True):
        with CaptureQueriesContext(connection) as asked:
            [found] = DEVICES.rows(device=device.pk, email=person.email)
            assert (found, found.user, found.whose, found.is_known) == (device, person, person.email, True)  # type: ignore[attr-defined]
        assert len(asked) == 1
    assert DEVICES.rows(device=uuid4(), email=people[0].email) == []
    assert DEVICES.rows(device=mine[0].pk, email="' OR TRUE --") == []


def test_a_member_of_an_enumeration_is_its_value() -> None:
    operators = Prepared[RoleGrant](lambda role: RoleGrant.objects.filter(role=role))
    grant = RoleGrant.objects.create(
        user=User.objects.create(email="o@example.org"), role=Role.OPERATOR, granted_at=now()
    )
    assert operators.rows(role=Role.OPERATOR) == [grant]
    assert operators.rows(role=Role.AUDITOR) == []


@pytest.mark.django_db(transaction=True)
def test_every_thread_asks_by_its_own_connection(people: list[User]) -> None:
    def ask(person: User) -> tuple[list[User], int]:
        try:
            found = PERSON.rows(user=person.pk)
            return found, connection.connection.info.backend_pid
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(people)) as pool:
        answers = list(pool.map(ask, people * 5))
    assert [found for found, _ in answers] == [[person] for person in people * 5]
    assert connection.connection is None or connection.connection.info.backend_pid not in {pid for _, pid in answers}


def test_what_is_no_parameter_is_refused() -> None:
    looks = Prepared[User](lambda user: User.objects.filter(pk=user) if user == 1 else User.objects.filter(pk=5))
    asks = Prepared[User](lambda user, other: User.objects.filter(pk=user))
    with pytest.raises(ValueError, match="Not every value of user, other"):
        asks.rows(user=1, other=2)
    with pytest.raises(ValueError, match="Not every value"):
        looks.rows(user=1)
    with pytest.raises(ValueError, match="cannot prefetch"):
        Prepared[User](lambda user: User.objects.filter(pk=user).prefetch_related("devices")).rows(user=1)
    for wrong in (True, None, 1.5):
        with pytest.raises(TypeError):
            PERSON.rows(user=wrong)  # type: ignore[arg-type]
    for large in (2**63, -(2**70)):
        with pytest.raises(OverflowError):
            PERSON.rows(user=large)


VALUES = {"session": UUID(int=5), "device": UUID(int=6), "session_key": "abc", "phase": "live", "kind": "removed"}


def every_prepared() -> dict[str, Prepared[Any]]:
    import lms.urls  # noqa: F401  # loads all that answers requests

    apps = ("accounts.", "courses.", "webinars.", "analytics.", "media.", "operations.")
    found = {
        f"{module.__name__}.{name}": one
        for module in list(sys.modules.values())
        if module.__name__.startswith(apps)
        for name, one in list(vars(module).items())
        if isinstance(one, Prepared)
    }
    return found | {"courses.rules._grants": _grants(Role.OPERATOR, Role.MODERATOR)}


def test_every_prepared_query_is_the_one_that_the_orm_would_ask() -> None:
    everyone = every_prepared()
    assert len(everyone) > 20
    for name, prepared in everyone.items():
        names = list(inspect.signature(prepared.make).parameters)
        for number in (7, 8):
            several = [number, number + 10]
            given: dict[str, Any] = {one: VALUES.get(one, several if one.endswith("s") else number) for one in names}
            with CaptureQueriesContext(connection) as asked:
                prepared.rows(**given)
                list(prepared.make(**given))
            first, second = (one["sql"] for one in asked)
            assert first == second, name
