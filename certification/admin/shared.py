"""Small things that the pages of credit have in common."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from certification.domain.activities import ActivityError
from certification.domain.disclosers import DiscloserError
from certification.domain.reviews import ReviewError


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
