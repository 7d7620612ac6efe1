"""Who may see which message: everybody their own, and nobody else's. Campaigns are for who staffs their programme."""

from django.db.models import QuerySet
from django.http import Http404

from accounts.models import User
from courses.rules import programmes_staffed_by
from reminders.models import Campaign, InboxItem


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


def campaigns_for(user: User) -> QuerySet[Campaign]:
    return Campaign.objects.filter(programme__in=programmes_staffed_by(user))


def get_campaign_for(user: User, campaign_id: int) -> Campaign:
    """404 for another programme's, as for one that never was."""
    try:
        found = campaigns_for(user).select_related("programme").filter(pk=campaign_id).first()
    except OverflowError as absent:
        raise Http404 from absent
    if found is None:
        raise Http404
    return found
