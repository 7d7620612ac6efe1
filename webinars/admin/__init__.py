"""The admin of webinars: one module for each part of the work."""

from webinars.admin.lesson import WebinarInline

__all__ = ["WebinarInline"]
