"""Who waits for whom: two that touch the same webinar at once may queue, but never each wait for the other."""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connections, transaction
from django.utils.timezone import now

from accounts.models import User
from tests.factories.accounts import UserFactory
from tests.factories.webinars import LiveWebinarFactory
from tests.ingest.test_live_files import FORMATS, stored
from tests.meanwhile import somebody_waits
from webinars.domain.broadcasts import open_publish_session, report_health, set_rehearsal
from webinars.domain.live_files import formats_of, keep_segment
from webinars.domain.room import post_event
from webinars.domain.schedule import end_webinar, go_live
from webinars.domain.scheduling import save_schedule
from webinars.domain.stream_keys import make_key
from webinars.enums import Audience, EventKind
from webinars.models import Broadcast, PublishSession, RoomEvent, Webinar

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE_SECONDS = 60.0


class Meanwhile:
    """Work on a connection of its own, begun while the caller holds locks."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self.failed: Exception | None = None
        self._work = work
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._work()
        except Exception as error:  # noqa: BLE001  # the test looks at it
            self.failed = error
        finally:
            connections.close_all()

    def until_it_waits(self) -> None:
        """In its own words to the database, so that nothing depends on how fast this machine is."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and self._thread.is_alive():
            if somebody_waits():
                return
            time.sleep(0.01)
        raise AssertionError("it never waited")

    def done(self) -> None:
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive()
        assert self.failed is None


@pytest.fixture
def at() -> datetime:
    return now().replace(microsecond=0)


@pytest.fixture
def presenter() -> User:
    return UserFactory.create()


@pytest.fixture
def webinar(presenter: User, at: datetime) -> Webinar:
    return LiveWebinarFactory.create(presenters=[presenter], starts_at=at + timedelta(minutes=5))


def published(webinar: Webinar, presenter: User, at: datetime) -> PublishSession:
    raw = make_key(webinar=webinar, presenter=presenter, now=at)[1]
    return open_publish_session(raw_key=raw, front="listen", now=at)


def _end(webinar: Webinar, at: datetime) -> None:
    end_webinar(webinar_id=webinar.pk, actor=None, now=at)


def _go_live(webinar: Webinar, at: datetime) -> None:
    go_live(webinar_id=webinar.pk, actor=None, now=at)


def _move(webinar: Webinar, at: datetime) -> None:
    webinar.planned_minutes += 5
    save_schedule(webinar=webinar, actor=None, now=at)


@pytest.mark.parametrize(("change", "live"), [(_end, True), (_go_live, False), (_move, False)])
def test_the_room_can_be_busy_while_the_webinar_changes(
    webinar: Webinar, at: datetime, change: Callable[[Webinar, datetime], None], live: bool
) -> None:
    """Whoever posts holds the room and, at the end, looks whether the webinar is still there (the foreign key)."""
    if live:
        go_live(webinar_id=webinar.pk, actor=None, now=at)
    webinar.refresh_from_db()
    before = RoomEvent.objects.filter(webinar=webinar).count()
    with transaction.atomic():
        post_event(
            webinar_id=webinar.pk,
            kind=EventKind.ANNOUNCEMENT,
            audience=Audience.ALL,
            payload={"id": "1", "text": "Welcome"},
            now=at,
        )
        changing = Meanwhile(lambda: change(webinar, at + timedelta(seconds=1)))
        changing.until_it_waits()
    changing.done()

    kinds = RoomEvent.objects.filter(webinar=webinar).order_by("number").values_list("kind", flat=True)
    assert list(kinds)[before:] == [EventKind.ANNOUNCEMENT, EventKind.STATE]


def test_a_report_at_the_first_segment_leaves_its_formats(
    webinar: Webinar, presenter: User, at: datetime, media_root: Path, tmp_path: Path
) -> None:
    """They come once in a session, and without them no quality stands in the master playlist."""
    session = published(webinar, presenter, at)
    with transaction.atomic():  # storing takes a while, over a network above all
        keep_segment(session_id=session.pk, segment=stored(tmp_path, 0, at), now=at)
        given: dict[str, Any] = {"session_id": session.pk, "health": {"video_kbits": 900}, "problems": [], "now": at}
        reporting = Meanwhile(lambda: report_health(**given))
        reporting.until_it_waits()
    reporting.done()

    session.refresh_from_db()
    assert session.health["video_kbits"] == 900
    assert formats_of(session.broadcast) == FORMATS


def test_a_rehearsal_ends_while_a_segment_of_it_is_kept(webinar: Webinar, presenter: User, at: datetime) -> None:
    """In the order of `lock_session`: the broadcast, then its session."""
    set_rehearsal(webinar_id=webinar.pk, on=True, actor=None, now=at)
    session = published(webinar, presenter, at)
    with transaction.atomic():
        Broadcast.objects.select_for_update(no_key=True).get(pk=session.broadcast_id)
        ending = Meanwhile(lambda: set_rehearsal(webinar_id=webinar.pk, on=False, actor=None, now=at))
        ending.until_it_waits()
        PublishSession.objects.select_for_update(no_key=True).get(pk=session.pk)
    ending.done()

    session.refresh_from_db()
    assert session.ended_at == at
