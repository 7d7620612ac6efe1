from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.decorators import action, display

from accounts.enums import Role
from core.time import when
from courses import rules
from courses.admin.base import ScopedAdmin
from courses.domain import enrolment as domain
from courses.domain import roles
from courses.enums import EnrolmentStatus
from courses.forms import EnrolmentForm, RoleGrantForm
from courses.models import Cohort, Enrolment, RoleGrant

STATUS_LABELS = {
    EnrolmentStatus.INVITED: "info",
    EnrolmentStatus.ACTIVE: "success",
    EnrolmentStatus.COMPLETED: "success",
    EnrolmentStatus.SUSPENDED: "warning",
    EnrolmentStatus.WITHDRAWN: "danger",
}


class ProgrammeFilter(admin.RelatedFieldListFilter):
    """Only programmes of this person; also the address that the programme's own list links to."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        programmes = rules.programmes_with_role(request.user, *model_admin.roles).order_by("title")
        return [(str(programme.pk), str(programme)) for programme in programmes]


class CohortFilter(admin.RelatedFieldListFilter):
    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        programmes = rules.programmes_with_role(request.user, *model_admin.roles)
        cohorts = Cohort.objects.filter(programme__in=programmes).select_related("programme")
        return [(str(cohort.pk), f"{cohort.programme}: {cohort}") for cohort in cohorts]


@admin.register(Enrolment)
class EnrolmentAdmin(ScopedAdmin):
    """Doctors come in by "Enrol doctors" on the programme; here they are found, suspended and brought back."""

    form = EnrolmentForm
    list_display = ("person", "programme", "cohort", "shown_status", "country", "enrolled", "completed")
    list_filter = (
        ("programme", ProgrammeFilter),
        "status",
        ("cohort", CohortFilter),
        ("enrolled_at", RangeDateFilter),
    )
    search_fields = ("user__email", "user__first_name", "user__last_name", "user__registration_number")
    search_help_text = _("Name, e-mail address or registration number")
    show_full_result_count = False
    list_per_page = 50
    actions = ("suspend", "withdraw", "reinstate")
    fieldsets = (
        (_("Doctor"), {"fields": ("full_name", "email", "country")}),
        (_("Place in the programme"), {"fields": ("programme", "cohort", "status_text")}),
        (_("Dates"), {"fields": ("enrolled", "activated", "completed")}),
    )
    readonly_fields = (
        "full_name", "email", "country", "programme", "status_text", "enrolled", "activated", "completed",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("user", "programme", "cohort")

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Withdrawing keeps the record; deleting would take the evidence of completions out of its programme."""
        return False

    @display(description=_("Doctor"), ordering="user__last_name", header=True)
    def person(self, enrolment: Enrolment) -> list[str]:
        return [enrolment.user.get_full_name(), enrolment.user.email]

    @display(description=_("E-mail address"))
    def email(self, enrolment: Enrolment) -> str:
        return enrolment.user.email

    @display(description=_("Country"), ordering="user__country")
    def country(self, enrolment: Enrolment) -> str:
        return str(enrolment.user.country.name or "–")

    @display(description=_("Status"), ordering="status", label=STATUS_LABELS)
    def shown_status(self, enrolment: Enrolment) -> tuple[str, str]:
        return enrolment.status, enrolment.get_status_display()

    @display(description=_("Enrolled"), ordering="enrolled_at")
    def enrolled(self, enrolment: Enrolment) -> str:
        return when(enrolment.enrolled_at)

    @display(description=_("First signed in"))
    def activated(self, enrolment: Enrolment) -> str:
        return when(enrolment.activated_at)

    @display(description=_("Completed"), ordering="completed_at")
    def completed(self, enrolment: Enrolment) -> str:
        return when(enrolment.completed_at)

    @display(description=_("Status"))
    def status_text(self, enrolment: Enrolment) -> str:
        return enrolment.get_status_display()

    @display(description=_("Name"))
    def full_name(self, enrolment: Enrolment) -> str:
        return enrolment.user.get_full_name()

    def save_model(self, request: HttpRequest, obj: Enrolment, form: Any, change: bool) -> None:
        domain.assign_cohort(enrolment=obj, cohort=obj.cohort)

    @action(description=_("Suspend: close the door for now"), permissions=("change",))
    def suspend(self, request: HttpRequest, queryset: QuerySet[Enrolment]) -> None:
        self._move(request, queryset, domain.suspend)

    @action(description=_("Withdraw from the programme"), permissions=("change",))
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Enrolment]) -> None:
        self._move(request, queryset, domain.withdraw)

    @action(description=_("Bring back"), permissions=("change",))
    def reinstate(self, request: HttpRequest, queryset: QuerySet[Enrolment]) -> None:
        self._move(request, queryset, domain.reinstate)

    def _move(self, request: HttpRequest, rows: QuerySet[Enrolment], move: Any) -> None:
        now = timezone.now()
        number = self.apply(
            request, rows, lambda one: move(enrolment=one, actor=request.user, request=request, now=now)
        )
        text = ngettext("%(n)d enrolment is changed.", "%(n)d enrolments are changed.", number)
        messages.success(request, text % {"n": number})


@admin.register(RoleGrant)
class RoleGrantAdmin(ScopedAdmin):
    """Given and taken by operators; never edited, so that the audit trail has one line for each."""

    roles = frozenset({Role.OPERATOR})
    form = RoleGrantForm
    list_display = ("person", "shown_role", "shown_programme", "granted_by", "granted")
    list_filter = ("role", ("programme", ProgrammeFilter))
    list_select_related = ("user", "programme", "granted_by")
    search_fields = ("user__email", "user__first_name", "user__last_name")
    fields = ("full_name", "shown_role", "shown_programme", "granted_by", "granted")
    readonly_fields = fields
    add_fieldsets = ((None, {"fields": ("email", "role", "programme")}),)
    actions = ("revoke",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """An operator of all programmes also sees the grants that are for all of them."""
        if rules.is_operator(request.user):
            return admin.ModelAdmin.get_queryset(self, request).select_related("user", "programme")
        return super().get_queryset(request).select_related("user", "programme")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Deleting in bulk would go past the domain: `revoke` is the way."""
        found: dict[str, Any] = super().get_actions(request)
        found.pop("delete_selected", None)
        return found

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if obj is None else self.readonly_fields

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Only an operator of all programmes may leave the programme empty, which means all of them."""
        form = super().get_form(request, obj, change=change, **kwargs)
        if "programme" in form.base_fields:
            everywhere = rules.is_operator(request.user)
            form.base_fields["programme"].required = not everywhere
            widget = form.base_fields["programme"].widget
            widget.can_add_related = widget.can_change_related = widget.can_view_related = False
            form.base_fields["programme"].empty_label = _("All programmes") if everywhere else _("Choose one")
        return form

    @display(description=_("Person"), ordering="user__last_name", header=True)
    def person(self, grant: RoleGrant) -> list[str]:
        return [grant.user.get_full_name(), grant.user.email]

    @display(description=_("Person"))
    def full_name(self, grant: RoleGrant) -> str:
        return f"{grant.user.get_full_name()} · {grant.user.email}"

    @display(description=_("Granted"), ordering="granted_at")
    def granted(self, grant: RoleGrant) -> str:
        return when(grant.granted_at)

    @display(description=_("Role"), ordering="role")
    def shown_role(self, grant: RoleGrant) -> str:
        return grant.get_role_display()

    @display(description=_("Programme"), ordering="programme__title")
    def shown_programme(self, grant: RoleGrant) -> str:
        return str(grant.programme or _("All programmes"))

    def save_model(self, request: HttpRequest, obj: RoleGrant, form: Any, change: bool) -> None:
        made = roles.grant_role(
            user=obj.user,
            role=obj.role,
            programme=obj.programme,
            granted_by=request.user,  # type: ignore[arg-type]  # the admin lets in people only
            now=timezone.now(),
            request=request,
        )
        obj.pk = made.pk

    def delete_model(self, request: HttpRequest, obj: RoleGrant) -> None:
        self._revoke(request, obj)

    @action(description=_("Take the role away"), permissions=("delete",))
    def revoke(self, request: HttpRequest, queryset: QuerySet[RoleGrant]) -> None:
        number = self.apply(request, queryset, lambda grant: self._revoke(request, grant))
        text = ngettext("%(n)d role is taken away.", "%(n)d roles are taken away.", number)
        messages.success(request, text % {"n": number})

    def _revoke(self, request: HttpRequest, grant: RoleGrant) -> None:
        revoker: Any = request.user
        roles.revoke_role(grant=grant, revoked_by=revoker, now=timezone.now(), request=request)
