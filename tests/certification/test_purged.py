"""Certificates whose printed facts are gone: after their years they stand as before, and earlier it is missed."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from certification.domain.chain import Flaw, verify
from certification.domain.comparing import compared
from certification.domain.issuing import issue
from certification.domain.retained import Kind
from certification.domain.retention import purge, say_purged
from certification.domain.standing import standing_of
from certification.enums import EntryKind
from certification.models import LedgerEntry
from tests.certification.earned import NOW, claim_of, completed_course, issuing_programme
from tests.certification.ledgers import tamper

pytestmark = pytest.mark.django_db


def test_facts_that_were_purged_are_not_called_altered() -> None:
    """After their years, with a line of the ledger that says so."""
    old = datetime(2016, 2, 29, 22, 0, tzinfo=UTC)
    certificate = issue(of=completed_course(issuing_programme(), at=old), now=old)
    assert list(purge(until=date(2022, 2, 28), now=NOW)) == []
    assert list(purge(until=date(2022, 3, 1), now=NOW)) == [(Kind.FACTS, 1)]
    certificate.refresh_from_db()
    assert (standing_of(certificate).state, standing_of(certificate).is_purged) == ("valid", True)
    line = LedgerEntry.objects.get(kind=EntryKind.CERTIFICATE_PURGED)
    assert (line.number, line.certificate, line.entered_at) == (2, certificate, NOW)
    tamper("UPDATE certification_ledgerentry SET entered_at = entered_at + interval '1 day' WHERE number = 2")
    assert standing_of(certificate).state == "altered"


def test_sec_28_the_door_of_the_purge_is_shut_for_what_is_younger() -> None:
    certificate = issue(of=claim_of(issuing_programme()), now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL certification.purge = 'on'")
    with pytest.raises(DatabaseError, match="refused"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE certification_certificate SET facts = '{}'")
    assert standing_of(certificate).state == "valid"


@pytest.mark.parametrize("days", [None, 6 * 365])
def test_sec_28_facts_that_left_before_their_years_were_over_are_missed(days: int | None) -> None:
    """Past the triggers: without a line of the ledger, or with one that came too early."""
    certificate = issue(of=claim_of(issuing_programme()), now=NOW)
    if days is not None:
        say_purged([certificate.pk], now=NOW + timedelta(days=days))
    tamper("UPDATE certification_certificate SET facts = '{}'")
    certificate.refresh_from_db()
    assert standing_of(certificate).state == "altered"
    flaw = compared(verify(programme_id=certificate.programme_id)).flaw
    assert flaw == Flaw(certificate.programme_id, 2, "emptied")
