from reminders.admin.campaigns import CampaignAdmin
from reminders.admin.consents import ConsentRecordAdmin
from reminders.admin.deliveries import DeliveryAdmin
from reminders.admin.policies import JourneyAdmin, MessagePolicyAdmin
from reminders.admin.suppressions import SuppressionAdmin
from reminders.admin.templates import MessageTemplateAdmin, TemplateSetAdmin

__all__ = (
    "CampaignAdmin",
    "ConsentRecordAdmin",
    "DeliveryAdmin",
    "JourneyAdmin",
    "MessagePolicyAdmin",
    "MessageTemplateAdmin",
    "SuppressionAdmin",
    "TemplateSetAdmin",
)
