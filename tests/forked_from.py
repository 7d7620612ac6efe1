"""What the process has read from which `tests.forked` forks. Without connections: children would share them."""

import gc
from importlib import import_module

import django

django.setup()
for name in (
    "analytics.domain.cold.moving",
    "certification.domain.files",
    "certification.management.commands.issue_certificates",
    "certification.printing.update",
    "media.management.commands.add_video",
    "reminders.domain.sending",
    "tests.reminders.sink",
    "webinars.domain.recording",
):
    import_module(name)
gc.freeze()  # or a child's first look for garbage writes to every page that they share
