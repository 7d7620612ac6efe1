from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache

if TYPE_CHECKING:
    from tests.questions.world import World


@pytest.fixture(autouse=True)
def _fresh_limits() -> None:
    cache.clear()


@pytest.fixture
def world(db: None) -> "World":
    from tests.questions.world import make_world  # needs the settings, which are configured after this file is read

    return make_world()
