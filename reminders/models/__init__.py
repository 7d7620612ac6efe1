from reminders.models.calendar import CalendarFeed, ScheduleRevision
from reminders.models.campaign import Campaign
from reminders.models.consent import ChannelChoice, ConsentRecord, PushSubscription, Suppression
from reminders.models.delivery import Delivery, InboxItem, ProviderEvent
from reminders.models.journey import Journey, MessagePolicy, MessageTemplate, TemplateSet
from reminders.models.phone import PhoneCode

__all__ = (
    "CalendarFeed",
    "Campaign",
    "ChannelChoice",
    "ConsentRecord",
    "Delivery",
    "InboxItem",
    "Journey",
    "MessagePolicy",
    "MessageTemplate",
    "PhoneCode",
    "ProviderEvent",
    "PushSubscription",
    "ScheduleRevision",
    "Suppression",
    "TemplateSet",
)
