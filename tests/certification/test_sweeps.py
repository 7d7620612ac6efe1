"""Sweeps in which one fails: the others are not held up, and an operator is told."""

from datetime import UTC, datetime, timedelta

import pytest
import structlog

from certification.domain.granting import grant_credits
from certification.models import Accreditation, Certificate, Claim
from certification.tasks import issue_due as issue_task
from tests.certification.earned import claim_of, issuing_programme
from tests.certification.ledgers import break_down
from tests.factories.deeds import accredit, doctor_of, make_live, watch

pytestmark = pytest.mark.django_db
NINE = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def attended() -> Accreditation:
    live = make_live(starts_at=NINE)
    watch(live, doctor_of(live))
    return accredit(live, authority="attendance", version="1", credits=0, parameters={})


def test_an_accreditation_that_fails_holds_up_no_other() -> None:
    broken, other = attended(), attended()
    break_down("certification_claim", f"NEW.accreditation_id = {broken.pk}")
    with structlog.testing.capture_logs() as logs:
        assert grant_credits(now=NINE + timedelta(hours=3)) == 1
    assert Claim.objects.get().accreditation == other
    told = [(one["event"], one["accreditation"]) for one in logs if one["log_level"] == "error"]
    assert told == [("certification.credit_not_granted", broken.pk)]


def test_a_programme_that_fails_holds_up_no_other() -> None:
    broken, other = issuing_programme(), issuing_programme(slug="other")
    claim_of(broken)
    claim = claim_of(other)
    break_down("certification_certificate", f"NEW.programme_id = {broken.pk}")
    assert issue_task() == 1
    assert Certificate.objects.get().claim == claim
