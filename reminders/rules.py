"""Who may see which message: everybody their own, and nobody else's."""

from django.db.models import QuerySet
from django.http import Http404

from accounts.models import User
from reminders.models import InboxItem


def messages_for(user: User) -> QuerySet[InboxItem]:
    return InboxItem.objects.filter(user=user)


def get_message_for(user: User, message_id: int) -> InboxItem:
    """404 for somebody else's, as for one that never was."""
    try:
        found = messages_for(user).filter(pk=message_id).first()
    except OverflowError as absent:
        raise Http404 from absent
    if found is None:
        raise Http404
    return found
