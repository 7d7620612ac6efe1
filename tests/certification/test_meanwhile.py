"""What comes in between: two connections, of which one stops in the middle while the other does something else."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from certification.domain.activities import ClaimedError, close_activity, delete_accreditation, save_accreditation
from certification.domain.claiming import NotOpenError, claim
from certification.domain.erasure import erase
from certification.domain.files import make_file
from certification.domain.granting import grant_credits
from certification.domain.issuing import NotDueError, issue, issue_due, reissue
from certification.domain.retained import Kind
from certification.domain.retention import purge
from certification.models import Accreditation, Certificate, CertificateFile, Claim, ClaimEvidence, LedgerEntry
from tests.certification.earned import claim_of, completed_course, issuing_programme, printed
from tests.factories.deeds import accredit, doctor_of, evaluated, feedback_form, make_live, watch
from tests.meanwhile import in_between

pytestmark = pytest.mark.django_db(transaction=True)
NINE = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
OLD = datetime(2017, 3, 5, 9, 30, tzinfo=UTC)
DUE = datetime(2024, 1, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def media(settings: Any, tmp_path: Path) -> Path:
    options = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "media": options}
    return tmp_path


class TestPurging:
    @pytest.fixture
    def certificate(self) -> Certificate:
        """Its years are over, and its file was not made yet."""
        return issue(of=completed_course(issuing_programme(), at=OLD), now=OLD)

    def purge_all(self) -> dict[Kind, int]:
        found: dict[Kind, int] = {}
        for kind, number in purge(until=date(2024, 1, 1), now=DUE):
            found[kind] = found.get(kind, 0) + number
        return found

    def test_a_file_that_was_drawn_while_its_facts_went_is_not_kept(
        self, certificate: Certificate, media: Path
    ) -> None:
        made, gone = in_between(
            lambda: make_file(certificate_id=certificate.pk, now=DUE),
            self.purge_all,
            behind='FROM "certification_certificatefile"',
        )
        assert (made, gone) == (None, {Kind.FACTS: 1})
        assert (CertificateFile.objects.count(), list(media.rglob("*.pdf"))) == (0, [])

    def test_a_file_that_is_being_kept_is_waited_for_and_goes_too(self, certificate: Certificate, media: Path) -> None:
        made, gone = in_between(
            lambda: make_file(certificate_id=certificate.pk, now=DUE), self.purge_all, behind="FOR NO KEY UPDATE"
        )
        assert (made.certificate_id, gone) == (certificate.pk, {Kind.FACTS: 1, Kind.FILE: 1})
        assert (CertificateFile.objects.count(), list(media.rglob("*.pdf"))) == (0, [])


def earned(**settings: Any) -> Accreditation:
    live = make_live(starts_at=NINE)
    watch(live, doctor_of(live))
    return accredit(live, **settings)


class TestErasing:
    def test_sec_39_no_certificate_with_the_name_comes_after_it(self) -> None:
        programme = issuing_programme()
        due = claim_of(programme)
        done, erased = in_between(
            lambda: issue_due(programme=programme, now=NOW),
            lambda: erase(user=due.user, now=NOW),
            behind='FROM "certification_claim"',
        )
        assert erased.person == due.user_id
        assert dict(done.refused) == {"The account was closed: nothing is issued to it any more.": 1}
        assert (done.new, Certificate.objects.count()) == (0, 0)

    def test_sec_39_one_that_is_just_being_issued_is_waited_for_and_named(self) -> None:
        programme = issuing_programme()
        due = claim_of(programme)
        done, erased = in_between(
            lambda: issue_due(programme=programme, now=NOW),
            lambda: erase(user=due.user, now=NOW),
            behind='FROM "accounts_user"',
        )
        issued = Certificate.objects.get()
        assert done.new == 1
        assert printed(issued)["holder"] == "Dr Amelia Okonkwo"
        assert [one.what for one in erased.kept] == [
            f"certificate {issued.number} with its PDF", "lines of the ledger (2)"
        ]  # fmt: skip

    def test_sec_39_a_claim_that_is_just_being_made_is_waited_for_and_named(self) -> None:
        accreditation = earned()
        user = doctor_of(accreditation.activity)
        watch(accreditation.activity, user)
        taken, erased = in_between(
            lambda: claim(accreditation=accreditation, user=user, now=NOW),
            lambda: erase(user=user, now=NOW),
            behind='FROM "courses_enrolment"',
        )
        assert (taken.is_new, Claim.objects.get().user_id) == (True, user.pk)
        assert "evidence of claims (1)" in [one.what for one in erased.kept]

    def test_sec_39_a_sweep_that_has_looked_at_somebody_is_waited_for(self) -> None:
        accreditation = earned(authority="attendance", parameters={})
        user = User.objects.get(watch_records__webinar__lesson=accreditation.activity.lesson)
        made, erased = in_between(
            lambda: grant_credits(now=NOW),
            lambda: erase(user=user, now=NOW),
            behind='FROM "courses_enrolment"',
            nth=2,  # under the lock
        )
        assert (made, Claim.objects.get().user_id) == (1, user.pk)
        assert "evidence of claims (1)" in [one.what for one in erased.kept]

    def test_sec_39_nothing_is_issued_anew_after_it(self) -> None:
        first = issue(of=claim_of(issuing_programme()), now=NOW)
        again, _erased = in_between(
            lambda: reissue(certificate=first, reason="Name", actor=None, now=NOW),
            lambda: erase(user=first.user, now=NOW),
            behind='FROM "certification_chain"',
        )
        assert isinstance(again, NotDueError)
        assert [printed(one)["holder"] for one in Certificate.objects.all()] == ["Dr Amelia Okonkwo"]


UNDER_THE_LOCKS = 'FROM "courses_enrolment"'  # of the claim; a sweep has looked there once before
LOCKED = "FOR NO KEY UPDATE"


class TestTerms:
    """Closing an activity and changing its terms, while credit is granted on them."""

    @pytest.fixture
    def accreditation(self) -> Accreditation:
        return earned(authority="attendance", parameters={})

    @pytest.fixture
    def doctor(self, accreditation: Accreditation) -> User:
        found: User = User.objects.get(watch_records__webinar__lesson=accreditation.activity.lesson)
        return found

    def close(self, accreditation: Accreditation) -> int:
        """How many claims there were as it was done."""
        close_activity(activity=accreditation.activity, actor=None, now=NOW)
        return Claim.objects.count()

    def change(self, accreditation: Accreditation) -> None:
        row = Accreditation.objects.get(pk=accreditation.pk)
        row.credits = Decimal("0.5")
        save_accreditation(accreditation=row, now=NOW)

    def test_closing_waits_for_a_claim_that_found_it_open(self, accreditation: Accreditation, doctor: User) -> None:
        taken, before = in_between(
            lambda: claim(accreditation=accreditation, user=doctor, now=NOW),
            lambda: self.close(accreditation),
            behind=UNDER_THE_LOCKS,
        )
        assert (taken.is_new, before) == (True, 1)

    def test_closing_waits_for_the_sweep(self, accreditation: Accreditation) -> None:
        found = in_between(
            lambda: grant_credits(now=NOW), lambda: self.close(accreditation), behind=UNDER_THE_LOCKS, nth=2
        )
        assert found == (1, 1)

    def test_a_claim_waits_for_closing_and_is_refused(self, accreditation: Accreditation, doctor: User) -> None:
        _closed, refused = in_between(
            lambda: self.close(accreditation),
            lambda: claim(accreditation=accreditation, user=doctor, now=NOW),
            behind=LOCKED,
        )
        assert isinstance(refused, NotOpenError)
        assert not Claim.objects.exists()

    def test_the_sweep_grants_nothing_of_what_was_closed_while_it_looked(self, accreditation: Accreditation) -> None:
        found = in_between(lambda: grant_credits(now=NOW), lambda: self.close(accreditation), behind=UNDER_THE_LOCKS)
        assert found == (0, 0)

    @pytest.fixture
    def credited(self) -> Accreditation:
        """A credit that the sweep grants."""
        made = earned(authority="eaccme")
        feedback_form(made.activity)
        user = User.objects.get(watch_records__webinar__lesson=made.activity.lesson)
        evaluated(made.activity, user, at=NINE)
        return Accreditation.objects.get(pk=made.pk)

    def test_terms_on_which_credit_is_just_granted_stay(self, credited: Accreditation) -> None:
        made, refused = in_between(
            lambda: grant_credits(now=NOW), lambda: self.change(credited), behind=UNDER_THE_LOCKS, nth=2
        )
        assert (made, type(refused)) == (1, ClaimedError)
        assert Accreditation.objects.get().credits == LedgerEntry.objects.get().credits == 1

    def test_of_terms_that_changed_while_the_sweep_looked_the_new_ones_count(self, credited: Accreditation) -> None:
        made, _changed = in_between(
            lambda: grant_credits(now=NOW), lambda: self.change(credited), behind=UNDER_THE_LOCKS
        )
        assert (made, LedgerEntry.objects.get().credits) == (1, Decimal("0.5"))
        assert Decimal(ClaimEvidence.objects.get().evidence["terms"]["credits"]) == Decimal("0.5")

    def test_a_claim_waits_for_terms_that_are_just_saved(self, credited: Accreditation) -> None:
        user = User.objects.get(watch_records__webinar__lesson=credited.activity.lesson)
        _changed, taken = in_between(
            lambda: self.change(credited), lambda: claim(accreditation=credited, user=user, now=NOW), behind=LOCKED
        )
        assert (taken.credits, Accreditation.objects.get().credits) == (Decimal("0.5"), Decimal("0.5"))

    def test_an_authority_is_not_taken_away_under_a_claim(self, accreditation: Accreditation, doctor: User) -> None:
        taken, refused = in_between(
            lambda: claim(accreditation=accreditation, user=doctor, now=NOW),
            lambda: delete_accreditation(accreditation=accreditation, actor=None, now=NOW),
            behind=UNDER_THE_LOCKS,
        )
        assert (taken.is_new, type(refused)) == (True, ClaimedError)
