"""What the read-only pages of messages have in common: who looks is on record, what was searched for is not."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from accounts.domain import audit
from accounts.enums import Role
from accounts.rules import person_of
from core.clock import now
from core.limits import hit
from courses.admin.base import ScopedAdmin
from courses.models import RoleGrant

OPERATORS = frozenset({Role.OPERATOR})
AN_HOUR = 3_600


class LookedAtAdmin(ScopedAdmin):
    """Nobody writes here. A look at the list is `<looks_at>.listed`, one at a page `<looks_at>.read`.

    A trail that nobody can take anything out of is no place for names and addresses that were typed: it says that
    something was searched for, and of a page whose it was.
    """

    looks_at: str
    actions = None

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        response: HttpResponse = super().changelist_view(request, extra_context)
        if request.method == "GET" and response.status_code == 200:
            details = {"searched": bool(request.GET.get("q")), "page": request.GET.get("p", "")}
            self._record(request, "listed", details=details)
        return response

    def changeform_view(self, request: HttpRequest, object_id: Any = None, *args: Any, **kwargs: Any) -> Any:
        answer = super().changeform_view(request, object_id, *args, **kwargs)
        found = self.get_object(request, str(object_id)) if object_id else None
        if found is not None and request.method == "GET":
            self._record(request, "read", **self.told_of(found))
        return answer

    def told_of(self, row: Any) -> dict[str, Any]:
        """What the trail says of a page: whose it was."""
        return {"subject": row.user, "details": {"row": row.pk}}

    def _record(self, request: HttpRequest, look: str, **about: Any) -> None:
        audit.record(f"{self.looks_at}.{look}", actor=person_of(request), request=request, now=now(), **about)


def record_look(request: HttpRequest, action: str, *, key: str, **about: Any) -> None:
    """Once an hour for the same person and thing: a page that is drawn anew at every letter is one look."""
    person = person_of(request)
    if hit(f"reminders:{action}:{person.pk}:{key}", limit=1, window_seconds=AN_HOUR):
        audit.record(action, actor=person, request=request, now=now(), **about)


def runs_everything(request: HttpRequest) -> bool:
    """An operator of all programmes: people and addresses belong to none."""
    known: bool | None = request.__dict__.get("_runs_everything")
    if known is None:
        person = person_of(request)
        grants = RoleGrant.objects.filter(user=person, role=Role.OPERATOR, programme=None)
        known = person.is_superuser or grants.exists()
        request.__dict__["_runs_everything"] = known
    return known
