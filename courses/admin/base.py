"""What every admin of this app shares: object rights by `courses.rules`, and errors of the domain as messages."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, TypeVar

from django.contrib import messages
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts.enums import STAFF_ROLES
from core.time import when
from courses import rules
from courses.domain.authoring import AuthoringError
from courses.domain.enrolment import EnrolmentError
from courses.domain.roles import RoleError
from courses.enums import PublishStatus
from courses.forms import OrderedFormSet
from courses.models import Programme

STATUS_LABELS = {"draft": "warning", "published": "success", "archived": "default"}
Row = TypeVar("Row", bound=models.Model)


def allowed_programmes(request: HttpRequest, roles: frozenset[str]) -> frozenset[int]:
    """Ids of the programmes in which this person has one of the roles; asked once a request."""
    known: dict[frozenset[str], frozenset[int]] = request.__dict__.setdefault("_allowed_programmes", {})
    if roles not in known:
        known[roles] = frozenset(rules.programmes_with_role(request.user, *roles).values_list("pk", flat=True))
    return known[roles]


class ScopedAdmin(ModelAdmin):
    """Shows and lets change only what belongs to a programme the person staffs; everything else does not exist.

    The *kinds* of things come from Django's permissions (`lms.backends`), the objects from here.
    """

    programme_path: ClassVar[str] = "programme"
    roles: ClassVar[frozenset[str]] = frozenset(STAFF_ROLES)
    compressed_fields = True
    warn_unsaved_form = True
    list_filter_submit = True
    formfield_overrides: ClassVar[dict[Any, Any]] = {
        models.TextField: {"widget": UnfoldAdminTextareaWidget(attrs={"rows": 4})}
    }

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        ids = allowed_programmes(request, self.roles)
        return super().get_queryset(request).filter(**{f"{self.programme_path}__in": ids})

    def has_module_permission(self, request: HttpRequest) -> bool:
        return super().has_module_permission(request) and bool(allowed_programmes(request, self.roles))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) and self._is_mine(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and self._is_mine(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and self._is_mine(request, obj)

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return super().has_add_permission(request, *args) and bool(allowed_programmes(request, self.roles))

    def _is_mine(self, request: HttpRequest, obj: Any) -> bool:
        """Unfold asks with an id where Django asks with the object."""
        if obj is None or (isinstance(obj, models.Model) and obj.pk is None):
            return True
        pk = obj.pk if isinstance(obj, models.Model) else obj
        return self.get_queryset(request).filter(pk=pk).exists()

    def object_or_404(self, request: HttpRequest, object_id: str) -> Any:
        found = self.get_object(request, object_id)
        if found is None:
            raise Http404
        return found

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """A choice list never names another programme's things."""
        paths = {"programme": "pk", "course": "programme", "cohort": "programme", "lesson": "course__programme"}
        if db_field.name in paths and "queryset" not in kwargs:
            ids = allowed_programmes(request, self.roles)
            kwargs["queryset"] = db_field.related_model.objects.filter(**{f"{paths[db_field.name]}__in": ids})
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Django tells of the Control key, which the two-sided chooser has no use for."""
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if field is not None and db_field.name in self.filter_horizontal:
            field.help_text = db_field.help_text
        return field

    @contextmanager
    def telling(self, request: HttpRequest) -> Iterator[None]:
        """What the domain refuses is told to the person, not to the error log."""
        try:
            yield
        except (AuthoringError, EnrolmentError, RoleError) as refused:
            messages.error(request, str(refused))

    def apply(self, request: HttpRequest, rows: models.QuerySet[Row], change: Callable[[Row], object]) -> int:
        """One domain call for each row; the refused ones are told, the others are done. Returns how many were done."""
        done = 0
        for row in rows:
            with self.telling(request):
                change(row)
                done += 1
        return done


class PublishableAdmin(ScopedAdmin):
    """What programmes and courses share: a window, a status, and buttons only for what can still be done."""

    @display(description=_("Status"), ordering="status", label=STATUS_LABELS)
    def shown_status(self, row: Any) -> tuple[str, str]:
        return row.status, row.get_status_display()

    @display(description=_("Status"))
    def status_text(self, row: Any) -> str:
        return str(row.get_status_display()) if row.pk else str(PublishStatus.DRAFT.label)

    @display(description=_("Opens"), ordering="opens_at")
    def opens(self, row: Any) -> str:
        return when(row.opens_at)

    @display(description=_("Closes"), ordering="closes_at")
    def closes(self, row: Any) -> str:
        return when(row.closes_at)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        row = self.get_object(request, str(object_id))
        over = (
            {PublishStatus.PUBLISHED: "_publish", PublishStatus.ARCHIVED: "_archive"}.get(row.status) if row else None
        )
        actions = super().get_actions_detail(request, object_id)
        return [one for one in actions if not over or not one.action_name.endswith(over)]


def done(request: HttpRequest, address: str) -> HttpResponse:
    """On from a dialog. htmx would follow a redirect by itself and put the next page into the dialog."""
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)


def preview(programme: Programme) -> HttpResponse:
    """The programme's own page shows itself to somebody with only a role as to a new doctor, drafts included."""
    return HttpResponseRedirect(reverse("programme", args=(programme.slug,)))


def save_ordered(
    formset: OrderedFormSet,
    save: Callable[[Any], object],
    reorder: Callable[[list[int]], None],
    others: Any,
    delete: Callable[[Any], object] = models.Model.delete,
) -> None:
    """Writes the rows of a sortable inline through the domain, then their order; `others` are all of the parent's."""
    formset.save(commit=False)
    for gone in formset.deleted_objects:
        delete(gone)
    touched = {id(row) for row in formset.new_objects} | {id(row) for row, _ in formset.changed_objects}
    rows = formset.in_order()
    for row in rows:
        if id(row) in touched:
            save(row)
    listed = [row.pk for row in rows]
    reorder([*listed, *others.exclude(pk__in=listed).order_by("position").values_list("pk", flat=True)])
