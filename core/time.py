"""Times for people, as plain text. Pages for doctors have markup for it: `core.templatetags.ui`."""

import zoneinfo
from datetime import datetime
from functools import cache

from django.utils import timezone
from django.utils.formats import date_format


@cache
def zone_names() -> frozenset[str]:
    """All time zones there are. `zoneinfo` looks through some hundred files each time it is asked."""
    return frozenset(zoneinfo.available_timezones())


def when(at: datetime | None) -> str:
    """'24 Jul 2026, 21:52 BST': on the reader's clock, and it says which one that is."""
    if at is None:
        return "–"
    local = timezone.localtime(at)
    return f"{date_format(local, 'j M Y, H:i')} {local.tzname()}"
