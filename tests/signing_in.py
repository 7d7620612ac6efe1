"""A browser that is signed in, for tests of anything but signing in."""

from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.contrib.sessions.backends.cached_db import SessionStore
from django.http import HttpRequest
from django.test import Client
from django.utils.timezone import now

from accounts.models import Device, User

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def signed_in(user: User, *, second_step: bool = True, **client: Any) -> Client:
    """With the second step passed, which staff must have; `device_of` tells the device that came with the session."""
    browser = Client(HTTP_USER_AGENT=FIREFOX, **client)
    request = HttpRequest()
    request.session = SessionStore()  # `Client.force_login` writes one before, for `login` to replace and remove
    login(request, user, settings.AUTHENTICATION_BACKENDS[0])
    request.session.save()
    browser._set_login_cookies(request)  # type: ignore[attr-defined]
    if second_step:
        Device.objects.filter(session_key=browser.session.session_key).update(mfa_at=now())
    return browser


def device_of(browser: Client) -> Device:
    device: Device = Device.objects.get(session_key=browser.session.session_key)
    return device
