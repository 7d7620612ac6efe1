"""The audit trail in words: what the rows are about. What their codes mean is said by `enums.AUDIT_ACTIONS`."""

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import pgettext_lazy

from accounts.enums import AUDIT_ACTIONS
from accounts.models import AuditEvent, User

PEOPLE = "accounts.user"
LONGEST_NUMBER = 18  # digits; anything longer is no bigint


def words_of(action: str) -> str:
    return str(AUDIT_ACTIONS.get(action, action))


def kind_of(event: AuditEvent) -> str:
    """'programme'; the label itself where the model is gone."""
    try:
        return str(apps.get_model(event.subject_type)._meta.verbose_name)
    except (LookupError, ValueError):
        return event.subject_type


def subject_in_words(event: AuditEvent, names: dict[str, str]) -> str:
    """'person: Meera Nair', 'programme 3', or 'device': a UUID tells nobody anything in a list."""
    if not event.subject_type:
        return "–"
    kind = kind_of(event)
    if event.subject_type == PEOPLE and event.subject_id in names:
        return str(pgettext_lazy("object of an audit event", "%(kind)s: %(name)s")) % {
            "kind": kind,
            "name": names[event.subject_id],
        }
    return f"{kind} {event.subject_id}" if event.subject_id.isdecimal() else kind


def names_of_people(events: Iterable[AuditEvent]) -> dict[str, str]:
    """One query for a whole page, by the number as the trail has it."""
    ids = {one.subject_id for one in events if one.subject_type == PEOPLE and _is_number(one.subject_id)}
    return {str(person.pk): person.get_full_name() for person in User.objects.filter(pk__in=ids)}


def find_subject(event: AuditEvent) -> str:
    """What the object is called today; empty when it is gone."""
    try:
        rows: QuerySet[Any] = QuerySet(apps.get_model(event.subject_type))
        found = rows.filter(pk=event.subject_id).first()
    except (LookupError, ValueError, ValidationError):
        return ""
    return str(found or "")


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) <= LONGEST_NUMBER
