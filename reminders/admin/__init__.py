from reminders.admin.campaigns import CampaignAdmin
from reminders.admin.templates import MessageTemplateAdmin, TemplateSetAdmin

__all__ = ("CampaignAdmin", "MessageTemplateAdmin", "TemplateSetAdmin")
