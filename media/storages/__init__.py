"""Where media lie and how a viewer is let at them. One file per kind of grant."""

from django.conf import settings
from django.core.files.storage import Storage, storages
from django.utils.module_loading import import_string

from media.storages.base import Grant, GrantBackend, GrantRefused

GRANT_BACKENDS = {
    "django": "media.storages.local.LocalGrants",
    "nginx": "media.storages.nginx.NginxGrants",
    "cloudfront": "media.storages.cloudfront.CloudFrontGrants",
}


def media_storage() -> Storage:
    return storages["media"]


def grant_backend() -> GrantBackend:
    """Looked up each time: the setting decides, and building one costs nothing."""
    backend: GrantBackend = import_string(GRANT_BACKENDS[settings.MEDIA_GRANTS])()
    return backend


__all__ = ["GRANT_BACKENDS", "Grant", "GrantBackend", "GrantRefused", "grant_backend", "media_storage"]
