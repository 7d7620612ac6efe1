from reminders.admin.templates import MessageTemplateAdmin, TemplateSetAdmin

__all__ = ("MessageTemplateAdmin", "TemplateSetAdmin")
