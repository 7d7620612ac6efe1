"""Machines that follow the calendar: from webinars to scheduled scaling actions, explained in docs/scaling.md."""
