"""What holds around every version of the rules: the doctor's own council, and disclosures before the start."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import User
from certification.authorities import pack
from certification.authorities.base import Decision
from certification.authorities.words import words_of
from certification.domain.claiming import NotGrantedError, claim
from certification.domain.deciding import decide
from certification.domain.evidence import council_key
from certification.domain.granting import grant_credits
from certification.models import Accreditation, Claim
from tests.certification.authorities.worked import enduring, live, recorded, terms
from tests.factories.deeds import accredit, acknowledged, doctor_of, make_live, watch

NINE = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
LATER = NINE + timedelta(hours=3)
MH: dict[str, Any] = {"council": "maharashtra"}


def codes(decision: Decision) -> tuple[list[str], list[str], Decimal, Decimal]:
    return [one.code for one in decision.reasons], list(decision.missing), decision.credit, decision.waiting


class TestCouncil:
    def of(self, council: str, **more: Any) -> Decision:
        return decide(
            pack=pack("india", version="2024"), evidence=live(60, council=council, **more), terms=terms("2", **MH)
        )

    def test_ones_own_grants_as_the_rules_say(self) -> None:
        rules = pack("india", version="2024")
        assert self.of("maharashtra") == rules.evaluate(live(60, **MH), terms("2", **MH))
        assert codes(self.of("maharashtra")) == ([], [], Decimal(2), Decimal(0))

    def test_without_one_what_there_would_be_waits_for_it(self) -> None:
        found = self.of("")
        assert codes(found) == (["no_own_council"], ["council"], Decimal(0), Decimal(2))
        assert not found.is_granted
        assert [one.code for one in found.steps[-2:]] == ["waiting", "credit"]
        assert words_of(found.steps[-1]) == "Credit hours: 0."

    def test_one_that_is_in_no_table_is_named(self) -> None:
        found = self.of("MMC")
        assert codes(found) == (["unknown_council"], ["council"], Decimal(0), Decimal(2))
        assert words_of(found.reasons[0]).startswith("“MMC”, which stands in your profile")

    def test_another_one_is_refused_and_nothing_is_to_do(self) -> None:
        assert codes(self.of("delhi", registration_number="")) == (
            ["other_council", "no_number"],
            [],
            Decimal(0),
            Decimal(0),
        )

    def test_council_and_number_are_both_missing(self) -> None:
        found = self.of("", registration_number="")
        assert codes(found) == (["no_own_council", "no_number"], ["council", "number"], Decimal(0), Decimal(2))
        assert [one.code for one in found.steps].count("waiting") == 1

    def test_what_is_refused_anyway_does_not_ask_for_a_council(self) -> None:
        assert codes(self.of("", other_format_credit=Decimal(2))) == (["other_format"], [], Decimal(0), Decimal(0))

    def test_no_other_authority_asks(self) -> None:
        found = decide(pack=pack("accme", version="2022"), evidence=live(60, council=""), terms=terms())
        assert codes(found) == ([], [], Decimal(1), Decimal(0))

    @pytest.mark.parametrize(
        ("written", "key"),
        [
            ("Maharashtra", "maharashtra"),
            ("maharashtra state medical council", "maharashtra"),
            ("The Medical Council of Tamil Nadu", "tamil_nadu"),
            ("tamil_nadu", "tamil_nadu"),
            ("Travancore Cochin Medical Councils", "kerala"),
            ("Kerala", "kerala"),
            ("Travancore Cochin Medical Councils (Kerala)", "kerala"),
            ("Maharashtra Dental Council", "Maharashtra Dental Council"),
            ("Medical Council of India", "Medical Council of India"),
            ("Medical Council", "Medical Council"),
            ("  The  Council ", "The Council"),
        ],
    )
    def test_the_ways_to_write_one(self, written: str, key: str) -> None:
        assert council_key(written) == key


class TestDisclosures:
    @pytest.mark.parametrize(("key", "version"), [("accme", "2011"), ("accme", "2022"), ("eaccme", "2023")])
    def test_who_began_without_having_read_them_is_told_so_and_sent_nowhere(self, key: str, version: str) -> None:
        found = decide(pack=pack(key, version=version), evidence=live(60, has_acknowledged=False), terms=terms())
        assert codes(found) == (["watched_first"], [], Decimal(0), Decimal(0))
        assert [one.code for one in found.steps].count("waiting") == 0
        assert words_of(found.reasons[0]).startswith("You began to watch before you had read the disclosures.")

    def test_nothing_else_is_asked_for_either(self) -> None:
        found = decide(
            pack=pack("accme", version="2022"),
            evidence=recorded(60, has_acknowledged=False, best_percent=None, is_evaluated=False),
            terms=enduring(),
        )
        assert codes(found)[0] == ["watched_first", "no_test_taken", "not_evaluated"]
        assert found.missing == ()

    def test_who_has_not_begun_reads_them(self) -> None:
        found = decide(
            pack=pack("accme", version="2022"),
            evidence=live(0, has_acknowledged=False, took_part_on=None),
            terms=terms(),
        )
        assert found.missing == ("watch", "acknowledge")

    def test_where_they_are_not_asked_for_it_does_not_matter(self) -> None:
        given = terms(parameters={"needs_acknowledgement": False})
        found = decide(pack=pack("accme", version="2022"), evidence=live(60, has_acknowledged=False), terms=given)
        assert found.credit == 1


@pytest.mark.parametrize(("key", "version"), [("accme", "2022"), ("eaccme", "2023"), ("attendance", "1")])
def test_what_is_refused_leaves_nothing_to_do(key: str, version: str) -> None:
    evidence = live(60, other_format_credit=Decimal(1), is_evaluated=False)
    given = terms("0" if key == "attendance" else "1", parameters={"needs_evaluation": True} if key != "eaccme" else {})
    found = decide(pack=pack(key, version=version), evidence=evidence, terms=given)
    assert [one.code for one in found.reasons] == ["other_format", "not_evaluated"]
    assert (found.missing, found.is_granted) == ((), False)


@pytest.mark.django_db
class TestClaiming:
    def earned(self, **settings: Any) -> tuple[Accreditation, User]:
        live_activity = make_live(starts_at=NINE)
        user = doctor_of(live_activity, registration_number="1")
        watch(live_activity, user)
        return accredit(live_activity, **settings), user

    @pytest.mark.parametrize("council", ["", "MMC", "Delhi Medical Council"])
    def test_a_council_grants_to_doctors_that_are_known_to_be_its_own(self, council: str) -> None:
        accreditation, user = self.earned(authority="india", council="maharashtra", parameters={})
        User.objects.filter(pk=user.pk).update(medical_council=council)
        with pytest.raises(NotGrantedError):
            claim(accreditation=accreditation, user=user, now=LATER)
        assert grant_credits(now=LATER, everybody=True) == 0
        assert not Claim.objects.exists()
        User.objects.filter(pk=user.pk).update(medical_council="Maharashtra")
        assert claim(accreditation=accreditation, user=user, now=LATER).credits == 1

    def test_disclosures_that_were_read_after_the_start_do_not_help(self) -> None:
        accreditation, user = self.earned(parameters={"needs_evaluation": False})
        acknowledged(accreditation.activity, user, at=NINE + timedelta(minutes=1))
        with pytest.raises(NotGrantedError) as refused:
            claim(accreditation=accreditation, user=user, now=LATER)
        assert [one.code for one in refused.value.decision.reasons] == ["watched_first"]
        assert refused.value.decision.missing == ()
