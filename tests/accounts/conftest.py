"""What the tests of identity share. Models are imported late: the settings do not exist yet when this file is read."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from accounts.models import User


@pytest.fixture(autouse=True)
def clean_redis() -> None:
    """Limits of one test must not meet the next one; every run has a Valkey of its own."""
    from django_redis import get_redis_connection

    get_redis_connection("default").flushdb()


@pytest.fixture
def doctor(db: None) -> "User":
    from tests.factories.accounts import UserFactory

    return UserFactory.create(email="meera.nair@example.org", first_name="Meera", last_name="Nair")
