import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def _fresh_limits() -> None:
    """Rates are counted in the run's one Valkey: a test must not spend another's."""
    cache.clear()
