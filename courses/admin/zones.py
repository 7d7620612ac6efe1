"""Dates of a programme are typed and shown in its home zone, wherever the person at the keyboard sits."""

from typing import Any
from zoneinfo import ZoneInfo

from django.db import models
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from core.time import zone_names
from courses.admin.base import ScopedAdmin
from courses.models import Programme


class ZonedFields:
    """For the admins and inlines of what has a window: names the zone beside each date."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if isinstance(db_field, models.DateTimeField):
            zone = {"zone": timezone.get_current_timezone_name()}
            kwargs["help_text"] = _("In the programme's home time zone: %(zone)s.") % zone
        return super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]  # a mixin


class ZonedInline(ZonedFields):
    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """A table's heading shows the help only to a mouse, so there the name itself says it."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(db_field, models.DateTimeField):
            field.label = f"{field.label} ({timezone.get_current_timezone_name()})"
        return field


class HomeZoneAdmin(ZonedFields, ScopedAdmin):
    """The whole page of one row runs in the home zone: fields, inlines, and the clock behind the "Now" links."""

    zone_path = "programme__timezone"

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponseBase:
        """Rendered here already: a template response would come to be after the zone has been put back."""
        with timezone.override(self.home_zone(request, object_id)):
            response: HttpResponseBase = super().changeform_view(request, object_id, form_url, extra_context)
            if isinstance(response, SimpleTemplateResponse):
                response.render()
            return response

    def home_zone(self, request: HttpRequest, object_id: str | None) -> ZoneInfo:
        """A zone sent along with the dates holds for them: after saving, the page shows what was typed."""
        sent = request.POST.get("timezone", "") if self.model is Programme else ""
        if sent in zone_names():
            return ZoneInfo(sent)
        known = self.get_queryset(request).filter(pk=object_id) if str(object_id or "").isdecimal() else None
        stored = known.values_list(self.zone_path, flat=True).first() if known is not None else None
        return ZoneInfo(stored if stored in zone_names() else "UTC")
