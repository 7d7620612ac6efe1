from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from accounts.enums import Role
from accounts.rules import person_of
from courses.rules import has_role, programmes_staffed_by
from webinars.models import CannedReply


@admin.register(CannedReply)
class CannedReplyAdmin(ModelAdmin):
    """Ready answers. Those for all programmes every moderator reads, and an operator of all programmes changes."""

    list_display = ("title", "programme", "text")
    search_fields = ("title", "text")
    fields = ("programme", "title", "text")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        mine = programmes_staffed_by(request.user)
        return super().get_queryset(request).filter(Q(programme=None) | Q(programme__in=mine))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) and self._is_seen(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and self._is_mine(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and self._is_mine(request, obj)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Only an operator of all programmes writes for all of them."""
        form = super().get_form(request, obj, change, **kwargs)
        if "programme" in form.base_fields and not _is_everywhere(request):
            form.base_fields["programme"].required = True
        return form

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "programme":
            kwargs["queryset"] = programmes_staffed_by(request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def _row(self, request: HttpRequest, obj: Any) -> CannedReply | None:
        """Unfold asks with an id where Django asks with the object."""
        if obj is None or isinstance(obj, CannedReply):
            return obj
        return self.get_queryset(request).filter(pk=obj).first()

    def _is_seen(self, request: HttpRequest, obj: Any) -> bool:
        if obj is None or (isinstance(obj, CannedReply) and obj.pk is None):
            return True
        row = self._row(request, obj)
        return row is not None and self.get_queryset(request).filter(pk=row.pk).exists()

    def _is_mine(self, request: HttpRequest, obj: Any) -> bool:
        if obj is None or (isinstance(obj, CannedReply) and obj.pk is None):
            return True
        row = self._row(request, obj)
        if row is None:
            return False
        if row.programme_id is None:
            return _is_everywhere(request)
        return programmes_staffed_by(request.user).filter(pk=row.programme_id).exists()


def _is_everywhere(request: HttpRequest) -> bool:
    return has_role(person_of(request), Role.OPERATOR, programme=None)
