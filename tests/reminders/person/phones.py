"""A telephone in tests: what came to it, and the code in the newest."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from reminders.domain import consent, phone_codes

NUMBER = "+919876543210"
OTHER = "+919876543211"
PAGE = "/account/messages/"
TYPE = f"{PAGE}number/"
MORE = f"{TYPE}code/"
ABROAD = "+306912345678"
FIXED = "+912227781234"


def deliver() -> list[dict[str, Any]]:
    """As workers do, whoever rang; returns what lies in the folder, oldest first."""
    for code_id in phone_codes.unsent(now=now()):
        phone_codes.send(code_id=code_id, now=now())
    return arrived()


def arrived() -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(Path(settings.EMAIL_FILE_PATH).glob("2*.json"))]


def code_in(messages: Sequence[dict[str, Any]]) -> str:
    return re.findall(r"\b\d{6}\b", messages[-1]["text"])[0]


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def proved(user: User, number: str = NUMBER) -> User:
    """As if a code had been typed."""
    User.objects.filter(pk=user.pk).update(phone=number)
    User.objects.filter(pk=user.pk).update(phone_proved_at=now())
    user.refresh_from_db()
    return user


def tick(browser: Client, number: str = NUMBER, **boxes: str) -> Any:
    """Saves the page of messages: e-mail, and SMS unless other boxes are named."""
    return browser.post(PAGE, {"email": "on", "phone": number, **(boxes or {"sms": "on"})})


def on(user: User) -> set[str]:
    return {channel.value for channel, is_on in consent.choices_of(user).items() if is_on}


def fresh(user: User) -> User:
    return User.objects.get(pk=user.pk)


@pytest.fixture
def all_ways(settings: Any, tmp_path: Path) -> None:
    """Every channel into a folder; limits of one test must not meet the next one."""
    from django_redis import get_redis_connection

    get_redis_connection("default").flushdb()
    ways = dict.fromkeys(("MESSAGES_EMAIL", "MESSAGES_SMS", "MESSAGES_WHATSAPP"), "folder")
    settings.MESSAGES = {**settings.MESSAGES, **ways, "MESSAGES_PUSH": "none"}
    settings.EMAIL_FILE_PATH = str(tmp_path)
