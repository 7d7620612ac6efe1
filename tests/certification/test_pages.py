"""A doctor's pages of credit, and the same by API."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from certification.domain.claiming import claim, correct_claim, revoke_claim
from certification.domain.issuing import issue, reissue
from certification.domain.issuing import revoke as revoke_certificate
from certification.domain.overview import State, rows_of
from certification.domain.transcript import transcript_of
from certification.enums import ActivityState
from certification.models import Accreditation, Activity, CertificateFile, Claim
from courses.enums import PublishStatus
from courses.models import Enrolment, Programme
from tests.certification.ledgers import purge, tamper
from tests.factories.accounts import UserFactory
from tests.factories.certification import AccreditationFactory, CertificateTemplateFactory
from tests.factories.certification import grant as grant_directly
from tests.factories.deeds import (
    accredit,
    acknowledged,
    doctor_of,
    evaluated,
    feedback_form,
    make_enduring,
    make_live,
    passed,
    watch,
)
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db


def lately() -> datetime:
    return timezone.now() - timedelta(hours=3)


def earned(*, minutes: float = 47, **settings: Any) -> tuple[Accreditation, User]:
    live = make_live(starts_at=lately())
    user = doctor_of(live)
    watch(live, user, minutes=minutes)
    return accredit(live, **settings), user


def text_of(browser: Client, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


QUERIES = 12  # two of them for the session and the person


class TestTheList:
    def test_what_is_ready_can_be_taken_in_steps(self) -> None:
        accreditation, user = earned()
        text = text_of(signed_in(user), "/credits/")
        assert accreditation.activity.title in text
        assert '<option value="0.75">0.75</option><option value="0.50">0.5</option><option value="0.25">' in text
        assert f'action="/credits/{accreditation.pk}/claim/"' in text

    def test_taking_it_stands_on_its_page_with_the_calculation(self) -> None:
        accreditation, user = earned()
        browser = signed_in(user)
        answer = browser.post(f"/credits/{accreditation.pk}/claim/", {"credits": "0.50"}, follow=True)
        text = " ".join(answer.content.decode().split())
        assert answer.redirect_chain == [(f"/credits/{accreditation.pk}/", 302)]
        assert "It is yours" in text
        assert "You watched 47 of 60 minutes live." in text
        assert "The step is 0.25, rounded to the nearest: 0.75." in text
        assert "<strong>0.5</strong>" in text
        assert "You took 0.5 of the 0.75 that were there." in text
        assert "version 2022" in text
        assert "http://www.bumc.bu.edu/cme/activity-planning/cme-credit/" in text
        again = browser.post(f"/credits/{accreditation.pk}/claim/", {"credits": "0.75"}, follow=True)
        assert "You have this credit already." in again.content.decode()
        assert Claim.objects.count() == 1

    @pytest.mark.parametrize("asked", ["9", "0.1", "x", "-1", "NaN", "sNaN", "1e99999999"])
    def test_another_amount_is_refused_in_words(self, asked: str) -> None:
        accreditation, user = earned()
        answer = signed_in(user).post(f"/credits/{accreditation.pk}/claim/", {"credits": asked}, follow=True)
        assert "Choose one of the amounts that are offered." in answer.content.decode()
        assert not Claim.objects.exists()

    @pytest.mark.parametrize(
        ("done", "code", "label"),
        [
            ((), "acknowledge", "Read the disclosures"),
            (("acknowledge",), "watch", "Open the webinar"),
            (("acknowledge", "watch"), "pass", "Take the test"),
            (("acknowledge", "watch", "pass"), "evaluate", "Give feedback"),
        ],
    )
    def test_what_is_missing_is_one_tap_away(self, done: tuple[str, ...], code: str, label: str) -> None:
        recording = make_enduring(starts_at=lately())
        feedback_form(recording)
        accredit(recording, parameters={})
        user = doctor_of(recording)
        at = recording.starts_at or lately()
        if "acknowledge" in done:
            acknowledged(recording, user, at=at)
        if "watch" in done:
            watch(recording, user)
        if "pass" in done:
            passed(recording, user, at=at)
        (row,) = rows_of(user=user, now=timezone.now())
        lesson = {"pass": recording.assessment_id, "evaluate": recording.evaluation_id}.get(code, recording.lesson_id)
        address = f"/activities/{recording.pk}/disclosures/" if code == "acknowledge" else f"/lessons/{lesson}/"
        assert row.go_on is not None
        assert (row.state, row.go_on.code, row.go_on.address) == (State.MISSING, code, address)
        assert f'href="{address}">{label}</a>' in text_of(signed_in(user), "/credits/")

    def test_a_missing_council_number_leads_to_the_profile(self) -> None:
        _accreditation, user = earned(minutes=60, authority="india", council="maharashtra", parameters={})
        User.objects.update(medical_council="Maharashtra Medical Council")
        user.refresh_from_db()
        (row,) = rows_of(user=user, now=timezone.now())
        assert row.go_on is not None
        assert (row.go_on.code, row.go_on.address) == ("number", "/account/")
        assert row.decision.waiting == 1

    def test_until_the_council_is_known_one_row_of_each_activity_asks_for_it(self) -> None:
        first, user = earned(minutes=60, authority="india", council="maharashtra", parameters={}, credits=Decimal(2))
        accredit(first.activity, authority="india", council="delhi")
        coming = make_live(starts_at=timezone.now() + timedelta(days=1), course=first.activity.lesson.course)
        second = accredit(coming, authority="india", council="gujarat")
        accredit(coming, authority="india", council="delhi")
        rows = rows_of(user=user, now=timezone.now())
        assert [row.accreditation for row in rows] == [first, second]
        assert {(row.authority, row.state, row.waiting) for row in rows} == {
            ("State medical councils of India", State.MISSING, Decimal(0))
        }
        assert [row.go_on and (row.go_on.code, row.go_on.address) for row in rows] == [("council", "/account/")] * 2
        browser = signed_in(user)
        text = text_of(browser, "/credits/")
        assert text.count("Add my council") == 1
        assert text.count("Your medical council is missing") == 2
        assert "Add my council" in text_of(browser, f"/credits/{first.pk}/")
        browser.post(f"/credits/{first.pk}/claim/")
        assert not Claim.objects.exists()
        User.objects.filter(pk=user.pk).update(medical_council="medical council of Delhi")
        user.refresh_from_db()
        assert [row.accreditation.council for row in rows_of(user=user, now=timezone.now())] == ["delhi", "delhi"]

    @pytest.mark.parametrize(
        ("country", "council", "shown"),
        [
            ("IN", "", True),
            ("", "", True),
            ("IN", "MMC", True),
            ("", "General Medical Council", False),
            ("GB", "General Medical Council", False),
            ("GB", "", False),
            ("GB", "Maharashtra Medical Council", True),
        ],
    )
    def test_credit_of_indias_councils_is_for_their_doctors(self, country: str, council: str, shown: bool) -> None:
        _accreditation, user = earned(authority="india", council="maharashtra", parameters={})
        User.objects.filter(pk=user.pk).update(country=country, medical_council=council)
        user.refresh_from_db()
        assert bool(rows_of(user=user, now=timezone.now())) is shown

    def test_who_began_before_reading_the_disclosures_is_told_and_sent_nowhere(self) -> None:
        accreditation, user = earned(parameters={})
        acknowledged(accreditation.activity, user, at=lately() + timedelta(minutes=5))
        (row,) = rows_of(user=user, now=timezone.now())
        assert (row.state, row.go_on, row.decision.missing) == (State.REFUSED, None, ())
        for address in ("/credits/", f"/credits/{accreditation.pk}/"):
            text = text_of(signed_in(user), address)
            assert "You began to watch before you had read the disclosures." in text
            assert "Read the disclosures" not in text
            assert "The evaluation is still to be filled in." not in text

    def test_the_profile_suggests_the_councils(self) -> None:
        text = text_of(signed_in(UserFactory.create()), "/account/")
        assert '<option value="Maharashtra Medical Council"></option>' in text
        assert 'list="council-names"' in text

    def test_exactly_what_concerns_this_doctor(self) -> None:
        """With a foreign programme's, a draft, another council's, an event that is over, and somebody else's credit."""
        accreditation, user = earned()
        course = accreditation.activity.lesson.course
        accredit(make_live(starts_at=lately()))  # of another programme
        accredit(make_live(starts_at=lately(), course=course, state=ActivityState.DRAFT, opened_at=None))
        accredit(make_live(starts_at=lately() - timedelta(days=3), course=course))  # over, and not watched
        User.objects.filter(pk=user.pk).update(medical_council="Delhi Medical Council")
        accredit(accreditation.activity, authority="india", council="maharashtra")
        delhi = accredit(accreditation.activity, authority="india", council="delhi")
        coming = accredit(make_live(starts_at=timezone.now() + timedelta(days=2), course=course))
        grant_directly(accreditation=AccreditationFactory.create(), user=UserFactory.create())
        old = grant_directly(accreditation=AccreditationFactory.create(), user=user, credit="1.00")
        user.refresh_from_db()
        found = [(row.accreditation.pk, row.state) for row in rows_of(user=user, now=timezone.now())]
        assert sorted(found) == sorted(
            [
                (accreditation.pk, State.READY),
                (delhi.pk, State.MISSING),
                (coming.pk, State.MISSING),
                (old.claim.accreditation_id if old.claim else 0, State.GRANTED),
            ]
        )

    def test_the_recording_is_not_offered_to_who_has_credit_for_the_event(self) -> None:
        accreditation, user = earned()
        recording = make_enduring(starts_at=lately(), lesson=accreditation.activity.lesson)
        other = accredit(recording)
        claim(accreditation=accreditation, user=user, now=timezone.now())
        assert [row.accreditation for row in rows_of(user=user, now=timezone.now())] == [accreditation]
        assert "You watched 47 of 60 minutes live." in text_of(signed_in(user), f"/credits/{other.pk}/")

    def test_who_may_get_more_by_watching_on_is_told_as_long_as_it_is_on(self) -> None:
        accreditation, user = earned()
        text = text_of(signed_in(user), "/credits/")
        assert "Watch on for more first" not in text  # the event is over
        Activity.objects.filter(pk=accreditation.activity_id).update(ends_at=timezone.now() + timedelta(minutes=1))
        assert "Watch on for more first" in text_of(signed_in(user), "/credits/")

    def test_nothing_yet_says_what_comes(self) -> None:
        text = text_of(signed_in(UserFactory.create()), "/credits/")
        assert "No credit yet" in text
        assert "transcript.csv" not in text

    @pytest.mark.parametrize("rows", [1, 3])
    def test_the_number_of_queries_does_not_grow(self, rows: int, django_assert_num_queries: Any) -> None:
        accreditation, user = earned()
        course = accreditation.activity.lesson.course
        for number in range(rows):
            live = make_live(starts_at=lately(), course=course)
            watch(live, user)
            one = accredit(live)
            accredit(live, authority="eaccme")
            if number:
                claim(accreditation=one, user=user, now=timezone.now())
        claim(accreditation=accreditation, user=user, now=timezone.now())
        browser = signed_in(user)
        browser.get("/credits/")
        with django_assert_num_queries(QUERIES):
            browser.get("/credits/")


class TestCertificates:
    """Between the credit and its certificate."""

    def test_credits_and_certificates_lead_to_each_other(self) -> None:
        browser = signed_in(UserFactory.create())
        assert 'href="/certificates/"' in text_of(browser, "/credits/").partition("<main")[2]
        assert 'href="/credits/"' in text_of(browser, "/certificates/").partition("<main")[2]

    def granted(self) -> tuple[Accreditation, User]:
        accreditation, user = earned()
        claim(accreditation=accreditation, user=user, now=timezone.now())
        return accreditation, user

    def test_a_programme_that_issues_none_promises_none(self) -> None:
        _accreditation, user = self.granted()
        (row,) = rows_of(user=user, now=timezone.now())
        assert row.document is None

    def test_from_soon_to_there_revoked_and_not_kept(self) -> None:
        accreditation, user = self.granted()
        CertificateTemplateFactory.create(programme=accreditation.activity.lesson.course.programme)
        browser, addresses = signed_in(user), ("/credits/", f"/credits/{accreditation.pk}/")

        def shown(words: str) -> None:
            for address in addresses:
                assert words in text_of(browser, address)

        shown("Its certificate comes in some minutes.")
        User.objects.filter(pk=user.pk).update(first_name="", last_name="")
        shown("Add my name for the certificate")
        User.objects.filter(pk=user.pk).update(last_name="Nair")
        certificate = issue(of=Claim.objects.get(), now=timezone.now())
        shown("Certificate: being made")
        shown(f'href="/certificates/{certificate.public_id}/"')
        shown(f'href="/verify/{certificate.public_id}/"')
        CertificateFile.objects.create(
            certificate=certificate, sha256=b"f" * 32, size_bytes=1, stored_as="x", made_at=timezone.now()
        )
        shown("Certificate (PDF)")
        newer = reissue(certificate=certificate, reason="Name", actor=None, now=timezone.now())
        shown(f'href="/certificates/{newer.public_id}/"')
        assert certificate.public_id not in text_of(browser, "/credits/")
        revoke_certificate(certificate=newer, reason="No", actor=None, now=timezone.now())
        shown("Certificate revoked")
        purge()
        shown("Certificate not kept any more")

    def test_credit_that_was_revoked_or_is_nothing_waits_for_no_certificate(self) -> None:
        accreditation, user = self.granted()
        CertificateTemplateFactory.create(programme=accreditation.activity.lesson.course.programme)
        given: dict[str, Any] = {"claim_id": Claim.objects.get().pk, "reason": "No", "actor": user}
        correct_claim(credit=Decimal(0), now=timezone.now(), **given)
        assert rows_of(user=user, now=timezone.now())[0].document is None
        revoke_claim(now=timezone.now(), **given)
        assert rows_of(user=user, now=timezone.now())[0].document is None


class TestOnePage:
    def test_after_its_evidence_has_left_the_steps_are_still_told(self) -> None:
        accreditation, user = earned()
        claim(accreditation=accreditation, user=user, now=timezone.now())
        tamper("DELETE FROM certification_claimevidence")
        assert "You watched 47 of 60 minutes live." in text_of(signed_in(user), f"/credits/{accreditation.pk}/")

    def test_corrections_stand_there_with_their_reasons(self) -> None:
        accreditation, user = earned()
        taken = claim(accreditation=accreditation, user=user, now=timezone.now())
        office = UserFactory.create()
        correct_claim(
            claim_id=taken.claim.pk, credit=Decimal("0.25"), reason="Left <early>", actor=office, now=timezone.now()
        )
        text = text_of(signed_in(user), f"/credits/{accreditation.pk}/")
        assert "Credit corrected, now 0.25." in text
        assert "Left &lt;early&gt;" in text
        revoke_claim(claim_id=taken.claim.pk, reason="Not there", actor=office, now=timezone.now())
        assert "Credit revoked, now 0." in text_of(signed_in(user), f"/credits/{accreditation.pk}/")
        (row,) = rows_of(user=user, now=timezone.now())
        assert row.state == State.REVOKED

    def test_foreign_drafts_and_absent_ones_are_not_there(self) -> None:
        accreditation, user = earned()
        foreign = accredit(make_live(starts_at=lately()))
        draft = accredit(
            make_live(starts_at=lately(), course=accreditation.activity.lesson.course, state="draft", opened_at=None)
        )
        browser = signed_in(user)
        numbers = [accreditation.pk, foreign.pk, draft.pk, 10**18, 10**30]
        assert [browser.get(f"/credits/{one}/").status_code for one in numbers] == [200, 404, 404, 404, 404]
        assert [browser.post(f"/credits/{one}/claim/").status_code for one in numbers] == [302, 404, 404, 404, 404]

    def test_credit_stays_when_the_programme_is_over(self) -> None:
        accreditation, user = earned()
        claim(accreditation=accreditation, user=user, now=timezone.now())
        Programme.objects.update(status=PublishStatus.ARCHIVED)
        Enrolment.objects.all().delete()
        Activity.objects.update(state=ActivityState.CLOSED, closed_at=timezone.now())
        text_of(signed_in(user), f"/credits/{accreditation.pk}/")
        assert [row.state for row in rows_of(user=user, now=timezone.now())] == [State.GRANTED]


class TestTheRecord:
    def granted(self, user: User, credit: str, on: date, **accreditation: Any) -> None:
        given = {"authority": "india", "council": "gujarat"} | accreditation
        entry = grant_directly(
            credit=credit, accreditation=AccreditationFactory.create(**given), user=user, took_part_on=on
        )
        assert entry.claim

    def test_by_authority_and_year_against_each_cycle(self) -> None:
        user = UserFactory.create(medical_council="Gujarat Medical Council")
        for credit, on in (("2.00", date(2024, 12, 31)), ("3.50", date(2025, 1, 1)), ("1.00", date(2019, 6, 1))):
            self.granted(user, credit, on)
        self.granted(user, "0.75", date(2025, 3, 3), authority="accme", council="")
        rows = rows_of(user=user, now=timezone.now())
        accme, gujarat = transcript_of(user=user, rows=rows, today=date(2026, 11, 22))
        assert (accme.authority, accme.total, accme.cycles) == ("accme", Decimal("0.75"), [])
        assert [(one.year, one.credits) for one in gujarat.years] == [
            (2025, Decimal("3.50")),
            (2024, Decimal("2.00")),
            (2019, Decimal("1.00")),
        ]
        assert sum(one.credits for one in gujarat.cycles) == Decimal("6.50")
        assert [one.needed for one in gujarat.cycles] == [150] * len(gujarat.cycles)
        assert [one.is_now for one in gujarat.cycles].count(True) == 1
        assert [(one.amount, one.share) for one in gujarat.years] == [
            ("3.5 of 30", Decimal("3.5") / 30),
            ("2 of 30", Decimal(2) / 30),
            ("1 of 30", Decimal(1) / 30),
        ]
        (year,) = accme.years
        assert (year.amount, year.share, year.words) == ("0.75", Decimal("0.075"), "2025: 0.75 of 10")
        assert accme.scale_words == "A year's bar is full at 10."

    @pytest.mark.parametrize(
        ("council", "amount", "words"),
        [
            ("maharashtra", "2 of 6", "that is what your council asks for in a year"),
            ("punjab", "2 of 10", "a year's part of what the whole period asks for"),
            ("delhi", "2", "A year's bar is full at 10."),
        ],
    )
    def test_a_years_bar_is_drawn_against_what_is_asked_for(self, council: str, amount: str, words: str) -> None:
        user = UserFactory.create()
        self.granted(user, "2.00", date(2026, 5, 1), council=council)
        rows = rows_of(user=user, now=timezone.now())
        (account,) = transcript_of(user=user, rows=rows, today=date(2026, 11, 22))
        assert (account.years[0].amount, words in account.scale_words) == (amount, True)

    def test_a_councils_year_begins_when_it_says_so(self) -> None:
        user = UserFactory.create()
        for credit, on in (("1.00", date(2026, 3, 31)), ("2.00", date(2026, 4, 1)), ("7.00", date(2027, 3, 31))):
            self.granted(user, credit, on, council="maharashtra")
        rows = rows_of(user=user, now=timezone.now())
        (account,) = transcript_of(user=user, rows=rows, today=date(2026, 11, 22))
        assert [(one.label, one.credits, one.share) for one in account.years] == [
            ("2026/27", Decimal("9.00"), Decimal(1)),
            ("2025/26", Decimal("1.00"), Decimal("1.00") / 6),
        ]

    @pytest.mark.parametrize(
        ("best", "full"), [("0.25", 10), ("10", 10), ("10.25", 20), ("50", 50), ("50.25", 100), ("600", 1000)]
    )
    def test_without_anything_asked_for_a_bar_is_full_at_a_round_number(self, best: str, full: int) -> None:
        user = UserFactory.create()
        self.granted(user, best, date(2026, 5, 1), authority="accme", council="")
        (account,) = transcript_of(user=user, rows=rows_of(user=user, now=timezone.now()), today=date(2026, 11, 22))
        assert account.years[0].scale.full == full

    def test_the_bars_are_told_to_who_does_not_see_them(self) -> None:
        user = UserFactory.create()
        self.granted(user, "2.00", date(2026, 5, 1), council="maharashtra")
        text = text_of(signed_in(user), "/credits/")
        assert 'role="img" aria-label="2026/27: 2 of 6"' in text
        assert 'class="seen" width="33.3"' in text

    def test_a_known_council_without_any_credit_shows_what_it_wants(self) -> None:
        user = UserFactory.create(medical_council="Maharashtra Medical Council")
        (account,) = transcript_of(user=user, rows=[], today=date(2026, 11, 22))
        (cycle,) = account.cycles
        assert (cycle.credits, cycle.needed, cycle.missing, cycle.is_reached) == (0, 30, 30, False)

    def test_the_table_is_the_doctors_own_and_says_what_was_revoked(self) -> None:
        accreditation, user = earned(approval_code="=HYPERLINK(1)")
        taken = claim(accreditation=accreditation, user=user, now=timezone.now())
        grant_directly(accreditation=AccreditationFactory.create(), user=UserFactory.create())
        revoke_claim(claim_id=taken.claim.pk, reason="No", actor=user, now=timezone.now())
        answer = signed_in(user).get("/credits/transcript.csv")
        content = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
        headings, row = list(csv.reader(io.StringIO(content)))
        assert headings[0] == "Day"
        assert row[0] == taken.claim.took_part_on.isoformat()
        assert row[6:8] == ["'=HYPERLINK(1)", "0"]
        assert row[-1] == "Credit revoked"


class TestApi:
    def test_tells_what_the_page_tells(self) -> None:
        accreditation, user = earned()
        (credit,) = signed_in(user).get("/api/v1/credits/").json()["credits"]
        assert (credit["accreditation"], credit["state"], credit["credits"], credit["amounts"]) == (
            accreditation.pk,
            "ready",
            "0.75",
            ["0.75", "0.50", "0.25"],
        )
        assert credit["steps"][0] == "You watched 47 of 60 minutes live."

    def test_taking_is_idempotent(self) -> None:
        accreditation, user = earned()
        browser, address = signed_in(user), f"/api/v1/credits/{accreditation.pk}/claim/"
        first = browser.post(address, {"credits": "0.50"}, content_type="application/json")
        again = browser.post(address, {"credits": "0.75"}, content_type="application/json")
        assert (first.status_code, again.status_code) == (201, 200)
        assert (first.json()["state"], first.json()["credits"]) == ("granted", "0.50")
        assert again.json() == first.json()
        account = browser.get("/api/v1/credits/").json()["accounts"][0]
        assert (account["total"], account["count"]) == ("0.50", 1)

    def test_refusals_are_told_apart(self) -> None:
        accreditation, user = earned()
        browser, address = signed_in(user), f"/api/v1/credits/{accreditation.pk}/claim/"
        statuses = [
            browser.post(address, {"credits": asked}, content_type="application/json").status_code
            for asked in ("9.00", "x", "0.1")
        ]
        assert statuses == [400, 400, 400]
        Activity.objects.update(state=ActivityState.CLOSED, closed_at=timezone.now())
        assert browser.post(address, {}, content_type="application/json").status_code == 409
        assert browser.post("/api/v1/credits/999999/claim/", {}, content_type="application/json").status_code == 404
        assert not Claim.objects.exists()

    def test_evidence_that_is_enough_only_with_feedback(self) -> None:
        accreditation, user = earned(authority="eaccme", minutes=60)
        feedback_form(accreditation.activity)
        browser, address = signed_in(user), f"/api/v1/credits/{accreditation.pk}/claim/"
        assert browser.post(address, {}, content_type="application/json").status_code == 409
        evaluated(accreditation.activity, user, at=datetime.now(UTC))
        assert browser.post(address, {}, content_type="application/json").json()["credits"] == "1.00"
