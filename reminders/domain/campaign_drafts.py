"""A draft is thrown away, or begun from what was written before."""

from datetime import datetime

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.domain import audit
from accounts.models import User
from reminders.domain.campaigns import LONGEST_TITLE, locked
from reminders.enums import CampaignState
from reminders.models import Campaign


@transaction.atomic
def discard(*, campaign: Campaign, actor: User, request: HttpRequest | None = None, now: datetime) -> None:
    """Raises CampaignError for what is no draft: what was sent, or may be sent at any moment, stays known."""
    row = locked(campaign, CampaignState.DRAFT, told=_("Only drafts can be deleted. What was sent stays known."))
    audit.record("campaign.deleted", actor=actor, subject=row, request=request, details={"title": row.title}, now=now)
    row.delete()


@transaction.atomic
def copy(*, campaign: Campaign, actor: User, request: HttpRequest | None = None, now: datetime) -> Campaign:
    """A new draft of the same programme: whom it means, what it says and which way it goes, without the hour."""
    made = Campaign.objects.create(
        programme=campaign.programme,
        title=(_("Copy of %(title)s") % {"title": campaign.title})[:LONGEST_TITLE],
        audience=campaign.audience,
        texts=campaign.texts,
        path=campaign.path,
        channels=campaign.channels,
        fallback_minutes=campaign.fallback_minutes,
        made_by=actor,
        made_at=now,
    )
    details = {"title": made.title, "of": campaign.pk}
    audit.record("campaign.copied", actor=actor, subject=made, request=request, details=details, now=now)
    return made
