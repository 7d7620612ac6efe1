"""Sweeps: on which day a week is over, and where one fails the others are not held up, and an operator is told."""

from datetime import UTC, datetime, timedelta

import pytest
import structlog

from certification.domain.granting import grant_credits
from certification.models import Accreditation, Certificate, Claim
from certification.tasks import issue_due as issue_task
from courses.models import Programme
from tests.certification.earned import claim_of, issuing_programme
from tests.certification.ledgers import break_down
from tests.factories.deeds import accredit, doctor_of, evaluated, feedback_form, make_enduring, make_live, passed, watch

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


@pytest.mark.parametrize(
    ("zone", "watched", "quiet"),
    [
        ("Asia/Kolkata", datetime(2026, 11, 20, 21, tzinfo=UTC), datetime(2026, 11, 27, 18, 30, tzinfo=UTC)),
        ("America/Los_Angeles", datetime(2026, 11, 21, 4, tzinfo=UTC), datetime(2026, 11, 27, 8, tzinfo=UTC)),
    ],
)
def test_the_week_is_one_of_days_at_the_programme_s_home(zone: str, watched: datetime, quiet: datetime) -> None:
    """Watched on 21 November in India, on the 20th in California, whatever day it is in UTC."""
    recording = make_enduring(starts_at=NINE)
    Programme.objects.update(timezone=zone)
    user = doctor_of(recording)
    accredit(recording, authority="eaccme")
    feedback_form(recording)
    evaluated(recording, user, at=watched)
    passed(recording, user, at=watched)
    watch(recording, user, minutes=40, at=watched)
    assert grant_credits(now=quiet - timedelta(seconds=1), everybody=True) == 0
    assert grant_credits(now=quiet, everybody=True) == 1
