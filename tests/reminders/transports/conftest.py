"""Settings of providers that stand on this machine."""

from collections.abc import Callable
from typing import Any

import pytest
from pytest_django.fixtures import Settings

Configure = Callable[..., None]


@pytest.fixture
def configure(settings: Settings) -> Configure:
    """`configure(MESSAGES_SMS="twilio", TWILIO_API_URL=…)`; the rest stays as it is."""

    def change(**values: Any) -> None:
        settings.MESSAGES = {**settings.MESSAGES, "MESSAGES_TIMEOUT": 1, **values}

    return change
