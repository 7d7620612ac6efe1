"""Evidence packs asked for in the admin: made once, by whoever comes, kept privately, gone after a week."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.models import AuditEvent
from certification.domain.erasure import erase
from certification.domain.pack_file import check_pack
from certification.domain.pack_orders import (
    PackGoneError,
    ask_for_pack,
    make_due_packs,
    open_pack,
    packs_of,
    remove_old_packs,
)
from certification.models import EvidencePack
from media.storages import media_storage
from tests.certification.audited import Audited, make_audited
from tests.factories.courses import EnrolmentFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.fixture
def mine() -> Audited:
    return make_audited()


def ask(mine: Audited, now: datetime = NOW) -> EvidencePack:
    return ask_for_pack(activity=mine.activity, actor=mine.doctor, now=now)


class TestMaking:
    def test_what_was_asked_for_is_made_kept_and_whole(self, mine: Audited) -> None:
        order = ask(mine)
        assert order.is_open
        with pytest.raises(PackGoneError):
            open_pack(order)
        assert make_due_packs(now=NOW) == 1
        made = packs_of(mine.activity).get()
        with open_pack(made) as file:
            content = file.read()
            assert check_pack(file)[1] == []
        assert (made.size_bytes, made.digest) == (len(content), hashlib.sha256(content).hexdigest())
        assert make_due_packs(now=NOW) == 0

    def test_asking_twice_is_one_order_and_asking_later_another(self, mine: Audited) -> None:
        assert ask(mine).pk == ask(mine).pk
        make_due_packs(now=NOW)
        ask(mine, NOW + timedelta(hours=1))
        assert packs_of(mine.activity).count() == 2
        assert AuditEvent.objects.filter(action="evidence.asked").count() == 2

    def test_the_bell_rings_when_it_is_committed(self, mine: Audited, django_capture_on_commit_callbacks: Any) -> None:
        with django_capture_on_commit_callbacks() as bells:
            ask(mine)
        assert len(bells) == 1
        with django_capture_on_commit_callbacks() as bells:
            ask(mine)
        assert bells == []

    def test_what_a_killed_worker_had_is_made_by_another_after_an_hour(self, mine: Audited) -> None:
        order = ask(mine)
        EvidencePack.objects.filter(pk=order.pk).update(claimed_at=NOW)
        assert make_due_packs(now=NOW + timedelta(minutes=59)) == 0
        assert make_due_packs(now=NOW + timedelta(minutes=61)) == 1

    def test_one_that_fails_says_so_and_holds_up_nobody(self, mine: Audited, settings: Any) -> None:
        ask(mine)
        ask(make_audited())
        storages = settings.STORAGES
        settings.STORAGES = {**storages, "media": {"BACKEND": "tests.certification.test_pack_orders.Full"}}
        assert make_due_packs(now=NOW) == 0
        settings.STORAGES = storages
        assert list(EvidencePack.objects.values_list("failed_at", flat=True)) == [NOW, NOW]
        ask(mine, NOW + timedelta(minutes=1))
        assert make_due_packs(now=NOW + timedelta(minutes=1)) == 1


class Full:
    """A storage whose disk is full."""

    def save(self, *_: Any) -> str:
        raise OSError(28, "No space left on device")


class TestGoing:
    def test_after_a_week_file_and_row_go(self, mine: Audited) -> None:
        ask(mine)
        make_due_packs(now=NOW)
        made = packs_of(mine.activity).get()
        assert remove_old_packs(now=NOW + timedelta(days=6)) == 0
        assert remove_old_packs(now=NOW + timedelta(days=8)) == 1
        assert not media_storage().exists(made.stored_as)
        assert not EvidencePack.objects.exists()
        with pytest.raises(PackGoneError):
            open_pack(made)

    def test_sec_39_copies_about_an_erased_person_go_and_others_stay(self, mine: Audited) -> None:
        EnrolmentFactory.create(user=mine.doctor, programme=mine.claim.programme)
        other = make_audited()
        ask(mine)
        ask(other)
        make_due_packs(now=NOW)
        gone = packs_of(mine.activity).get()
        erase(user=mine.doctor, now=NOW)
        assert [one.activity_id for one in EvidencePack.objects.all()] == [other.activity.pk]
        assert not media_storage().exists(gone.stored_as)
