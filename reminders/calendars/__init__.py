"""Webinars in the words of calendars: invitations that update their own entry, feeds, links to well-known calendars.

Pure: no database, no clock. The same facts make the same bytes.
"""

from reminders.calendars.adding import AddLinks, add_links
from reminders.calendars.files import CANCEL, PUBLISH, REQUEST, Event, Guest, feed, invitation

__all__ = ("CANCEL", "PUBLISH", "REQUEST", "AddLinks", "Event", "Guest", "add_links", "feed", "invitation")
