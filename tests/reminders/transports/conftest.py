"""Settings of providers that stand on this machine."""

from collections.abc import Callable
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from tests.reminders.transports.servers import Fault, patience_for

Configure = Callable[..., None]


@pytest.fixture
def configure(settings: Settings) -> Configure:
    """`configure(MESSAGES_SMS="twilio", TWILIO_API_URL=…)`; the rest stays as it is."""

    def change(**values: Any) -> None:
        settings.MESSAGES = {**settings.MESSAGES, **values}

    return change


@pytest.fixture(params=list(Fault))
def fault(request: pytest.FixtureRequest, configure: Configure) -> Fault:
    """What happens to a call; the time for which its answer is waited for fits it."""
    configure(MESSAGES_TIMEOUT=patience_for(request.param))
    return Fault(request.param)
