"""A decision can be calculated again from what was kept with the claim."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from certification.authorities import pack
from certification.authorities.stored import as_data, evidence_from, terms_from
from tests.certification.authorities import test_accme, test_councils, test_eaccme
from tests.certification.authorities.worked import Case, enduring, had, recorded

CASES = [
    *((one, "accme", "2022") for one in test_accme.CASES),
    *((one, "eaccme", "2023") for one in test_eaccme.CASES),
    *((one, "india", "2024") for one in test_councils.CASES),
]


@pytest.mark.parametrize(("case", "key", "version"), CASES, ids=[f"{key}: {case.name}" for case, key, _ in CASES])
def test_every_worked_case_again_from_json(case: Case, key: str, version: str) -> None:
    chosen = pack(key, version=case.version or version)
    terms = replace(case.terms, parameters=chosen.clean(case.parameters))
    kept = json.loads(json.dumps([as_data(case.evidence), as_data(terms)]))

    again = chosen.evaluate(evidence_from(kept[0]), terms_from(kept[1]))

    assert again == case.decide(key, version)


def test_everything_comes_back_as_it_was() -> None:
    evidence = recorded(
        47,
        best_percent=Decimal("66.67"),
        granted=(had("0.50", date(2026, 1, 2), event="congress"),),
        cycle_from=date(2024, 2, 29),
        council="maharashtra",
        tested_on=date(2026, 3, 15),
        evaluated_on=date(2026, 3, 16),
        began_at=datetime(2026, 3, 14, 9, 0, 1, 250, tzinfo=UTC),
        acknowledged_at=datetime(2026, 3, 14, 8, 59, tzinfo=UTC),
    )
    terms = enduring("1.50", 90, parameters={"pass_percent": "80", "needs_test": True}, done_by=date(2028, 2, 25))

    assert evidence_from(json.loads(json.dumps(as_data(evidence)))) == evidence
    assert terms_from(json.loads(json.dumps(as_data(terms)))) == terms


def test_what_was_kept_before_a_field_was_there_has_its_default() -> None:
    data = as_data(recorded(47))
    del data["cycle_from"]
    del data["is_online"]

    assert evidence_from(data) == recorded(47, cycle_from=None, is_online=True)
