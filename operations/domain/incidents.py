"""What operators write on the status page."""

from django.db import transaction

from operations.domain import status
from operations.models import Incident


def save_incident(incident: Incident) -> None:
    """On the page at once, not when the last look has run out."""
    with transaction.atomic():
        incident.save()
        transaction.on_commit(status.forget)


def delete_incident(incident: Incident) -> None:
    with transaction.atomic():
        incident.delete()
        transaction.on_commit(status.forget)
