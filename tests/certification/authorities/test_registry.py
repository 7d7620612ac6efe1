"""Authorities, their versions, and the words for every code."""

import ast
import re
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from django.utils.translation import override

import certification.authorities
from certification.authorities import AUTHORITIES, NoPackError, pack, pack_of
from certification.authorities.base import Decision, Evidence, Reason, RulePack, Step
from certification.authorities.words import WORDS, words_of
from tests.certification.authorities import test_accme, test_attendance, test_councils, test_eaccme
from tests.certification.authorities.worked import DAY, live, terms

FOLDER = Path(certification.authorities.__file__).parent
PACKS = [(key, one) for key, authority in AUTHORITIES.items() for one in authority.versions]
ids = [f"{key} {one.version}" for key, one in PACKS]


def test_the_authorities() -> None:
    assert list(AUTHORITIES) == ["accme", "eaccme", "india", "attendance"]


@pytest.mark.parametrize("key", AUTHORITIES)
def test_versions_follow_each_other_without_gaps(key: str) -> None:
    versions = AUTHORITIES[key].versions

    assert versions[-1].effective_until is None
    for before, after in pairwise(versions):
        assert before.effective_until is not None
        assert after.effective_from == before.effective_until + timedelta(days=1)
    assert len({one.version for one in versions}) == len(versions)


@pytest.mark.parametrize(("key", "chosen"), PACKS, ids=ids)
def test_a_pack_is_found_by_its_version_and_on_its_first_and_last_day(key: str, chosen: RulePack) -> None:
    assert pack(key, version=chosen.version) is chosen
    assert pack_of(key, on=chosen.effective_from) is chosen
    assert pack_of(key, on=chosen.effective_until or date(2099, 1, 1)) is chosen
    assert (chosen.authority, chosen.unit) == (key, AUTHORITIES[key].unit)


@pytest.mark.parametrize(("key", "chosen"), PACKS, ids=ids)
def test_a_pack_names_its_sources_and_what_a_person_must_check(key: str, chosen: RulePack) -> None:
    assert chosen.sources
    assert chosen.to_check
    assert all(one.title and one.says for one in chosen.sources)
    assert all(one.url.startswith("http") for one in chosen.sources if key != "attendance")
    assert chosen.retention_years >= 6


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: pack_of("nobody", on=DAY),
        lambda: pack_of("accme", on=date(2011, 6, 30)),
        lambda: pack("accme", version="1999"),
        lambda: pack("nobody", version="2022"),
    ],
)
def test_what_is_not_there_is_said(wrong: object) -> None:
    assert callable(wrong)
    with pytest.raises(NoPackError):
        wrong()


def test_nothing_here_touches_the_database_the_clock_or_floats() -> None:
    for path in FOLDER.glob("*.py"):
        tree = ast.parse(path.read_text())
        names = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not [name for name in names if name.startswith(("django.db", "certification.models"))], path
        calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        assert not calls & {"float", "datetime.now", "date.today", "timezone.now", "open", "round"}, path
        numbers = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
        assert not [one for one in numbers if isinstance(one, float)], path


def codes_in_use() -> set[str]:
    """First arguments of `step`, `reason`, `refuse`, `Reason`, `Cap`; the second of `miss`; names that choose."""
    found: set[str] = set()
    for path in (*FOLDER.glob("*.py"), FOLDER.parent / "domain" / "deciding.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
            at = {"step": 0, "reason": 0, "refuse": 0, "miss": 1, "Reason": 0, "Cap": 0}.get(name)
            if at is not None and len(node.args) > at:
                texts = [one.value for one in ast.walk(node.args[at]) if isinstance(one, ast.Constant)]
                found |= {one for one in texts if isinstance(one, str)}
    return found | {"watched_live", "watched_recording"}


def test_every_code_has_words_and_every_word_a_use() -> None:
    assert codes_in_use() - {"nearest"} == set(WORDS)


CASES = [
    *((one, "accme", "2022") for one in test_accme.CASES),
    *((one, "eaccme", "2023") for one in test_eaccme.CASES),
    *((one, "india", "2024") for one in test_councils.CASES),
]


def test_each_authority_has_fifteen_worked_cases_or_more_each_with_its_source() -> None:
    found = {
        "accme": [(one.name, one.source) for one in test_accme.CASES],
        "eaccme": [(one.name, one.source) for one in test_eaccme.CASES],
        "india": [(one.name, one.source) for one in test_councils.CASES],
        "attendance": [one[:2] for one in test_attendance.CASES],
    }

    assert list(found) == list(AUTHORITIES)
    assert [key for key, cases in found.items() if len({name for name, _source in cases}) < 15] == []
    assert [name for cases in found.values() for name, source in cases if len(source) < 10] == []


def test_every_version_of_every_authority_has_worked_cases() -> None:
    used = {(key, case.version or version) for case, key, version in CASES} | {("attendance", "1")}

    assert used == {(key, one.version) for key, one in PACKS}


def test_what_the_cases_are_about() -> None:
    """Boundary minutes, caps, cycles across years, live plus recording, evaluation missing, failed and then passed."""
    about = {
        key: {word for case, of, _ in CASES if of == key for word in (*(one for one in case.reasons), *case.missing)}
        for key in ("accme", "eaccme", "india")
    }
    both = {"part", "too_short", "not_watched", "not_passed", "other_format", "watch", "pass", "evaluate"}

    assert {key: both - words for key, words in about.items()} == {"accme": set(), "eaccme": set(), "india": set()}
    assert {"cap_day"} <= about["eaccme"]
    assert {"cap_event", "cap_year", "cap_online", "online_not_taken", "other_council"} <= about["india"]


def lines(decision: Decision) -> list[Step | Reason]:
    return [*decision.steps, *decision.reasons]


def test_every_line_of_every_worked_case_can_be_read_and_kept() -> None:
    for case, key, version in CASES:
        decision = case.decide(key, version)
        sentences = [words_of(one) for one in lines(decision)]
        assert [text for text in sentences if not text.endswith(".") or re.search(r"%[(%]|[{}]", text)] == []
        assert Decision.from_data(decision.as_data()) == decision


def test_the_sentences_of_one_case() -> None:
    decision = pack("accme", version="2022").evaluate(live(47), terms())

    assert [words_of(one) for one in lines(decision)] == [
        "You watched 47 of 60 minutes live.",
        "You acknowledged the disclosures before the start.",
        "The evaluation is done.",
        "The step is 0.25, rounded to the nearest: 0.75.",
        "AMA PRA Category 1 Credit™: 0.75.",
        "From 53 minutes on it is 1.",
    ]


def test_words_are_made_in_the_readers_language() -> None:
    """Whatever is translated: numbers and dates are as the reader writes them."""
    credit = Step("credit", {"unit": "ECMEC®", "credit": "1234.5"})
    ended = Reason("after_end", {"date": "2026-03-14"})

    assert [words_of(one) for one in (credit, ended)] == [
        "ECMEC®: 1234.5.",
        "The accreditation ended on 14 Mar 2026, before you took part.",
    ]
    with override("de"):
        assert words_of(credit).endswith(" 1234,5.")
        assert "14 Mär 2026" in words_of(ended)
    assert not [one for one in WORDS.values() if isinstance(one, str)]


@pytest.mark.parametrize(("seconds", "media", "kind"), [(-1, 0, "live"), (0, -1, "live"), (0, 0, "podcast")])
def test_impossible_evidence_is_refused(seconds: int, media: int, kind: str) -> None:
    with pytest.raises(ValueError, match="Impossible"):
        Evidence(kind, seconds, media, DAY)


@pytest.mark.parametrize("designated", ["1", "1.0", "1.00", "1.000"])
def test_the_same_credit_is_the_same_text(designated: str) -> None:
    """What is hashed must not depend on how many noughts a column holds."""
    decision = pack("accme", version="2022").evaluate(live(60), terms(designated))

    assert isinstance(decision.credit, Decimal)
    assert decision.as_data() == pack("accme", version="2022").evaluate(live(60), terms("1")).as_data()
    assert decision.as_data()["credit"] == "1"
