from reminders.admin.campaigns import CampaignAdmin
from reminders.admin.deliveries import DeliveryAdmin
from reminders.admin.policies import JourneyAdmin, MessagePolicyAdmin
from reminders.admin.templates import MessageTemplateAdmin, TemplateSetAdmin

__all__ = (
    "CampaignAdmin",
    "DeliveryAdmin",
    "JourneyAdmin",
    "MessagePolicyAdmin",
    "MessageTemplateAdmin",
    "TemplateSetAdmin",
)
