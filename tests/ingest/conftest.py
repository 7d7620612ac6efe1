"""A door of our own on a free port, with real publishers in front of it and a storage behind it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

if TYPE_CHECKING:
    from tests.ingest.stage import Stage


@pytest.fixture
def media_root(tmp_path: Path, settings: Any) -> Path:
    root = tmp_path / "media"
    settings.MEDIA_ROOT = root
    settings.LIVE_WORK_DIR = tmp_path / "live-work"
    settings.STORAGES = {
        **settings.STORAGES,
        "media": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(root)}},
    }
    return root


@pytest_asyncio.fixture
async def stage(transactional_db: None, media_root: Path, tmp_path: Path) -> "AsyncIterator[Stage]":
    from tests.ingest.stage import Stage

    running = Stage(media_root, tmp_path)
    await running.open()
    try:
        yield running
    finally:
        async with asyncio.timeout(60):
            await running.close()
