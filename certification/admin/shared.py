"""Small things that the pages of credit have in common."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.enums import Role
from certification.authorities import AUTHORITIES
from certification.domain.activities import ActivityError
from certification.domain.disclosers import DiscloserError
from certification.domain.reviews import ReviewError
from certification.enums import AuthorityKey, EntryKind

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


class EntryFilter(admin.SimpleListFilter):
    """By kinds of lines of the ledger."""

    kinds: Sequence[EntryKind] = tuple(EntryKind)
    lookup = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(kind.value, kind.label) for kind in self.kinds]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.lookup: self.value()}) if self.value() in self.kinds else queryset
