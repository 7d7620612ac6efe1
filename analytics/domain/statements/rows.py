"""What the sources of facts share: whom anything is told of, rows as they come, and things by their names."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db.models import Exists, Model, OuterRef, QuerySet

from analytics.domain.statements import shapes
from courses.enums import OPEN_ENROLMENTS
from courses.models import Enrolment

PIECE = 500


def enrolled(programme: str) -> Exists:
    """Whether the row's user is somebody of whom anything is told."""
    return Exists(
        Enrolment.objects.filter(
            user=OuterRef("user"),
            programme=OuterRef(programme),
            status__in=OPEN_ENROLMENTS,
            user__is_active=True,
            user__erasure_asked_at=None,
        )
    )


def rows(found: QuerySet[Any, Model], *fields: str, **names: Any) -> Iterator[dict[str, Any]]:
    """`names` are expressions that are told by other names than the model's own."""
    aliases = {f"the_{name}": value for name, value in names.items()}
    for row in found.order_by("pk").annotate(**aliases).values(*fields, *aliases).iterator(chunk_size=PIECE):
        yield {key.removeprefix("the_"): value for key, value in row.items()}


def named(path: str, kind: str, name: str) -> dict[str, Any]:
    return shapes.activity(home(), path, kind=kind, name=name, language=settings.LANGUAGE_CODE)


def place(path: str) -> dict[str, Any]:
    return shapes.reference(home(), path)


def home() -> str:
    found: str = settings.XAPI["XAPI_HOME_PAGE"]
    return found
