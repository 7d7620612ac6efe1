"""Evidence packs: what is in them, that they are the same every time, and that a changed one is found."""

import csv
import hashlib
import io
import json
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from django.core.management import CommandError, call_command
from django.utils.timezone import now

from accounts.models import AuditEvent
from certification.domain.activities import delete_contributor
from certification.domain.badges import badge_of
from certification.domain.chain import canonical
from certification.domain.keys import newest_key
from certification.domain.pack_file import Flaw, NoPackError, Part, check_pack, write_pack
from certification.domain.packing import make_pack
from certification.enums import Format
from certification.models import Activity, Chain, PublishedHead
from core.exports import csv_lines
from tests.certification.audited import AT, Audited, make_audited
from tests.factories.accounts import UserFactory
from tests.factories.certification import grant
from tests.factories.webinars import WatchRecordFactory
from webinars.enums import Phase
from webinars.models import Webinar

pytestmark = pytest.mark.django_db
FILES = [
    "README.txt", "summary.pdf", "activity.json", "people.csv", "attendance.csv", "watched.csv", "test_results.csv",
    "evaluation.csv", "evaluation_given.csv", "disclosures.csv", "disclosure_reviews.csv", "disclosure_sheets.jsonl",
    "disclosures_shown.csv", "claims.csv", "claim_evidence.jsonl", "ledger.csv", "ledger.jsonl", "certificates.csv",
    "certificate_facts.jsonl", "badges.jsonl", "certificates_resting.csv", "keys.json", "manifest.json", "SHA256SUMS",
]  # fmt: skip


@pytest.fixture
def audited() -> Audited:
    """With another activity of the same programme, whose doctor and rows must not be in the pack."""
    mine = make_audited()
    make_audited(
        programme=mine.activity.lesson.course.programme, doctor=UserFactory.create(last_name="Stranger-Elsewhere")
    )
    return mine


def packed(activity: Activity) -> zipfile.ZipFile:
    file = io.BytesIO()
    make_pack(activity=activity, to=file)
    return zipfile.ZipFile(file)


def table(archive: zipfile.ZipFile, name: str) -> list[list[str]]:
    """Without its headings."""
    return list(csv.reader(io.StringIO(archive.read(name).decode("utf-8-sig"))))[1:]


def lines(archive: zipfile.ZipFile, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in archive.read(name).splitlines()]


class TestContent:
    def test_every_file_is_there(self, audited: Audited) -> None:
        assert packed(audited.activity).namelist() == FILES

    def test_what_the_doctor_did(self, audited: Audited) -> None:
        archive, me = packed(audited.activity), str(audited.doctor.pk)
        person = [me, "Dr Meera Nair", audited.doctor.email, "IN", "Cardiology", "Kerala", "KER-77"]
        start, end = "2026-03-05 17:00:00", "2026-03-05 17:50:00"
        assert table(archive, "people.csv") == [person]
        assert table(archive, "attendance.csv") == [[me, start, end, "3000", "3000", f"{start} – {end}"]]
        assert table(archive, "watched.csv") == [[me, start, end, "", "3000", "0–3000", f"{start} – {end}", ""]]
        assert table(archive, "test_results.csv") == [[me, "1", "marked", end, end, "8.0000", "10.00", "yes", "yes"]]
        assert table(archive, "evaluation_given.csv") == [[me, "2026-03-05"]]

    def test_what_was_disclosed_reviewed_and_shown(self, audited: Audited) -> None:
        archive = packed(audited.activity)
        (statement,) = table(archive, "disclosures.csv")
        assert statement[2:7] == ["Dr Chair", "2024-02-04", "2026-02-03", "2026-02-03 17:00:00", "Dr Chair"]
        assert json.loads(statement[7])[0]["company"] == "Acme Pharma"
        (review,) = table(archive, "disclosure_reviews.csv")
        assert review == [statement[0], "mitigated", "Slides reviewed by two others", "", "2026-02-03 17:00:00"]
        (sheet,) = lines(archive, "disclosure_sheets.jsonl")
        assert sheet["content"] == {"people": ["Dr Chair"]}
        shown = [str(audited.doctor.pk), str(sheet["sheet"]), "2026-02-03 17:00:00", "2026-02-03 17:00:00"]
        assert table(archive, "disclosures_shown.csv") == [shown]

    def test_who_left_the_activity_stays_in_its_evidence(self, audited: Audited) -> None:
        """Doctors were taught by them, and acknowledged what they had disclosed."""
        chair = audited.activity.contributors.get()
        delete_contributor(contributor=chair, now=AT)
        archive = packed(audited.activity)
        assert [row[2] for row in table(archive, "disclosures.csv")] == ["Dr Chair"]
        assert len(table(archive, "disclosure_reviews.csv")) == 1
        said = json.loads(archive.read("activity.json"))["contributors"]
        assert said == [
            {"discloser": chair.person_id, "name": "Dr Chair", "role": "presenter", "until": "2026-03-05 17:00:00"}
        ]

    def test_credit_with_its_reasons_and_sealed_lines(self, audited: Audited) -> None:
        archive, claim = packed(audited.activity), audited.claim
        me = str(audited.doctor.pk)
        assert [row[:5] for row in table(archive, "claims.csv")] == [[str(claim.pk), me, "accme", "", "2026-03-05"]]
        (why,) = lines(archive, "claim_evidence.jsonl")
        assert why == {
            "line": 1, "claim": claim.pk, "evidence": {"watched_seconds": 3000}, "decision": {"credit": "0.75"}
        }  # fmt: skip
        assert [row[:1] + row[2:4] for row in table(archive, "ledger.csv")] == [
            ["1", "credit_granted", me],
            ["2", "certificate_issued", me],
        ]
        sealed = lines(archive, "ledger.jsonl")
        assert [one["content"]["number"] for one in sealed] == [1, 2]
        for one in sealed:
            again = hashlib.sha256(bytes.fromhex(one["previous"]) + canonical(one["content"])).hexdigest()
            assert again == one["hash"]

    def test_certificates_with_hash_and_signature(self, audited: Audited) -> None:
        archive, made = packed(audited.activity), audited.certificate
        (row,) = table(archive, "certificates.csv")
        assert row[1:4] == [made.number, made.public_id, "1"]
        key = newest_key()
        assert row[7:] == [(b"f" * 32).hex(), "40000", key.fingerprint, bytes(made.signature).hex()]
        assert lines(archive, "certificate_facts.jsonl") == [{"number": made.number, "facts": made.facts}]
        assert lines(archive, "badges.jsonl") == [{"number": made.number, "badge": badge_of(made)}]
        assert json.loads(archive.read("keys.json")) == {
            "keys": [{"fingerprint": key.fingerprint, "public_key": key.public.hex()}]
        }

    def test_terms_and_the_rules_with_their_sources(self, audited: Audited) -> None:
        said = json.loads(packed(audited.activity).read("activity.json"))
        assert said["activity"]["starts_at"] == "2026-03-05 17:00:00"
        (rules,) = said["rules"]
        assert (rules["authority"], rules["version"], rules["retention_years"]) == ("accme", "2022", 6)
        assert all(one["url"].startswith("http") for one in rules["sources"])
        (terms,) = said["accreditations"]
        assert (terms["credits"], terms["approval_code"]) == ("1.00", "APPROVAL-1")

    def test_the_manifest_says_where_the_ledger_stands(self, audited: Audited) -> None:
        chain = Chain.objects.get(programme=audited.claim.programme)
        for day, length in ((4, 1), (5, 2)):
            PublishedHead.objects.create(
                programme=chain.programme, published_on=AT.date().replace(day=day), length=length, hash=b"h" * 32,
                published_at=AT,
            )  # fmt: skip
        said = json.loads(packed(audited.activity).read("manifest.json"))
        assert said["chain"] == {"id": str(chain.public_id), "length": 4, "head": bytes(chain.head).hex()}
        assert said["published_head"] == {"on": "2026-03-05", "length": 2, "hash": (b"h" * 32).hex()}
        assert [one["name"] for one in said["files"]] == FILES[:-2]

    def test_the_summary_is_one_page_with_the_same_words(self, audited: Audited) -> None:
        audited.activity.title = '#panic("x") هند'
        audited.activity.save()
        document = pypdfium2.PdfDocument(packed(audited.activity).read("summary.pdf"))
        words = document[0].get_textpage().get_text_range()
        assert len(document) == 1
        assert '#panic("x")' in words
        assert "AMA PRA Category 1 (ACCME)" in words
        assert "APPROVAL-1" in words
        head = bytes(Chain.objects.get(programme=audited.claim.programme).head).hex()
        assert head in "".join(words.split())

    def test_an_activity_that_begins_within_a_second_has_one_too(self, audited: Audited) -> None:
        """As one does that took its begin over from a broadcast."""
        audited.activity.starts_at = AT.replace(microsecond=17)
        audited.activity.save()
        assert packed(audited.activity).read("summary.pdf").startswith(b"%PDF-")

    def test_a_recording_has_watch_records_of_the_recording_only(self) -> None:
        mine = make_audited(form=Format.ENDURING)
        webinar = Webinar.objects.get(lesson=mine.activity.lesson)
        WatchRecordFactory.create(webinar=webinar, phase=Phase.LIVE)
        archive = packed(mine.activity)
        assert "attendance.csv" not in archive.namelist()
        assert [row[0] for row in table(archive, "watched.csv")] == [str(mine.doctor.pk)]
        assert [row[0] for row in table(archive, "people.csv")] == [str(mine.doctor.pk)]


class TestFeedback:
    def test_few_anonymous_answers_are_not_told_and_nobody_is_named(self, audited: Audited) -> None:
        archive = packed(audited.activity)
        assert table(archive, "evaluation.csv")[0] == ["", "All", "1", "", "fewer than 5: not told", ""]
        assert "evaluation_named.csv" not in archive.namelist()
        assert not any(b"SECRET-WORDS" in archive.read(name) for name in archive.namelist())

    def test_named_answers_are_there_where_the_form_is_named_and_run_no_formula(self) -> None:
        mine = make_audited(is_anonymous=False)
        archive, me = packed(mine.activity), str(mine.doctor.pk)
        assert table(archive, "evaluation_named.csv") == [
            [me, "Was it clear?", "5", "", ""],
            [me, "Anything else?", "", "", "'=SECRET-WORDS()"],
        ]
        assert table(archive, "evaluation.csv")[1][::3] == ["Clarity of content delivery", "5.00"]


class TestTheFile:
    def test_the_same_data_give_the_same_bytes_and_new_data_others(self, audited: Audited) -> None:
        first, second, third = io.BytesIO(), io.BytesIO(), io.BytesIO()
        make_pack(activity=audited.activity, to=first)
        make_pack(activity=audited.activity, to=second)
        assert first.getvalue() == second.getvalue()
        grant(accreditation=audited.claim.accreditation, user=UserFactory.create())
        make_pack(activity=audited.activity, to=third)
        assert third.getvalue() != first.getvalue()

    def test_rows_cost_no_queries_of_their_own(
        self, audited: Audited, django_assert_num_queries: Any, django_assert_max_num_queries: Any
    ) -> None:
        with django_assert_max_num_queries(70) as one:
            make_pack(activity=audited.activity, to=io.BytesIO())
        webinar = Webinar.objects.get(lesson=audited.activity.lesson)
        for _ in range(2):
            line = grant(accreditation=audited.claim.accreditation, user=UserFactory.create())
            WatchRecordFactory.create(
                webinar=webinar, phase=Phase.LIVE, user=line.user, clock=((AT, AT.replace(minute=9)),)
            )
        with django_assert_num_queries(len(one)):
            make_pack(activity=audited.activity, to=io.BytesIO())

    def test_the_bar_comes_to_its_end(self, audited: Audited) -> None:
        told: list[tuple[int, int]] = []
        make_pack(activity=audited.activity, to=io.BytesIO(), progress=lambda done, total: told.append((done, total)))
        assert told[-1][0] == told[-1][1] > 20

    def test_a_file_larger_than_memory_allows_is_written_row_by_row(self) -> None:
        alive = 0
        most = 0

        class Row(tuple[str, ...]):
            __slots__ = ()

            def __del__(self) -> None:
                nonlocal alive
                alive -= 1

        def rows() -> Iterator[tuple[str, ...]]:
            nonlocal alive, most
            for number in range(5_000):
                alive += 1
                most = max(most, alive)
                yield Row((str(number),))

        write_pack(io.BytesIO(), [Part("rows.csv", 5_000, lambda: csv_lines(rows()))], facts={})
        assert most <= 2


class TestChecking:
    def changed(self, activity: Activity, name: str, content: bytes | None) -> list[Flaw]:
        """The pack with one file replaced, added or (None) left out."""
        source, file = packed(activity), io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            for one in source.namelist():
                if one != name:
                    archive.writestr(one, source.read(one))
            if content is not None:
                archive.writestr(name, content)
        return check_pack(file)[1]

    def test_an_untouched_one_holds(self, audited: Audited) -> None:
        file = io.BytesIO()
        make_pack(activity=audited.activity, to=file)
        assert check_pack(file)[1] == []

    def test_one_changed_letter_is_found(self, audited: Audited) -> None:
        content = packed(audited.activity).read("claims.csv").replace(b"accme", b"acbme")
        assert self.changed(audited.activity, "claims.csv", content) == [Flaw("claims.csv", "content")]

    def test_a_row_more_is_found_by_length(self, audited: Audited) -> None:
        content = packed(audited.activity).read("people.csv") + b"99,Dr Nobody\r\n"
        assert self.changed(audited.activity, "people.csv", content) == [Flaw("people.csv", "size")]

    def test_missing_and_added_files_are_named(self, audited: Audited) -> None:
        assert self.changed(audited.activity, "ledger.csv", None) == [Flaw("ledger.csv", "missing")]
        assert self.changed(audited.activity, "more.txt", b"x") == [Flaw("more.txt", "extra")]

    def test_a_manifest_that_was_written_anew_disagrees_with_the_sums(self, audited: Audited) -> None:
        content = packed(audited.activity).read("manifest.json").replace(b'"length": 4', b'"length": 3')
        assert self.changed(audited.activity, "manifest.json", content) == [Flaw("SHA256SUMS", "sums")]

    def test_a_flipped_bit_in_any_file_is_found_and_the_file_named(self, audited: Audited) -> None:
        file = io.BytesIO()
        make_pack(activity=audited.activity, to=file)
        whole = file.getvalue()
        for info in zipfile.ZipFile(file).infolist():
            if info.filename in {"manifest.json", "SHA256SUMS"}:
                continue
            broken = bytearray(whole)
            broken[_start(whole, info) + info.compress_size // 2] ^= 1
            found = check_pack(io.BytesIO(bytes(broken)))[1]
            assert [one.name for one in found] == [info.filename]

    @pytest.mark.parametrize("content", [b"", b"no zip at all", b"PK\x03\x04" + b"\0" * 50])
    def test_what_is_no_pack_is_told_so(self, content: bytes) -> None:
        with pytest.raises(NoPackError):
            check_pack(io.BytesIO(content))

    @pytest.mark.parametrize("manifest", [b"{}", b"[]", b"\xff", b'{"format": 1, "files": [{}]}', b'{"format": 2}'])
    def test_a_zip_with_a_strange_manifest_is_told_so(self, manifest: bytes) -> None:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("manifest.json", manifest)
        with pytest.raises(NoPackError):
            check_pack(file)


def _start(whole: bytes, info: zipfile.ZipInfo) -> int:
    """Where a file's compressed bytes begin: after its local header, its name and the extra field."""
    name, extra = struct.unpack_from("<HH", whole, info.header_offset + 26)
    return int(info.header_offset + 30 + name + extra)


class TestCommand:
    def test_it_writes_a_private_file_and_is_recorded(self, audited: Audited, tmp_path: Path) -> None:
        path = tmp_path / "pack.zip"
        call_command("evidence", str(audited.activity.pk), "--to", str(path))
        assert (path.stat().st_mode & 0o777, [one.name for one in tmp_path.iterdir()]) == (0o600, ["pack.zip"])
        with path.open("rb") as file:
            assert check_pack(file)[1] == []
        event = AuditEvent.objects.get(action="evidence.taken")
        assert (event.subject_id, event.details, event.at <= now()) == (
            str(audited.activity.pk),
            {"form": "by command"},
            True,
        )

    @pytest.mark.parametrize("words", [["999999"], ["nonsense"], ["check"], ["check", "/nowhere.zip"]])
    def test_what_cannot_be_is_said_plainly(self, words: list[str]) -> None:
        with pytest.raises(CommandError):
            call_command("evidence", *words)
