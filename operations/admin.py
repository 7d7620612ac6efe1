from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from operations.domain.incidents import delete_incident, save_incident
from operations.enums import Severity
from operations.models import Incident

LABELS = {Severity.NOTICE: "info", Severity.SLOW: "warning", Severity.DOWN: "danger"}


@admin.register(Incident)
class IncidentAdmin(ModelAdmin):
    """What everybody reads on the status page. The rights come from roles (`lms.backends`)."""

    list_display = ("title", "part", "show_severity", "started_at", "ended_at")
    list_filter = ("part", "severity")
    search_fields = ("title", "words")
    fields = ("title", "words", ("part", "severity"), "started_at", "ended_at")
    actions = ("end_now",)
    compressed_fields = True
    warn_unsaved_form = True
    list_before_template = "admin/operations/status_note.html"

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        given: dict[str, Any] = super().get_changeform_initial_data(request)
        return {"started_at": timezone.now()} | given

    @display(description=_("how bad"), label=LABELS)
    def show_severity(self, incident: Incident) -> tuple[str, str]:
        return incident.severity, str(incident.get_severity_display())

    @action(description=_("End now"), permissions=["change"])
    def end_now(self, _request: HttpRequest, rows: QuerySet[Incident]) -> None:
        now = timezone.now()
        for incident in rows.open_at(now):  # type: ignore[attr-defined]
            incident.ended_at = now
            save_incident(incident)

    def save_model(self, _request: HttpRequest, obj: Incident, _form: Any, _change: bool) -> None:
        save_incident(obj)

    def delete_model(self, _request: HttpRequest, obj: Incident) -> None:
        delete_incident(obj)

    def delete_queryset(self, _request: HttpRequest, queryset: QuerySet[Incident]) -> None:
        for incident in queryset:
            delete_incident(incident)
