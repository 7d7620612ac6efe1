"""The made-up language, built once and spoken by the tests that ask for it."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def made_up_catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Once per run: the workers of pytest-xdist have one directory above their own, and the second to come waits."""
    from tests.i18n.catalogue import build

    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder, ready = shared / "i18n", shared / "i18n.ready"
    with (shared / "i18n.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            folder.mkdir()
            build(folder)
            ready.touch()
    return folder / "locale"


@pytest.fixture(scope="module")
def made_up_language(made_up_catalogue: Path) -> Iterator[None]:
    """Changing these settings makes Django forget its translations."""
    from django.test import override_settings
    from django.utils import translation

    from tests.i18n.catalogue import CODE

    languages = [("en", "English"), (CODE, "Ido")]
    with override_settings(LOCALE_PATHS=[made_up_catalogue], LANGUAGES=languages), translation.override(CODE):
        yield


@pytest.fixture(autouse=True)
def clean_redis() -> None:
    """Limits of one test must not meet the next one; every run has a Valkey of its own."""
    from django_redis import get_redis_connection

    get_redis_connection("default").flushdb()
