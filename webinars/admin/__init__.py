"""The admin of webinars: one module for each part of the work."""

from webinars.admin.desk_replies import CannedReplyAdmin
from webinars.admin.lesson import WebinarInline
from webinars.admin.schedule import WebinarAdmin
from webinars.admin.spot import SpotWindowAdmin

__all__ = ["CannedReplyAdmin", "SpotWindowAdmin", "WebinarAdmin", "WebinarInline"]
