"""The signed cookie that the Django and nginx grants share: one per asset, valid for its path only."""

from datetime import UTC, datetime
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponse

from media.storages.base import PUBLIC_PATH, Grant, GrantRefused


def _signer() -> Signer:
    """Verifies with SECRET_KEY_FALLBACKS too, so a key rotation interrupts nobody."""
    return Signer(salt="media.grant")


def cookie_name(key: UUID) -> str:
    return f"media_{key}"


def set_cookie(response: HttpResponse, grant: Grant) -> None:
    """A session cookie: its end is inside the signed value, where a browser's clock cannot move it."""
    device = grant.device_id.hex if grant.device_id else "-"
    value = f"{grant.key.hex}.{grant.user_id}.{device}.{int(grant.expires_at.timestamp())}"
    response.set_cookie(
        cookie_name(grant.key),
        _signer().sign(value),
        path=f"{PUBLIC_PATH}/{grant.key}/",
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def verify_cookie(request: HttpRequest, *, key: UUID, now: datetime) -> Grant:
    """The grant for this asset, this signed-in person and this device, or `GrantRefused`.

    The session is looked at as well, so that signing out, ending a device or disabling an account works at once.
    """
    value = request.COOKIES.get(cookie_name(key), "")
    try:
        asset, user_id, device, expires = _signer().unsign(value).split(".")
        grant = Grant(
            key=UUID(asset),
            user_id=int(user_id),
            device_id=None if device == "-" else UUID(device),
            expires_at=datetime.fromtimestamp(int(expires), UTC),
        )
    except (BadSignature, ValueError) as error:
        raise GrantRefused("no valid media cookie") from error
    if grant.key != key:
        raise GrantRefused("a grant for another asset")
    if grant.expires_at <= now:
        raise GrantRefused("the grant has expired")
    if not request.user.is_authenticated or request.user.pk != grant.user_id:
        raise GrantRefused("a grant of another person")
    if device_id_of(request) != grant.device_id:
        raise GrantRefused("a grant of another device")
    return grant


def device_id_of(request: HttpRequest) -> UUID | None:
    """The signed-in browser; empty for sessions without one."""
    device = getattr(request, "device", None)
    return device.pk if device else None
