"""An uploaded list between its dry run and its confirmation."""

import uuid
from datetime import datetime

from django.http import Http404

from accounts.models import PendingImport, User


def keep(*, content: bytes, file_name: str, purpose: str, created_by: User, now: datetime) -> PendingImport:
    """One at a time for a person: a newer upload replaces the one that was never confirmed."""
    PendingImport.objects.filter(created_by=created_by).delete()
    return PendingImport.objects.create(
        content=content, file_name=file_name[:200], purpose=purpose, created_by=created_by, created_at=now
    )


def find(*, import_id: uuid.UUID, created_by: User) -> PendingImport:
    """Only whoever uploaded it may see it: it is a list of names and addresses."""
    pending = PendingImport.objects.filter(pk=import_id, created_by=created_by).first()
    if pending is None:
        raise Http404
    return pending


def forget(*, pending: PendingImport) -> None:
    pending.delete()
