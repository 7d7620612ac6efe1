"""The transcript's file: made by a worker from the ledger, kept until something on it changes, nobody else's."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.models import User
from certification import tasks
from certification.authorities.cycles import day_in
from certification.domain.checking import Checked, Verdict, check_file
from certification.domain.claiming import claim, revoke_claim
from certification.domain.erasure import erase
from certification.domain.issuing import issue
from certification.domain.transcript_file import FOLDER, facts_of, file_of, forget_transcripts, make_transcript
from certification.models import Accreditation, Chain
from certification.printing.signature import TRANSCRIPT, inspect
from media.storages import media_storage
from tests.certification.printing.samples import page_text, squeezed
from tests.factories.accounts import UserFactory
from tests.factories.certification import CertificateTemplateFactory
from tests.factories.deeds import accredit, doctor_of, make_live, watch
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db
ADDRESS = "/credits/transcript.pdf"


@pytest.fixture(autouse=True)
def own_media(settings: Any, tmp_path: Path) -> None:
    stored = {**settings.STORAGES["media"], "OPTIONS": {**settings.STORAGES["media"]["OPTIONS"], "location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "media": stored}


@pytest.fixture
def bells(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str]]:
    rung: list[tuple[int, str]] = []
    monkeypatch.setattr(tasks.make_transcript, "delay", lambda *given: rung.append(given))
    return rung


@pytest.mark.parametrize(
    ("zone", "minute", "first"),
    [
        ("Asia/Kolkata", 29, "2022-06-01"),
        ("Asia/Kolkata", 30, "2027-06-01"),
        ("UTC", 30, "2022-06-01"),
        ("Nowhere/Known", 30, "2022-06-01"),
    ],
)
def test_page_api_and_file_count_in_the_doctor_s_own_day(
    monkeypatch: pytest.MonkeyPatch, zone: str, minute: int, first: str
) -> None:
    """Tamil Nadu has one cycle for all, from 1 June: it begins in India while it is still May in UTC."""
    at = datetime(2027, 5, 31, 18, minute, tzinfo=UTC)
    for module in ("api.credits", "views.credit"):
        monkeypatch.setattr(f"certification.{module}.now", lambda: at)
    user = UserFactory.create(medical_council="Tamil Nadu Medical Council", timezone=zone)
    browser = signed_in(user)
    (page,) = browser.get("/credits/").context["accounts"]
    (by_api,) = browser.get("/api/v1/credits/").json()["accounts"]
    printed, _programmes = facts_of(user=user, language="en", now=at)
    assert [one.first.isoformat() for one in page.cycles if one.is_now] == [first]
    assert [one["first"] for one in by_api["cycles"] if one["is_now"]] == [first]
    assert printed.made_on == (date(2027, 6, 1) if first == "2027-06-01" else date(2027, 5, 31))


def lately() -> datetime:
    return timezone.now() - timedelta(hours=3)


def earned(**settings: Any) -> tuple[Accreditation, User]:
    live = make_live(starts_at=lately())
    user = doctor_of(live)
    watch(live, user, minutes=47)
    return accredit(live, **settings), user


def made(user: User) -> bytes:
    name = make_transcript(user_id=user.pk, language="en", now=timezone.now())
    assert name is not None
    with media_storage().open(name) as file:
        content: bytes = file.read()
    return content


def kept(user: User) -> list[str]:
    return sorted(media_storage().listdir(f"{FOLDER}/{user.pk}")[1])


class TestDownload:
    def test_the_first_time_a_worker_is_asked_and_the_page_looks_again(self, bells: list[tuple[int, str]]) -> None:
        _accreditation, user = earned()
        browser = signed_in(user)
        answers = [browser.get(ADDRESS) for _ in range(2)]

        assert [(one.status_code, one["Refresh"]) for one in answers] == [(200, "2")] * 2
        assert "Your transcript is being made" in answers[0].content.decode()
        assert bells == [(user.pk, "en")]

    def test_then_it_is_the_file(self, bells: list[tuple[int, str]]) -> None:
        _accreditation, user = earned()
        pdf = made(user)
        answer = signed_in(user).get(ADDRESS)

        assert answer.content == pdf
        assert (answer["Content-Type"], answer["Content-Disposition"]) == (
            "application/pdf",
            'attachment; filename="transcript.pdf"',
        )
        assert "Refresh" not in answer
        assert bells == []

    def test_it_is_nobody_elses(self, bells: list[tuple[int, str]]) -> None:
        _accreditation, user = earned()
        made(user)
        other = UserFactory.create()

        assert file_of(user=other, language="en", now=timezone.now()) is None
        assert bells == [(other.pk, "en")]

    def test_changed_credit_asks_for_a_new_one(self, bells: list[tuple[int, str]]) -> None:
        accreditation, user = earned()
        made(user)
        claim(accreditation=accreditation, user=user, now=timezone.now())

        assert file_of(user=user, language="en", now=timezone.now()) is None
        assert bells == [(user.pk, "en")]

    def test_others_credit_does_not(self, bells: list[tuple[int, str]]) -> None:
        accreditation, user = earned()
        claim(accreditation=accreditation, user=user, now=timezone.now())
        pdf = made(user)
        other = doctor_of(accreditation.activity)
        watch(accreditation.activity, other, minutes=60)
        claim(accreditation=accreditation, user=other, now=timezone.now())

        assert file_of(user=user, language="en", now=timezone.now()) == pdf

    def test_the_number_of_queries_does_not_depend_on_credits(
        self, bells: list[tuple[int, str]], django_assert_max_num_queries: Any
    ) -> None:
        accreditation, user = earned()
        course = accreditation.activity.lesson.course
        for number in range(3):
            live = make_live(starts_at=lately() - timedelta(days=number + 1), course=course)
            watch(live, user, minutes=60)
            claim(accreditation=accredit(live), user=user, now=timezone.now())
            with django_assert_max_num_queries(10):
                file_of(user=user, language="en", now=timezone.now())


class TestTheSeal:
    def test_it_is_sealed_and_a_file_that_is_checked_is_recognised(self) -> None:
        _accreditation, user = earned()
        pdf = made(user)
        today = day_in(timezone.now(), user.timezone)
        seal = inspect(pdf)

        assert (seal.is_intact, seal.covers_all, seal.sealed_on, seal.purpose) == (True, True, today, TRANSCRIPT)
        assert check_file(pdf) == Checked(Verdict.TRANSCRIPT, sealed_on=today)
        answer = Client().post("/verify/check/", {"file": SimpleUploadedFile("t.pdf", pdf)}).content.decode()
        assert "This file is a transcript that was made here" in answer
        assert f"Not one byte was changed since {today.day} {today:%B %Y}." in answer

    def test_a_changed_byte_anywhere_is_noticed(self) -> None:
        pdf = made(UserFactory.create())
        verdicts = set()
        for at in range(20, len(pdf) - 10, len(pdf) // 40):
            verdicts.add(check_file(pdf[:at] + bytes([pdf[at] ^ 1]) + pdf[at + 1 :]).verdict)

        assert {Verdict.ALTERED} <= verdicts <= {Verdict.ALTERED, Verdict.FOREIGN}  # foreign: where the seal begins

    def test_nobody_turns_it_into_a_certificate(self) -> None:
        """What it was made for is within what is signed."""
        pdf = made(UserFactory.create())
        for word in (b"Certificat", b"          "):
            assert check_file(pdf.replace(b"(Transcript)", b"(" + word + b")")).verdict == Verdict.ALTERED

    def test_a_new_key_makes_a_new_one_and_without_a_key_there_is_no_seal(self, settings: Any) -> None:
        user = UserFactory.create()
        first = made(user)
        settings.CERTIFICATE_KEYS = (bytes(range(32)), *settings.CERTIFICATE_KEYS)
        assert check_file(first).verdict == Verdict.TRANSCRIPT
        second = made(user)
        assert inspect(second).fingerprint != inspect(first).fingerprint
        settings.CERTIFICATE_KEYS = ()
        assert check_file(made(user)).verdict == Verdict.FOREIGN


class TestMaking:
    def test_it_says_what_the_ledger_says(self) -> None:
        accreditation, user = earned(approval_code="26-FERT-07")
        programme = accreditation.activity.lesson.course.programme
        CertificateTemplateFactory.create(programme=programme)
        taken = claim(accreditation=accreditation, user=user, now=timezone.now()).claim
        certificate = issue(of=taken, now=timezone.now())
        text = squeezed(page_text(made(user)))
        chain = Chain.objects.get(programme=programme)
        wanted = [
            user.get_full_name(), accreditation.activity.title, "0.75", "26-FERT-07", certificate.number,
            f"line {chain.length}, head {bytes(chain.head).hex()}", programme.title, "/verify/",
        ]  # fmt: skip

        assert [words for words in wanted if squeezed(words) not in text] == []

    def test_revoked_credit_says_that_there_is_a_reason_and_not_which(self) -> None:
        accreditation, user = earned()
        taken = claim(accreditation=accreditation, user=user, now=timezone.now()).claim
        revoke_claim(claim_id=taken.pk, reason="Slept through it", actor=user, now=timezone.now())
        text = squeezed(page_text(made(user)))

        assert squeezed("Revoked; the reason is on record.") in text
        assert "0.75" in text
        assert squeezed("Slept") not in text

    def test_a_council_that_wants_a_number_has_a_bar(self) -> None:
        user = UserFactory.create(medical_council="Maharashtra Medical Council")
        text = squeezed(page_text(made(user)))

        assert squeezed("0 of 30") in text
        assert squeezed("30 still missing · Your council may count from another day") in text

    def test_years_are_drawn_and_told_as_on_the_page(self) -> None:
        accreditation, user = earned()
        claim(accreditation=accreditation, user=user, now=timezone.now())
        facts, _programmes = facts_of(user=user, language="en", now=timezone.now())
        (bar,) = facts.sections[0].bars

        assert (bar.amount, bar.share, bar.note) == ("0.75", Decimal("0.075"), "A year's bar is full at 10.")
        assert squeezed("A year's bar is full at 10.") in squeezed(page_text(made(user))).replace("’", "'")

    def test_again_it_is_left_alone_and_a_new_one_takes_the_old_away(self) -> None:
        accreditation, user = earned()
        other = UserFactory.create()
        made(other)
        first = made(user)
        (before,) = kept(user)
        assert made(user) == first
        assert kept(user) == [before]
        claim(accreditation=accreditation, user=user, now=timezone.now())
        made(user)

        assert len(kept(user)) == 1
        assert kept(user) != [before]
        assert len(kept(other)) == 1

    def test_who_is_gone_has_none(self) -> None:
        user = UserFactory.create(is_active=False)

        assert make_transcript(user_id=user.pk, language="en", now=timezone.now()) is None
        assert make_transcript(user_id=0, language="en", now=timezone.now()) is None

    def test_the_bell_makes_it(self) -> None:
        user = UserFactory.create()
        tasks.make_transcript(user.pk, "en")

        assert len(kept(user)) == 1

    def test_forgetting_takes_all_of_one_person(self) -> None:
        user, other = UserFactory.create(), UserFactory.create()
        made(user)
        made(other)
        media_storage().save(f"{FOLDER}/{user.pk}/left-over.pdf", ContentFile(b"%PDF-"))

        assert forget_transcripts(user_id=user.pk) == 2
        assert (kept(user), len(kept(other))) == ([], 1)
        assert forget_transcripts(user_id=0) == 0

    def test_it_goes_with_its_person(self, django_capture_on_commit_callbacks: Any) -> None:
        user = UserFactory.create()
        made(user)
        with django_capture_on_commit_callbacks(execute=True):
            erase(user=user, now=timezone.now())

        assert kept(user) == []
