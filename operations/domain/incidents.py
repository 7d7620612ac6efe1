"""What operators write on the status page."""

from django.db import transaction
from django.utils import timezone

from operations.domain import status
from operations.models import Incident


def save_incident(incident: Incident) -> None:
    """On the page at once, not when the last look has run out."""
    with transaction.atomic():
        incident.save()
        transaction.on_commit(_tell)


def delete_incident(incident: Incident) -> None:
    with transaction.atomic():
        incident.delete()
        transaction.on_commit(_tell)


def _tell() -> None:
    """A look at once: what it finds stands at the head of every page too."""
    status.forget()
    status.forget_announced()
    status.read_status(now=timezone.now())
