"""People, invitations, devices and the audit trail, for operators of all programmes.

The rights come from roles (`lms.backends`). Every write is one domain call; opening a person's record is recorded.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import action, display

from accounts.domain import audit_words, devices, invitations, people
from accounts.domain.audit import record
from accounts.enums import DeviceEnd, InvitationState
from accounts.forms import PersonForm
from accounts.models import AuditEvent, Device, Invitation, User
from accounts.rules import person_of
from core.time import when

# Theirs would be second doors: to secrets of second steps, and to addresses and groups that mean nothing here. They
# are opened first, or whoever reads this file before them would leave them open.
for name in ("django.contrib.auth.admin", "allauth.account.admin", "allauth.mfa.admin"):
    import_module(name)
for model in (Group, EmailAddress, EmailConfirmation, Authenticator):
    if admin.site.is_registered(model):
        admin.site.unregister(model)

admin.site.empty_value_display = "–"  # as everywhere else; Django's is a hyphen
STATE_LABELS = {
    InvitationState.HELD: "warning",
    InvitationState.QUEUED: "info",
    InvitationState.SENT: "info",
    InvitationState.USED: "success",
    InvitationState.EXPIRED: "warning",
    InvitationState.REVOKED: "danger",
}


LOOPBACK = frozenset({"127.0.0.1", "::1"})


class ReadOnlyAdmin(ModelAdmin):
    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class AsksForErasure(admin.SimpleListFilter):
    title = _("asks to be erased")
    parameter_name = "erasure"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("asked", _("Yes"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(erasure_asked_at__isnull=False) if self.value() == "asked" else queryset


@admin.register(User)
class PersonAdmin(ModelAdmin):
    form = PersonForm
    list_display = ("person", "country", "specialty", "shown_state", "second_step", "signed_in")
    list_filter = ("is_active", "is_staff", AsksForErasure, "country", ("last_login", RangeDateTimeFilter))
    list_filter_submit = True
    search_fields = ("email", "first_name", "last_name", "registration_number")
    search_help_text = _("Name, e-mail address or registration number")
    show_full_result_count = False
    list_per_page = 50
    ordering = ("last_name", "first_name", "id")
    compressed_fields = True
    warn_unsaved_form = True
    actions = ("invite", "sign_out_everywhere", "reset_second_step", "disable", "enable")
    readonly_fields = ("state_text", "signed_in", "created", "zone_confirmed", "erasure_asked")
    fieldsets = (
        (None, {"fields": ("email", "title", "first_name", "last_name", "phone")}),
        (_("Practice"), {"fields": ("specialty", "medical_council", "registration_number")}),
        (_("Place"), {"fields": ("country", "timezone", "language")}),
        (_("Account"), {"fields": ("state_text", "signed_in", "created", "zone_confirmed", "erasure_asked")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        steps = Authenticator.objects.filter(user=OuterRef("pk")).exclude(type=Authenticator.Type.RECOVERY_CODES)
        found: QuerySet[User] = super().get_queryset(request).annotate(has_second_step=Exists(steps))
        return found

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """People are disabled, not deleted: certificates and the audit trail outlive an account."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever could change a superuser's address could become one."""
        if isinstance(obj, User) and obj.is_superuser and not request.user.is_superuser:
            return False
        return bool(super().has_change_permission(request, obj))

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().change_view(request, object_id, *args, **kwargs)
        if request.method == "GET" and response.status_code == 200:
            person = User.objects.get(pk=object_id)
            record("person.viewed", actor=person_of(request), subject=person, request=request, now=timezone.now())
        return response

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response: HttpResponse = super().changelist_view(request, extra_context)
        if request.method == "GET" and response.status_code == 200:
            details = {"search": request.GET.get("q", ""), "page": request.GET.get("p", "")}
            record("people.listed", actor=person_of(request), request=request, details=details, now=timezone.now())
        return response

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        values = {name: form.cleaned_data[name] for name in form.cleaned_data if name in people.STAFF_FIELDS}
        if change:
            person = User.objects.get(pk=obj.pk)
            people.change_by_staff(user=person, values=values, actor=person_of(request), now=timezone.now())
        else:
            obj.pk = people.add_by_staff(values=values, actor=person_of(request), now=timezone.now()).pk

    @display(description=_("Person"), ordering="last_name", header=True)
    def person(self, user: User) -> list[str]:
        return [user.get_full_name(), user.email]

    @display(description=_("Account"), label={"active": "success", "disabled": "danger", "staff": "info"})
    def shown_state(self, user: User) -> tuple[str, str]:
        if not user.is_active:
            return "disabled", str(_("Disabled"))
        return ("staff", str(_("Staff"))) if user.is_staff else ("active", str(_("Active")))

    @display(description=_("Asks to be erased"))
    def erasure_asked(self, user: User) -> str:
        """Erasing is a command, because nothing brings a person back."""
        if user.erasure_asked_at is None:
            return str(_("No"))
        return str(_("Since %(moment)s. Look first: manage.py erase_person %(email)s --dry-run")) % {
            "moment": when(user.erasure_asked_at),
            "email": user.email,
        }

    @display(description=_("Account"))
    def state_text(self, user: User) -> str:
        return str(self.shown_state(user)[1])

    @display(description=_("Second step"), ordering="has_second_step")
    def second_step(self, user: Any) -> str:
        """Only staff must have one."""
        if user.has_second_step:
            return str(_("Set up"))
        is_needed = user.is_staff or user.is_superuser
        return format_html('<span class="desk-missing">{}</span>', _("Missing")) if is_needed else "–"

    @display(description=_("Last signed in"), ordering="last_login")
    def signed_in(self, user: User) -> str:
        return when(user.last_login)

    @display(description=_("Added"))
    def created(self, user: User) -> str:
        return when(user.created_at)

    @display(description=_("Time zone confirmed"))
    def zone_confirmed(self, user: User) -> str:
        return when(user.timezone_confirmed_at)

    @action(description=_("Send an invitation"), permissions=("change",))
    def invite(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        ids = queryset.filter(is_active=True).values_list("pk", flat=True)
        number = invitations.queue_invitations(user_ids=ids, created_by=person_of(request), now=timezone.now())
        text = ngettext("%(n)d invitation will be sent.", "%(n)d invitations will be sent.", number)
        messages.success(request, text % {"n": number})
        if number < len(ids):
            messages.info(request, _("People with a valid open invitation keep it; use “Send again” on invitations."))

    @action(description=_("Sign out everywhere"), permissions=("change",))
    def sign_out_everywhere(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        def end(user: User) -> None:
            at = timezone.now()
            devices.end_all_devices(user=user, reason=DeviceEnd.REVOKED, now=at)
            record("person.signed_out", actor=person_of(request), subject=user, request=request, now=at)

        self._each(request, queryset, end)

    @action(description=_("Remove the second step (lost phone)"), permissions=("change",))
    def reset_second_step(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        actor = person_of(request)
        self._each(request, queryset, lambda user: people.reset_second_step(user=user, actor=actor, now=timezone.now()))

    @action(description=_("Disable: sign out and lock"), permissions=("change",))
    def disable(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        actor = person_of(request)
        self._each(request, queryset, lambda user: people.disable(user=user, actor=actor, now=timezone.now()))

    @action(description=_("Enable again"), permissions=("change",))
    def enable(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        actor = person_of(request)
        self._each(request, queryset, lambda user: people.enable(user=user, actor=actor, now=timezone.now()))

    def _each(self, request: HttpRequest, queryset: QuerySet[User], change: Callable[[User], object]) -> None:
        """Neither oneself, who would be locked out, nor superusers, unless one is one."""
        number = 0
        for user in queryset:
            if user.pk == request.user.pk or not self.has_change_permission(request, user):
                messages.warning(request, _("%(person)s was left out.") % {"person": user.get_full_name()})
                continue
            change(user)
            number += 1
        messages.success(request, ngettext("Done for %(n)d person.", "Done for %(n)d people.", number) % {"n": number})


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    list_display = ("person", "occasion", "shown_state", "sent", "expires", "used", "created_by")
    list_filter = (("created_at", RangeDateTimeFilter), ("used_at", admin.EmptyFieldListFilter))
    list_filter_submit = True
    list_select_related = ("user", "created_by")
    search_fields = ("user__email", "user__first_name", "user__last_name", "occasion")
    fields = ("user", "occasion", "state_text", "created_by", "created", "sent", "expires", "used", "failures")
    readonly_fields = fields
    actions = ("resend", "revoke", "send_held")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing to edit; the actions ask for this right."""
        return bool(ModelAdmin.has_change_permission(self, request, obj))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The right to change brings buttons to save, and there is nothing to save."""
        without = {"title": _("Invitation"), "show_save": False, "show_save_and_continue": False, "show_close": True}
        response: HttpResponse = super().change_view(request, object_id, form_url, {**(extra_context or {}), **without})
        return response

    @display(description=_("Created"))
    def created(self, invitation: Invitation) -> str:
        return when(invitation.created_at)

    @display(description=_("Person"), ordering="user__last_name", header=True)
    def person(self, invitation: Invitation) -> list[str]:
        return [invitation.user.get_full_name(), invitation.user.email]

    @display(description=_("State"), label=STATE_LABELS)
    def shown_state(self, invitation: Invitation) -> tuple[str, str]:
        state = invitation.state(timezone.now())
        if state == InvitationState.QUEUED and invitation.failures >= invitations.MOST_FAILURES:
            return InvitationState.REVOKED, str(_("Refused by the mail server"))
        return state, str(state.label)

    @display(description=_("State"))
    def state_text(self, invitation: Invitation) -> str:
        return str(self.shown_state(invitation)[1])

    @display(description=_("Sent"), ordering="sent_at")
    def sent(self, invitation: Invitation) -> str:
        return when(invitation.sent_at)

    @display(description=_("Expires"), ordering="expires_at")
    def expires(self, invitation: Invitation) -> str:
        return when(invitation.expires_at)

    @display(description=_("Used"), ordering="used_at")
    def used(self, invitation: Invitation) -> str:
        return when(invitation.used_at)

    @action(description=_("Send again (the old link stops working)"), permissions=("change",))
    def resend(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        at, actor = timezone.now(), person_of(request)
        rows = [row for row in queryset.select_related("user") if row.user.is_active]
        for invitation in rows:
            invitations.resend(invitation=invitation, actor=actor, now=at)
        text = ngettext("%(n)d invitation will be sent.", "%(n)d invitations will be sent.", len(rows))
        messages.success(request, text % {"n": len(rows)})

    @action(description=_("Withdraw (the link stops working)"), permissions=("change",))
    def revoke(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        at, actor = timezone.now(), person_of(request)
        number = sum(invitations.revoke(invitation=row, actor=actor, now=at) for row in queryset)
        text = ngettext("%(n)d invitation is withdrawn.", "%(n)d invitations are withdrawn.", number)
        messages.success(request, text % {"n": number})

    @action(description=_("Send now what was held back"), permissions=("change",))
    def send_held(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        ids = queryset.values_list("pk", flat=True)
        number = invitations.release(invitation_ids=ids, actor=person_of(request), now=timezone.now())
        text = ngettext("%(n)d invitation will be sent.", "%(n)d invitations will be sent.", number)
        messages.success(request, text % {"n": number})


@admin.register(Device)
class DeviceAdmin(ReadOnlyAdmin):
    list_display = ("person", "name", "method", "address", "seen", "shown_end")
    list_filter = ("method", "ended_reason", ("last_seen_at", RangeDateTimeFilter))
    list_filter_submit = True
    list_select_related = ("user",)
    search_fields = ("user__email", "user__last_name", "address")
    fields = ("user", "name", "user_agent", "address", "method", "signed_in", "seen", "second_step", "shown_end")
    readonly_fields = fields

    @display(description=_("Person"), ordering="user__last_name", header=True)
    def person(self, device: Device) -> list[str]:
        return [device.user.get_full_name(), device.user.email]

    @display(description=_("Signed in"))
    def signed_in(self, device: Device) -> str:
        return when(device.created_at)

    @display(description=_("Second step passed"))
    def second_step(self, device: Device) -> str:
        return when(device.mfa_at)

    @display(description=_("Last seen"), ordering="last_seen_at")
    def seen(self, device: Device) -> str:
        return when(device.last_seen_at)

    @display(description=_("Ended"), ordering="ended_at")
    def shown_end(self, device: Device) -> str:
        return f"{when(device.ended_at)} · {device.get_ended_reason_display()}" if device.ended_at else "–"


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """The list in words; codes, addresses and numbers for an investigation are on each event's own page."""

    list_display = ("shown_at", "what", "actor", "subject")
    list_filter = (("at", RangeDateTimeFilter),)
    list_filter_submit = True
    list_select_related = ("actor",)
    search_fields = ("=action", "=actor__email", "=subject_id", "=request_id")
    search_help_text = _("The exact code of an action, e-mail address, object number or request number")
    fields = ("shown_at", "what", "actor", "about", "facts", "source", "code", "request_id")
    readonly_fields = fields

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The names of all people on the page by one query."""
        found = super().get_changelist_instance(request)
        names = audit_words.names_of_people(found.result_list)
        for event in found.result_list:
            event.names = names
        return found

    @display(description=_("When"), ordering="id")
    def shown_at(self, event: AuditEvent) -> str:
        return when(event.at)

    @display(description=_("What"))
    def what(self, event: AuditEvent) -> str:
        return audit_words.words_of(event.action)

    @display(description=_("Object"))
    def subject(self, event: Any) -> str:
        return audit_words.subject_in_words(event, event.names)

    @display(description=_("Object"))
    def about(self, event: AuditEvent) -> str:
        kind, name = audit_words.kind_of(event), audit_words.find_subject(event)
        return " · ".join(part for part in (kind, name, event.subject_id) if part) or "–"

    @display(description=_("Details"))
    def facts(self, event: AuditEvent) -> str:
        lines = ((name.replace("_", " ").capitalize(), _plainly(value)) for name, value in event.details.items())
        return format_html_join(SafeString("<br>"), "{}: {}", lines) or "–"

    @display(description=_("Address"))
    def source(self, event: AuditEvent) -> str:
        if event.address in LOOPBACK:
            return str(_("%(address)s (the server itself)") % {"address": event.address})
        return event.address or "–"

    @display(description=_("Code of the action"))
    def code(self, event: AuditEvent) -> str:
        return event.action


def _plainly(value: Any) -> str:
    """Lists and yes or no as people write them; the rest as it was recorded."""
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if isinstance(value, list):
        return ", ".join(_plainly(one) for one in value) or "–"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plainly(one)}" for name, one in value.items()) or "–"
    return "–" if value in (None, "") else str(value)
