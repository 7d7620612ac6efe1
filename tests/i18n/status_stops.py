"""The stops of the tour before the door: the waiting room and the status page."""

from datetime import timedelta

from django.utils import translation
from django.utils.timezone import now

from core.shedding import page
from core.shedding.line import KEYS
from core.valkey import QuickValkey
from operations.domain import status
from operations.enums import Part, Reason, Severity
from operations.models import Incident
from tests.i18n.catalogue import CODE
from tests.i18n.reader import untranslated
from tests.i18n.tour import GREEK, Tour, visitor

HOUR = timedelta(hours=1)


def waiting_room(tour: Tour) -> None:
    page._page.cache_clear()  # rendered anew, in the language of the tour
    for ahead in (None, 0, 1, 300):
        for seconds in (0, 60, 600, 9_999):
            text = page.waiting_room(CODE, ahead=ahead, seconds=seconds, refresh=5)
            assert f'<html lang="{CODE}"' in text
            tour.note(f"waiting room, {ahead} ahead, {seconds} s", untranslated(text))
    page._page.cache_clear()


def status_page(tour: Tour) -> None:
    _read(tour, "status, quiet")
    QuickValkey().ask(lambda client: client.zadd(KEYS[2], {"somebody": now().timestamp() + 600}))
    _read(tour, "status, with a line")
    QuickValkey().ask(lambda client: client.delete(*KEYS))
    for part in Part:
        Incident.objects.create(title=GREEK, words=GREEK, part=part, severity=Severity.SLOW, started_at=now() - HOUR)
    _read(tour, "status, everything is slow")
    Incident.objects.update(severity=Severity.DOWN, ended_at=now() - HOUR / 2)
    Incident.objects.create(title=GREEK, severity=Severity.DOWN, started_at=now() - HOUR)
    Incident.objects.create(title=GREEK, severity=Severity.NOTICE, started_at=now() + HOUR)
    _read(tour, "status, before, now and planned")
    Incident.objects.all().delete()
    status.forget()
    with translation.override(CODE):
        tour.note("reasons", [word for one in Reason for word in untranslated(f"<p>{one.label}</p>")])


def _read(tour: Tour, label: str) -> None:
    status.forget()
    tour.read(visitor(), "/status/", label)


STATUS_STOPS = (waiting_room, status_page)
