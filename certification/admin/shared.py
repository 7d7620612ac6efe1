"""Small things that the pages of credit have in common."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.domain import audit
from accounts.enums import Role
from accounts.rules import person_of
from certification.authorities import AUTHORITIES
from certification.domain.activities import ActivityError
from certification.domain.disclosers import DiscloserError
from certification.domain.reviews import ReviewError
from certification.enums import AuthorityKey, EntryKind
from core.clock import now
from courses.admin.base import ScopedAdmin

OPERATORS = frozenset({Role.OPERATOR})
AUDITORS = frozenset({Role.AUDITOR})


def link(address: str, text: Any) -> SafeString:
    return format_html('<a class="underline" href="{}">{}</a>', address, text)


def object_id(request: HttpRequest) -> int:
    given = str(request.resolver_match.kwargs.get("object_id", "")) if request.resolver_match else ""
    return int(given) if given.isdecimal() and len(given) < 18 else 0


def tell(request: HttpRequest, refused: Exception) -> None:
    text = str(getattr(refused, "message", refused))
    messages.error(request, " ".join([text, *getattr(refused, "problems", ())]))


@contextmanager
def telling(request: HttpRequest) -> Iterator[None]:
    """What the domain refuses is told to the person, not to the error log."""
    try:
        yield
    except (ActivityError, DiscloserError, ReviewError) as refused:
        tell(request, refused)


def keys_named(words: str) -> list[str]:
    """Authorities whose name, as people read it, has these words in it: “UEMS”, “State medical council”."""
    said = words.strip().casefold()
    if len(said) < 3:
        return []
    names = {key.value: f"{key.label} {AUTHORITIES[key].title}".casefold() for key in AuthorityKey}
    return [key for key, name in names.items() if said in name]


class RecordedAdmin(ScopedAdmin):
    """Read by operators and auditors, written by nobody; each look, at the list or at a page, is in the audit trail as
    `<looks_at>.listed` or `<looks_at>.read`.
    """

    roles = OPERATORS | AUDITORS
    looks_at: str

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        response: HttpResponse = super().changelist_view(request, extra_context)
        if request.method == "GET" and response.status_code == 200:
            details = {"search": request.GET.get("q", ""), "page": request.GET.get("p", "")}
            self._record(request, "listed", details=details)
        return response

    def changeform_view(self, request: HttpRequest, object_id: Any = None, *args: Any, **kwargs: Any) -> Any:
        answer = super().changeform_view(request, object_id, *args, **kwargs)
        found = self.get_object(request, str(object_id)) if object_id else None
        if found is not None and request.method == "GET":
            self._record(request, "read", subject=found)
        return answer

    def _record(self, request: HttpRequest, look: str, **about: Any) -> None:
        audit.record(f"{self.looks_at}.{look}", actor=person_of(request), request=request, now=now(), **about)


class EntryFilter(admin.SimpleListFilter):
    """By kinds of lines of the ledger."""

    kinds: Sequence[EntryKind] = tuple(EntryKind)
    lookup = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(kind.value, kind.label) for kind in self.kinds]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.lookup: self.value()}) if self.value() in self.kinds else queryset
