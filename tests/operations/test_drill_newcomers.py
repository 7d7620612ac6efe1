"""Who comes to a drill without a session: by a link, or to the door without an account. The site answers over HTTP."""

import asyncio
import os
import random
import threading
from collections import Counter
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.utils.timezone import now

from accounts.models import User
from courses.models import Enrolment
from lms.celery import app
from operations.domain.backups.programs import parameters_of_site
from operations.domain.crowd import door, mailbox
from operations.domain.crowd.browser import Browser
from operations.domain.crowd.doctor import Doctor
from operations.domain.crowd.ledger import Ledger
from operations.domain.crowd.measure import CrowdReport
from operations.domain.crowd.plan import CrowdPlan, Member
from operations.domain.crowd.verify import Verdict, verify
from operations.domain.drill import stagehand
from operations.domain.drill.audience import Size
from operations.domain.drill.conducting import Wishes
from operations.domain.drill.place import Place
from operations.domain.drill.scrubbing import DOMAIN
from operations.domain.drill.site import environment
from operations.domain.drill.stagehand import Show
from operations.domain.drill.staging import Order, Scene, set_scene
from tests.factories.accounts import UserFactory
from tests.factories.courses import EnrolmentFactory
from tests.factories.webinars import LiveWebinarFactory
from tests.media.conftest import media_root  # noqa: F401 - a fixture
from webinars.models import Poll, Registration, SpotRequest, Webinar

PATIENCE = 100.0
REGISTERED = 4


class Crowd(threading.Thread):
    """All members one after the other, in a thread of their own: this one plays the moderator."""

    def __init__(self, url: str, webinar: Webinar, members: list[Member], journal: Path, mail: Path) -> None:
        super().__init__(daemon=True)
        self.plan = CrowdPlan(
            base_url=url, webinar_id=webinar.pk, audience=members, timeout_seconds=PATIENCE, mail_folder=str(mail)
        )
        self.ledger, self.pages = Ledger(journal), dict[int, bool]()
        self.report = CrowdReport()

    def run(self) -> None:
        asyncio.run(self.come())
        self.report = self.ledger.close()

    async def come(self) -> None:
        await asyncio.gather(*(self.visit(member) for member in self.plan.audience))

    async def visit(self, member: Member) -> None:
        draw = random.Random(member.user_id)
        browser = Browser(self.plan, member, self.ledger, draw, address="")
        doctor = Doctor(browser, self.plan, draw)
        doctor.until = doctor.loop.time() + PATIENCE
        await doctor.get_in(doctor.loop.time())
        page = await browser.open_page(f"/webinars/{self.plan.webinar_id}/")
        self.pages[member.user_id] = "page-config" in page.settings
        self.ledger.note("beat", member.user_id, "live", 0.0, 0.0)  # of no second: lost unless the person has a record
        browser.close()


def scene_of(webinar: Webinar, **given: Any) -> Scene:
    order: dict[str, Any] = {"synthetic": 0, "multiple": 1, "minutes": 1.0, "within": 1.0, "seed": 1}
    order |= {"spot_percent": 0.0, "link_percent": 0.0, "has_mailboxes": True, "webinar_id": webinar.pk}
    return set_scene(Order(**order | given), now=now())


def close_after(crowd: Crowd, writing: int) -> None:
    crowd.join(PATIENCE)
    os.close(writing)


def check(journal: Path, webinar: Webinar) -> Verdict:
    given = parameters_of_site()
    dsn = f"postgresql://{given['user']}@/{given['dbname']}?host={given['host']}"
    return verify([journal], dsn=dsn, webinar_id=webinar.pk)


@pytest.fixture
def webinar() -> Webinar:
    made: Webinar = LiveWebinarFactory(needs_registration=True)
    for _ in range(REGISTERED):
        user = UserFactory(country="KE")
        EnrolmentFactory(user=user, programme=made.lesson.course.programme, status="invited")
        Registration.objects.create(webinar=made, user=user, registered_at=now())
    return made


@pytest.fixture
def mail(settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A folder as in the copy of a drill; what the worker does with a message is done at once."""
    settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = "lms.dev_mail.FolderBackend", tmp_path / "mail"
    monkeypatch.setattr(mailbox, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(door, "LOOK_SECONDS", 0.1)
    app.conf.task_always_eager = True
    yield tmp_path / "mail"
    app.conf.task_always_eager = False


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("media_root")
def test_they_come_as_far_as_the_webinar_and_what_they_were_told_is_true(
    webinar: Webinar, live_server: Any, tmp_path: Path, mail: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two by a link, two by the door of a moderator, two by that of a rule and then their mailbox."""
    monkeypatch.setattr(door, "FIRST_SECONDS", 0.2)
    monkeypatch.setattr(stagehand, "LOOK_SECONDS", 0.1)
    scene = scene_of(webinar, spot_percent=100.0, link_percent=50.0)
    show = Show(webinar.pk, has_door=True)
    show.prepare()
    journal = tmp_path / "crowd.log"
    crowd = Crowd(live_server.url, webinar, scene.members, journal, mail)
    reading, writing = os.pipe()

    crowd.start()
    ending = threading.Thread(target=close_after, args=(crowd, writing), daemon=True)
    ending.start()
    with os.fdopen(reading) as orders:
        show.keep_door(orders)  # until the crowd has gone

    assert not crowd.is_alive()
    assert crowd.pages == {member.user_id: True for member in scene.members}, crowd.ledger.report.failures
    named = {name: one.ok for name, one in crowd.report.operations.items()}
    assert (named["sign_in"], named["spot"]) == (2 * 4, 4), "a page and a tap each; and the way through the door"
    assert named["mail"] == 2
    assert crowd.report.errors == 0
    assert show.done == ["4 let in at the door", "2 of them by its rule, with a link by e-mail"]
    asked = SpotRequest.objects.filter(window__webinar=webinar)
    people = [one.user for one in asked]
    assert all(person.email.endswith(f"@{DOMAIN}") and person.country == "KE" for person in people if person)
    assert Enrolment.objects.filter(user__in=people, status="active").count() == 4
    assert Registration.objects.filter(user__in=people, webinar=webinar).count() == 4

    found = check(journal, webinar)
    assert (found.ok_spots, found.lost_spots, found.unexpected_spots, found.acked_beats) == (4, 0, 0, 8)
    assert [example for example in found.examples if "person -" in example] == [], "accounts, not numbers"

    unlucky, refused, *_ = asked.order_by("pk")
    User.objects.filter(email=unlucky.email).update(last_login=None)
    journal.write_text(journal.read_text() + f"spot\t-9\tok\tnobody@{DOMAIN}\nspot\t-8\tfailed\t{refused.email}\n")
    found = check(journal, webinar)
    assert (found.lost_spots, found.unexpected_spots, found.is_clean) == (2, 1, False)


@pytest.mark.django_db(transaction=True)
def test_a_vote_that_was_too_late_is_believed_when_the_poll_was_closed(webinar: Webinar, tmp_path: Path) -> None:
    """Refusing votes of an open poll would otherwise look like lateness."""
    journal = tmp_path / "crowd.log"
    asked = {"webinar": webinar, "kind": "scale", "question": "?", "opened_at": now()}
    closed = Poll.objects.create(state="closed", closed_at=now(), **asked)
    poll = Poll.objects.create(state="open", **asked)
    journal.write_text(f"vote\t1\tlate\t{closed.pk}\n")
    assert check(journal, webinar).is_clean

    journal.write_text(f"vote\t1\tlate\t{closed.pk}\nvote\t1\tlate\t{poll.pk}\n")
    found = check(journal, webinar)
    assert (found.unexpected_votes, found.lost_votes, found.is_clean) == (1, 0, False)
    assert found.examples == [f"refused as too late, and open: person 1, poll {poll.pk}"]

    Webinar.objects.filter(pk=webinar.pk).update(live_at=now(), ended_at=now())
    assert check(journal, webinar).is_clean


@pytest.mark.django_db
class TestTheScene:
    def test_nobody_without_a_session_unless_it_is_wished(self, webinar: Webinar) -> None:
        assert all(member.session_key and not member.door for member in scene_of(webinar).members)
        assert not webinar.spot_windows.exists()

    def test_staff_come_with_a_session(self, webinar: Webinar) -> None:
        """The copy has no second factors: they could not sign in."""
        boss = Registration.objects.filter(webinar=webinar).earliest("pk").user
        User.objects.filter(pk=boss.pk).update(is_staff=True)
        members = scene_of(webinar, link_percent=100.0).members
        assert {member.user_id for member in members if member.session_key} == {boss.pk}
        assert sum(bool(member.link_token) for member in members) == REGISTERED - 1

    def test_invented_ones_come_mixed_with_the_others(self, webinar: Webinar) -> None:
        members = scene_of(webinar, synthetic=40, spot_percent=25.0, link_percent=50.0).members
        places = [number for number, member in enumerate(members) if member.door]
        assert len(members) == 50
        assert (len(places), sum(bool(member.link_token) for member in members)) == (10, 20)
        assert places[0] < 15
        assert places[-1] > 35
        assert all(member.user_id < 0 and member.country and member.email for member in members if member.door)
        assert len({member.email for member in members if member.door}) == 10
        doors = {one.slug: one.approval for one in webinar.spot_windows.all()}
        assert Counter(doors[member.door] for member in members if member.door) == {"manual": 5, "domain": 5}

    def test_where_no_message_can_be_read_a_moderator_decides_on_all(self, webinar: Webinar) -> None:
        members = scene_of(webinar, synthetic=40, spot_percent=25.0, has_mailboxes=False).members
        assert sum(bool(member.door) for member in members) == 10
        assert [one.approval for one in webinar.spot_windows.all()] == ["manual"]


def test_a_drill_reads_the_mail_of_its_own_copy_only(tmp_path: Path) -> None:
    place = Place(tmp_path)
    settings = {"VAR_DIR": str(place.site), "EMAIL_BACKEND": "lms.dev_mail.FolderBackend"}
    assert settings.items() <= environment(place, {}).items()
    assert place.mail == place.site / "mail", "EMAIL_FILE_PATH of a process whose VAR_DIR is the copy's"
    assert Wishes(1).has_mailboxes
    assert not Wishes(1, into="https://staging.example").has_mailboxes
    assert not Wishes(1, replicas={"web": 1, "worker": 0}).has_mailboxes


def test_the_newest_link_counts_and_a_message_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailbox, "LOOK_SECONDS", 0.0)
    found = mailbox.Mailboxes(tmp_path / "mail")
    assert found.newest_link("a@drill.invalid") == "", "nothing was sent yet"
    (tmp_path / "mail").mkdir()
    for number, text in enumerate(["No link.", "http://x.example/invitation/one/", "http://x.example/invitation/two/"]):
        message = EmailMessage()
        message["To"], message["Subject"] = "a@drill.invalid", "Come"
        message.set_content(text)
        (tmp_path / "mail" / f"2026-{number}.eml").write_bytes(bytes(message))
        (tmp_path / "mail" / f".2026-{number}.part").write_bytes(b"half")
    assert found.newest_link("a@drill.invalid") == "/invitation/two/"
    assert found.newest_link("b@drill.invalid") == ""
    (tmp_path / "mail" / "2026-2.eml").unlink()
    assert found.newest_link("a@drill.invalid") == "/invitation/two/"


@pytest.mark.parametrize(("percent", "count"), [(0.0, 0), (0.1, 1), (3.0, 3), (3.1, 4), (50.0, 50)])
def test_how_many_ask_at_the_door(percent: float, count: int) -> None:
    """A part of those who come in a shorter drill, too; where any are wished at least one comes."""
    assert Size(2, 5.0, 10.0, percent).at_door(100) == count


def test_who_waits_asks_less_often_the_longer_it_takes() -> None:
    draw = random.Random(1)
    assert 2.4 < door.pause(0, draw) < 3.5
    assert 12.4 < door.pause(100, draw) < 17.6
