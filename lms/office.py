"""The site of the admin: the theme's own, but for what the theme finds out and does not show."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.contrib import admin
from django.contrib.admin import sites
from django.core.checks import CheckMessage
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from unfold.apps import BasicAppConfig
from unfold.sites import UnfoldAdminSite


class OfficeSite(UnfoldAdminSite):  # type: ignore[misc]  # the theme is not typed
    """The `admin.py` of the apps are read by whoever serves pages (`lms.urls`) or checks them: workers and the realtime
    tier start in two thirds of the time without. (`SimpleAdminConfig` in INSTALLED_APPS leaves them unread.)
    """

    def check(self, app_configs: Sequence[AppConfig] | None) -> list[CheckMessage]:
        admin.autodiscover()
        return list(super().check(app_configs))

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """Made when a template reads it. Django gives it to every page, and to make it asks each model's admin for
        five rights; the sidebar has `lms.admin_site.navigation` in its place.
        """
        make = super().get_app_list
        return SimpleLazyObject(lambda: make(request, app_label))


class OfficeConfig(BasicAppConfig):  # type: ignore[misc]
    """Of the theme, which would set a site of its own kind."""

    def ready(self) -> None:
        admin.site = sites.site = OfficeSite()
