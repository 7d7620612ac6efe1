"""A browser that is signed in, for tests of anything but signing in."""

from typing import Any

from django.test import Client
from django.utils.timezone import now

from accounts.enums import SignInMethod
from accounts.models import Device, User

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def signed_in(user: User, *, second_step: bool = True, **client: Any) -> Client:
    """With the device row that a session needs, and (staff must) the second step passed. `device_of` tells which."""
    browser = Client(**client)
    browser.force_login(user)
    Device.objects.create(
        user=user,
        session_key=browser.session.session_key or "",
        name="Firefox, Linux",
        user_agent=FIREFOX,
        method=SignInMethod.LINK,
        created_at=now(),
        last_seen_at=now(),
        mfa_at=now() if second_step else None,
    )
    return browser


def device_of(browser: Client) -> Device:
    device: Device = Device.objects.get(session_key=browser.session.session_key)
    return device
