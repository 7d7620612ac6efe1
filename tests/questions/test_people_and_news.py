"""Muting, removing, announcing, pinning, and the log of what was done."""

from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEvent
from tests.questions.world import NOON, World, at
from tests.webinars.watching import make_device
from webinars.domain import announcements, desk_log
from webinars.domain.restrictions import StaffError, let_back, mute, remove, restricted_people, unmute
from webinars.domain.texts import TextError
from webinars.enums import Audience, EventKind, Phase
from webinars.models import PersonRestriction, PlaySession, RoomEvent
from webinars.rules import get_room_for

pytestmark = pytest.mark.django_db


class TestRestrictions:
    def test_muting_and_taking_it_back(self, world: World) -> None:
        for work in (mute, mute, unmute, unmute):
            work(webinar=world.webinar, user=world.doctor, actor=world.moderator, now=NOON)

        assert world.kinds() == {
            "doctor": ["restricted", "restricted"],
            "other": [],
            "presenter": [],
            "moderator": ["desk", "restricted", "desk", "restricted"],
        }
        assert [payload for _, payload in world.heard()["doctor"]] == [
            {"kind": "muted", "lifted": False},
            {"kind": "muted", "lifted": True},
        ]
        assert list(AuditEvent.objects.filter(action__startswith="person.").order_by("pk").values_list("action")) == [
            ("person.muted",),
            ("person.unmuted",),
        ]
        assert PersonRestriction.objects.get().lifted_at == NOON

    def test_who_is_removed_stands_outside_until_let_back(self, world: World) -> None:
        device = make_device(world.doctor)
        session = {"user": world.doctor, "webinar": world.webinar, "device": device, "started_at": NOON}
        live = PlaySession.objects.create(
            **session, phase=Phase.LIVE, epoch=NOON, media_seconds=60, required_seconds=54
        )
        recorded = PlaySession.objects.create(**session, phase=Phase.ON_DEMAND, media_seconds=60, required_seconds=54)
        remove(webinar=world.webinar, user=world.doctor, reason="Rude", actor=world.moderator, now=at(5))
        live.refresh_from_db()
        recorded.refresh_from_db()

        assert (live.ended_at, recorded.ended_at) == (at(5), None)
        with pytest.raises(PermissionDenied):
            get_room_for(world.doctor, world.webinar.pk)
        ((_, payload),) = world.heard()["doctor"]
        assert payload == {"kind": "removed", "lifted": False}
        assert "Rude" not in repr(world.heard()["doctor"])
        (row,) = restricted_people(webinar=world.webinar)
        assert (row["user"], row["kind"], row["reason"], row["by"]) == (
            world.doctor.pk,
            "removed",
            "Rude",
            "Dr Mo One",
        )
        let_back(webinar=world.webinar, user=world.doctor, actor=world.second, now=at(9))
        assert get_room_for(world.doctor, world.webinar.pk) == world.webinar
        assert restricted_people(webinar=world.webinar) == []

    @pytest.mark.parametrize("who", ["moderator", "presenter"])
    def test_the_staff_is_not_touched(self, world: World, who: str) -> None:
        for work in (mute, remove):
            with pytest.raises(StaffError):
                work(webinar=world.webinar, user=getattr(world, who), actor=world.second, now=NOON)
        assert not PersonRestriction.objects.exists()


class TestNews:
    def test_an_announcement_is_said_once(self, world: World) -> None:
        key = uuid4()
        for text in ("We begin\x00 soon.", "We begin soon, again."):
            said = announcements.announce(webinar=world.webinar, text=text, client_key=key, actor=world.moderator,
                                          now=NOON)  # fmt: skip
            assert said == {"id": str(key), "text": "We begin soon."}

        assert world.heard()["other"] == [("announcement", {"id": str(key), "text": "We begin soon."})]
        assert announcements.latest_announcement(webinar=world.webinar) == {
            "id": str(key),
            "text": "We begin soon.",
            "at": NOON,
        }

    def test_the_latest_is_found_without_reading_the_whole_room(self, world: World) -> None:
        """Every page that opens looks for it: in a busy room there are ten thousand other events."""
        others = [
            RoomEvent(webinar=world.webinar, number=100 + n, kind=EventKind.STATE, audience=Audience.ALL, at=NOON)
            for n in range(3_000)
        ]
        RoomEvent.objects.bulk_create(others)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE webinars_roomevent")
        with CaptureQueriesContext(connection) as asked:
            assert announcements.latest_announcement(webinar=world.webinar) is None
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {asked.captured_queries[0]['sql']}")
            plan = "\n".join(line for (line,) in cursor.fetchall())

        assert "webinars_event_announcement" in plan

    def test_a_link_goes_up_and_comes_down(self, world: World) -> None:
        pin = announcements.pin(webinar=world.webinar, title="Slides", url="https://example.org/s.pdf",
                                actor=world.moderator, now=NOON)  # fmt: skip
        assert [one["id"] for one in announcements.pins_of(webinar=world.webinar)] == [pin.pk]
        for actor in (world.moderator, world.second):
            announcements.unpin(webinar=world.webinar, pin_id=pin.pk, actor=actor, now=at(5))

        assert [(kind, payload["removed"]) for kind, payload in world.heard()["other"]] == [
            ("pinned", False),
            ("pinned", True),
        ]
        assert announcements.pins_of(webinar=world.webinar) == []

    @pytest.mark.parametrize(
        "url", ["javascript:alert(1)", "data:text/html,x", "//example.org", "ftp://example.org/", "example.org", " "]
    )
    def test_sec_22_a_link_is_an_address_of_the_web(self, world: World, url: str) -> None:
        with pytest.raises((announcements.PinError, TextError)):
            announcements.pin(webinar=world.webinar, title="Slides", url=url, actor=world.moderator, now=NOON)
        assert world.number() == 0

    def test_the_log_says_who_did_what_the_latest_first(self, world: World) -> None:
        mute(webinar=world.webinar, user=world.doctor, actor=world.moderator, now=NOON)
        announcements.pin(webinar=world.webinar, title="Slides", url="https://example.org/", actor=world.second,
                          now=at(5))  # fmt: skip

        assert [(one["by"], one["did"], one["what"]) for one in desk_log.latest(webinar_id=world.webinar.pk)] == [
            ("Dr Mo Two", "room.pinned", "Slides"),
            ("Dr Mo One", "person.muted", "Dr Quiet Asker"),
        ]
