"""The evening with credit: who earned what, by the rules of the authorities and no shortcut."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings

from accounts.models import User
from certification.authorities.words import words_of
from certification.domain.activity_checklist import checklist_of
from certification.domain.chain import verify
from certification.domain.claiming import credits_of
from certification.domain.evaluating import evaluate_person
from certification.domain.files import pdf_of
from certification.enums import ActivityState, CertificateKind, Format
from certification.models import Accreditation, Activity, Certificate, Chain, Claim, PublishedHead
from courses.models import Programme
from lms.demo import credit, lectures, load, programmes
from tests.certification.printing.samples import page_text, squeezed

NOW = datetime(2026, 11, 22, 15, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def demo(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Programme]:
    """Without the lectures' pictures: nobody looks at them here."""
    patch = pytest.MonkeyPatch()
    patch.setattr(lectures, "draw_all", lambda pairs: [path.write_bytes(b"no video") for _, path in pairs])
    with django_db_blocker.unblock(), override_settings(VAR_DIR=tmp_path_factory.mktemp("demo")):
        around = transaction.atomic()
        around.__enter__()
        try:
            load.load(now=NOW)
            yield Programme.objects.get(slug=programmes.SLUG)
        finally:
            transaction.set_rollback(True)
            around.__exit__(None, None, None)
            patch.undo()


pytestmark = pytest.mark.django_db


def doctor(name: str) -> User:
    first, _, last = name.partition(" ")
    return User.objects.get(first_name=first, last_name=last)


def credited(name: str) -> dict[str, Decimal]:
    claims = {claim.pk: claim.authority for claim in Claim.objects.filter(user=doctor(name))}
    return {claims[pk]: worth for pk, worth in credits_of(claims).items()}


def test_both_formats_are_open_and_lack_nothing(demo: Programme) -> None:
    activities = Activity.objects.select_related("lesson__course__programme").order_by("format")

    assert [(one.format, one.state) for one in activities] == [
        (Format.ENDURING, ActivityState.OPEN),
        (Format.LIVE, ActivityState.OPEN),
    ]
    assert [checklist_of(activity=one, now=NOW).problems for one in activities] == [(), ()]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Hélène Marchand", {"accme": Decimal(1), "eaccme": Decimal(1), "attendance": Decimal(0)}),
        ("Sofía Herrera", {"accme": Decimal("0.75"), "eaccme": Decimal(1), "attendance": Decimal(0)}),
        (
            "Meera Nair",
            {"eaccme": Decimal("0.5"), "attendance": Decimal(0), "india": Decimal(1)},
        ),
        ("Yuki Tanaka", {"attendance": Decimal(0)}),
        ("Leila Haddad", {}),
        ("Aroha Ngata", {}),
    ],
)
def test_doctors_have_what_they_earned(demo: Programme, name: str, expected: dict[str, Decimal]) -> None:
    assert credited(name) == expected


def test_the_doctor_half_way_can_take_three_quarters_of_a_credit(demo: Programme) -> None:
    accme = Accreditation.objects.select_related("activity__lesson__course__programme").filter(
        authority="accme", activity__format=Format.LIVE
    )
    (found,) = evaluate_person(user=doctor("Meera Nair"), accreditations=list(accme), now=NOW)

    assert (found.decision.credit, found.decision.is_granted) == (Decimal("0.75"), True)
    assert "47" in words_of(found.decision.steps[0])


def test_certificates_are_issued_and_their_ledger_holds(demo: Programme) -> None:
    of_meera = Certificate.objects.filter(user=doctor("Meera Nair"), kind=CertificateKind.ACTIVITY)

    assert of_meera.count() == 3
    assert verify(programme_id=demo.pk).flaw is None
    assert PublishedHead.objects.get(programme=demo).length == Chain.objects.get(programme=demo).length


def test_a_certificate_says_who_and_what(demo: Programme, tmp_path: Path) -> None:
    certificate = Certificate.objects.get(user=doctor("Hélène Marchand"), claim__authority="accme")
    text = squeezed(page_text(pdf_of(certificate)))
    wanted = ["Dr Hélène Marchand", "Ovarian reserve: what the tests mean", "Prof. Lars Holm", "26-FERT-07"]

    assert [words for words in wanted if squeezed(words) not in text] == []
    assert certificate.number in page_text(pdf_of(certificate))


def test_the_disclosures_were_read_before(demo: Programme) -> None:
    live = Activity.objects.get(format=Format.LIVE)
    (sheet,) = live.sheets.all()

    told = {one["name"]: one["mitigation"] for one in sheet.content["people"]}

    assert told == {"Prof. Lars Holm": credit.MITIGATION, "Nadia Rahman": ""}
    assert sheet.acknowledgements.count() == len(credit.GUESTS)
