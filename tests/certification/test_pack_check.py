"""Packs calculated again: what was really earned holds, and whatever somebody changes is named, however neatly."""

import csv
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import call_command
from django.db import transaction

from certification.domain.chain import canonical, seal
from certification.domain.files import make_missing
from certification.domain.issuing import digest_of
from certification.domain.pack_certificates import ALTERED
from certification.domain.pack_check import recheck
from certification.domain.pack_file import MANIFEST, SUMS, Part, write_pack
from certification.domain.pack_file import line as json_line
from certification.domain.pack_reading import Recheck
from certification.domain.pack_site import compare_with_site
from certification.domain.packing import make_pack
from certification.models import CertificateFile, ClaimEvidence, LedgerEntry
from certification.printing.signature import fingerprint
from tests.certification.ledgers import tamper
from tests.certification.proven import AFTER, Proven, make_proven

pytestmark = pytest.mark.django_db
Edit = Callable[[str], str]
LINES, TABLE, WHY, CLAIMS = "ledger.jsonl", "ledger.csv", "claim_evidence.jsonl", "claims.csv"
PAPERS, FACTS, BADGES = "certificates.csv", "certificate_facts.jsonl", "badges.jsonl"
RESTING, KEYS = "certificates_resting.csv", "keys.json"


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> None:
    options = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "media": options}


@pytest.fixture
def proven() -> Proven:
    return make_proven()


def packed(proven: Proven, **options: Any) -> dict[str, bytes]:
    file = io.BytesIO()
    make_pack(activity=proven.activity, to=file, **options)
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def pack(django_db_setup: None, django_db_blocker: Any) -> dict[str, bytes]:
    """For tests that change nothing but its files: what it was made of is in no database any more."""
    with django_db_blocker.unblock(), transaction.atomic():
        files = packed(make_proven())
        transaction.set_rollback(True)
    return files


@pytest.fixture
def files(pack: dict[str, bytes]) -> dict[str, bytes]:
    return dict(pack)


def checked(files: dict[str, bytes]) -> Recheck:
    """Of a pack with a manifest and sums that fit these files: a forger writes them anew."""
    said = json.loads(files[MANIFEST])
    facts = {name: value for name, value in said.items() if name not in {"files", "format"}}
    parts = [
        Part(name, 1, lambda content=content: iter([content]))  # type: ignore[misc]
        for name, content in files.items()
        if name not in {MANIFEST, SUMS}
    ]
    file = io.BytesIO()
    write_pack(file, parts, facts=facts)
    return recheck(file)


def named(found: Recheck) -> set[str]:
    """Files in which something differs."""
    assert found.total == len(found.differences)
    return {one.file for one in found.differences}


def ledger(files: dict[str, bytes]) -> list[dict[str, Any]]:
    return [json.loads(one) for one in files["ledger.jsonl"].splitlines()]


def sealed_anew(files: dict[str, bytes], lines: list[dict[str, Any]]) -> None:
    """What the owner of the database could do: every line sealed again, and the head in the manifest that fits."""
    before = {one["hash"]: one["hash"] for one in lines}
    for one in lines:
        old, one["previous"] = one["hash"], before.get(one["previous"], one["previous"])
        one["hash"] = seal(bytes.fromhex(one["previous"]), one["content"]).hex()
        before[old] = one["hash"]
    files["ledger.jsonl"] = b"".join(map(json_line, lines))
    said = json.loads(files[MANIFEST])
    said["published_head"] = None
    said["chain"]["head"] = lines[-1]["hash"]
    files[MANIFEST] = json.dumps(said).encode()
    for one in lines:
        old = next(key for key, value in before.items() if value == one["hash"])
        files["ledger.csv"] = files["ledger.csv"].replace(old.encode(), one["hash"].encode())


class TestWhatWasEarned:
    def test_holds_and_everything_was_calculated(self, proven: Proven) -> None:
        make_missing(now=AFTER)
        found = checked(packed(proven, has_pdfs=True))
        assert found.differences == []
        done = dict(found.done)
        assert done.pop("files compared with the manifest") > 20
        assert done == {
            "lines of the ledger sealed again": 15,
            "reasons compared with their digests": 3,
            "claims compared with the line that grants them": 5,
            "decisions calculated again by their rules": 5,
            "certificates compared with the line that issues them": 6,
            "certificates of course and programme compared with their line": 2,
            "signatures of certificates verified": 6,
            "badges verified": 6,
            "seals of PDFs verified": 6,
        }
        assert [words for words, number in found.notes.items() if number] == []

    def test_certificates_of_course_and_programme_are_there_by_number_and_hash(self, proven: Proven) -> None:
        make_missing(now=AFTER)
        files = packed(proven)
        rows = [line.split(",") for line in files["certificates_resting.csv"].decode().splitlines()[1:]]
        of_course = proven.certificates(kind="course", course=proven.activity.lesson.course)
        wanted = [*of_course, *proven.certificates(kind="programme")]
        assert sorted((row[1], row[2], row[7], row[11]) for row in rows) == sorted(
            (one.kind, one.number, bytes(one.file.sha256).hex(), digest_of(one.facts)) for one in wanted
        )
        (other,) = set(proven.certificates(kind="course")) - set(of_course)
        assert not any(other.number.encode() in content for content in files.values())
        assert b"certificates_resting.csv: certificates of the course and the programme" in files["README.txt"]

    def test_purged_evidence_and_files_that_are_not_there_are_told_and_no_difference(self, proven: Proven) -> None:
        make_missing(now=AFTER)
        gone = ClaimEvidence.objects.get(entry__claim=proven.claim)
        tamper("DELETE FROM certification_claimevidence WHERE id = %s", gone.pk)
        tamper("UPDATE certification_certificate SET facts = '{}' WHERE claim_id = %s", proven.claim.pk)
        found = checked(packed(proven))
        assert found.differences == []
        assert {words.split(":")[0]: number for words, number in found.notes.items() if number} == {
            "grants without their evidence": 1, "certificates whose facts were purged": 1,
            "PDFs that are not in the pack": 6,
        }  # fmt: skip

    def test_sec_31_a_file_s_record_that_its_key_did_not_sign_is_named(self, proven: Proven) -> None:
        make_missing(now=AFTER)
        own, course = proven.claim.certificates.get(), proven.certificates(course=proven.activity.lesson.course)[0]
        assert b"record of the file was altered: none" in packed(proven)["README.txt"]
        for one in (own, course):
            tamper("UPDATE certification_certificatefile SET sha256 = %s WHERE certificate_id = %s", b"f" * 32, one.pk)
        files = packed(proven)
        rows = {row[1]: row[7] for row in csv.reader(io.StringIO(files[PAPERS].decode("utf-8-sig")))}
        assert [number for number, said in rows.items() if said == ALTERED] == [own.number]
        assert (b"f" * 32).hex().encode() not in files[PAPERS] + files[RESTING]
        said = f"record of the file was altered: {own.number}, {course.number}"
        assert said.encode() in files["README.txt"]
        found = checked(files)
        assert {(one.file, one.where) for one in found.differences} == {
            (PAPERS, f"certificate {own.number}"), (RESTING, f"certificate {course.number}")
        }  # fmt: skip
        compare_with_site(found)
        assert f"the site's record of {own.number}" in {one.where for one in found.differences}

    def test_a_record_from_before_records_were_signed_is_told_and_no_difference(self, proven: Proven) -> None:
        make_missing(now=AFTER)
        tamper(
            "UPDATE certification_certificatefile SET signature = NULL WHERE certificate_id = %s",
            proven.claim.certificates.get().pk,
        )
        found = checked(packed(proven))
        assert found.differences == []
        assert found.notes["files whose record could not be checked: not signed, or the key is gone"] == 1


def text(name: str, old: str, new: str) -> tuple[str, Edit]:
    def edit(content: str) -> str:
        assert old in content
        return content.replace(old, new, 1)

    return name, edit


def without_line(name: str, number: int) -> tuple[str, Edit]:
    return name, lambda content: "".join(one for at, one in enumerate(content.splitlines(True)) if at != number)


class TestForgeries:
    """With a manifest and sums that fit: only what is calculated shows them."""

    @pytest.mark.parametrize(
        ("change", "where"),
        [
            (text(LINES, '"credits":"0.75"', '"credits":"1.00"'), {LINES, TABLE, WHY}),
            (text(LINES, '"text":"Another doctor"', '"text":"Anybody"'), {LINES, TABLE}),
            (text(LINES, '"reason":"sha256:', '"reason":"sha257:'), {LINES}),
            (text(LINES, '"actor":null', '"actor":1'), {LINES}),
            (text(LINES, '"credits":"0.75"', '"credits":"1","credits":"0.75"'), {LINES, TABLE, WHY, CLAIMS}),
            (without_line(LINES, 1), {TABLE, CLAIMS, WHY}),
            (text(TABLE, ",0.75,", ",1.00,"), {TABLE}),
            (text(TABLE, "Another doctor", "Another"), {TABLE}),
            (without_line(TABLE, 3), {TABLE}),
            (text(CLAIMS, ",accme,", ",eaccme,"), {CLAIMS}),
            (without_line(CLAIMS, 2), {CLAIMS}),
            (text(WHY, '"watched_seconds":2820', '"watched_seconds":3600'), {WHY}),
            (text(WHY, '"credit":"0.75"', '"credit":"1"'), {WHY}),
            (text(WHY, '"credits":"1.00"', '"credits":"2.00"'), {WHY}),
            (text(FACTS, "Meera Nair", "Meera Nain"), {FACTS, BADGES}),
            (without_line(FACTS, 0), {FACTS, BADGES}),
            (without_line(PAPERS, 1), {PAPERS, FACTS, BADGES}),
            (without_line(RESTING, 1), {PAPERS}),
            (text(KEYS, '"public_key": "', '"public_key": "00'), {KEYS, FACTS, BADGES}),
        ],
    )  # fmt: skip
    def test_a_changed_file_is_named(self, files: dict[str, bytes], change: tuple[str, Edit], where: set[str]) -> None:
        name, edit = change
        files[name] = edit(files[name].decode()).encode()
        assert named(checked(files)) == where

    @pytest.mark.parametrize("column", range(12))
    def test_every_column_of_a_certificate_that_can_be_calculated(self, files: dict[str, bytes], column: int) -> None:
        """What the ledger or the signature says; the rest (kind, edition, day, size) only the manifest holds."""
        said = files["certificates_resting.csv"].decode().splitlines()
        row = said[1].split(",")
        row[column] = "x" * len(row[column])
        said[1] = ",".join(row)
        files["certificates_resting.csv"] = "\r\n".join([*said, ""]).encode()
        assert (named(checked(files)) != set()) == (column in {0, 2, 5, 11})

    def test_a_signature_or_code_of_another_certificate(self, files: dict[str, bytes]) -> None:
        before = dict(files)
        for column in (2, 9, 10):
            files = dict(before)
            rows = [line.split(",") for line in files["certificates.csv"].decode().splitlines()]
            rows[1][column] = rows[2][column] if column != 9 else "0" * 64
            files["certificates.csv"] = "".join(",".join(row) + "\r\n" for row in rows).encode()
            assert "certificate_facts.jsonl" in named(checked(files))

    def test_each_part_of_a_badge(self, files: dict[str, bytes]) -> None:
        first = json.loads(files["badges.jsonl"].splitlines()[0])["badge"]
        for part in range(3):
            parts = first.split(".")
            at = len(parts[part]) // 2
            parts[part] = parts[part][:at] + ("A" if parts[part][at] != "A" else "B") + parts[part][at + 1 :]
            changed = {**files, "badges.jsonl": files["badges.jsonl"].replace(first.encode(), ".".join(parts).encode())}
            assert named(checked(changed)) == {"badges.jsonl"}

    def test_a_badge_of_somebody_else_under_this_number(self, files: dict[str, bytes]) -> None:
        one, two = (json.loads(line) for line in files["badges.jsonl"].splitlines()[:2])
        lines = files["badges.jsonl"].splitlines(keepends=True)
        files["badges.jsonl"] = b"".join([json_line({**one, "badge": two["badge"]}), *lines[1:]])
        assert named(checked(files)) == {"badges.jsonl"}

    def test_bytes_of_pdfs(self, proven: Proven) -> None:
        make_missing(now=AFTER)
        files = packed(proven, has_pdfs=True)
        (name, *others) = sorted(name for name in files if name.startswith("pdf/"))
        for at in (9, len(files[name]) // 2, len(files[name]) - 20):
            pdf = bytearray(files[name])
            pdf[at] ^= 1
            assert named(checked({**files, name: bytes(pdf)})) == {name}
        assert named(checked({**files, name: files[others[0]]})) == {name}
        assert named(checked({key: value for key, value in files.items() if key != name})) == {"pdf/"}

    def test_a_ledger_sealed_anew_as_a_whole_is_found_by_its_rules(self, proven: Proven) -> None:
        """Every hash fits, in every file: the evidence gives no more credit for that."""
        files = packed(proven)
        lines = ledger(files)
        sealed_anew(files, lines)
        assert checked(files).differences == []
        (mine,) = [one for one in lines if one["content"]["claim"] == proven.claim.pk and one["content"]["credits"]]
        mine["content"]["credits"] = "1.00"
        mine["content"]["details"]["computed"] = "1"
        sealed_anew(files, lines)
        files["ledger.csv"] = files["ledger.csv"].replace(b",0.75,", b",1.00,", 1)
        found = checked(files)
        assert [(one.file, one.what) for one in found.differences] == [
            ("claim_evidence.jsonl", "the rules decide 0.75, and not 1 in the way that the ledger says"),
            ("claim_evidence.jsonl", "the ledger grants 1, the rules 0.75"),
        ]

    def test_lines_sealed_anew_whose_times_run_backwards(self, files: dict[str, bytes]) -> None:
        lines = ledger(files)
        before, lines[4]["content"]["at"] = lines[4]["content"]["at"], "2020-01-01T00:00:00.000000+00:00"
        sealed_anew(files, lines)
        files["ledger.csv"] = files["ledger.csv"].replace(b"5,2026-03-05 20:00:00", b"5,2020-01-01 00:00:00", 1)
        assert before.startswith("2026-03-05T20:00:00")
        assert [one.what for one in checked(files).differences] == ["is older than the line before it"]

    def test_rules_that_nobody_knows(self, files: dict[str, bytes]) -> None:
        lines = ledger(files)
        lines[0]["content"]["details"]["version"] = "1999"
        sealed_anew(files, lines)
        assert [one.what for one in checked(files).differences] == ["this program does not know the rules accme 1999"]

    @pytest.mark.parametrize(
        "name", ["ledger.jsonl", "claim_evidence.jsonl", "certificate_facts.jsonl", "badges.jsonl"]
    )
    @pytest.mark.parametrize("nonsense", [b"\xff\n", b"[]\n", b"{}\n", b'{"line":1}\n', b"[" * 100_000 + b"\n"])
    def test_nonsense_is_a_difference_and_no_crash(self, files: dict[str, bytes], name: str, nonsense: bytes) -> None:
        files[name] = nonsense + files[name]
        assert name in named(checked(files))

    @pytest.mark.parametrize("name", ["ledger.csv", "claims.csv", "certificates.csv", "certificates_resting.csv"])
    def test_nonsense_in_tables(self, files: dict[str, bytes], name: str) -> None:
        files[name] += b'"\x00'
        assert name in named(checked(files))


class TestTheSite:
    def compared(self, files: dict[str, bytes]) -> Recheck:
        found = checked(files)
        compare_with_site(found)
        return found

    def test_its_own_pack_holds_also_after_it_went_on(self, proven: Proven) -> None:
        make_missing(now=AFTER)
        files = packed(proven)
        make_proven()
        found = self.compared(files)
        assert found.differences == []
        assert (found.done["lines compared with this site's ledger"], found.done["PDFs of this site verified"]) == (
            15,
            6,
        )

    def test_a_ledger_sealed_anew_is_another_one(self, proven: Proven) -> None:
        files = packed(proven)
        lines = ledger(files)
        lines[3]["content"]["reason"] = "Something"
        sealed_anew(files, lines)
        files["ledger.csv"] = b""
        found = self.compared(files)
        assert ("ledger.jsonl", "is another one in this site's ledger") in {
            (one.file, one.what) for one in found.differences
        }

    def test_keys_head_and_chain_of_somebody_else(self, proven: Proven) -> None:
        files = packed(proven)
        key = Ed25519PrivateKey.generate().public_key()
        foreign = {"fingerprint": fingerprint(key), "public_key": key.public_bytes_raw().hex()}
        said = json.loads(files["keys.json"])
        files["keys.json"] = canonical({"keys": [*said["keys"], foreign]})
        manifest = json.loads(files[MANIFEST])
        manifest["published_head"] = {**manifest["published_head"], "on": "2020-01-01"}
        files[MANIFEST] = canonical(manifest)
        assert {one.what for one in self.compared(files).differences} == {
            "is no key of this site", "is no head that this site published"
        }  # fmt: skip
        for wrong in ({"id": "nonsense", "length": 99, "head": ""}, "nonsense"):
            manifest["chain"] = wrong
            files[MANIFEST] = canonical(manifest)
            assert "is no ledger of this site" in {one.what for one in self.compared(files).differences}

    def test_a_file_in_the_storage_that_was_exchanged(self, proven: Proven, tmp_path: Path) -> None:
        make_missing(now=AFTER)
        files = packed(proven)
        row = CertificateFile.objects.get(certificate__claim=proven.claim)
        tamper("UPDATE certification_certificatefile SET sha256 = %s WHERE certificate_id = %s", b"x" * 32, row.pk)
        found = self.compared(files)
        record = "was not signed by the certificate's key"
        assert [one.what for one in found.differences] == [record]
        assert found.notes["PDFs that this site does not have now"] == 1
        other = CertificateFile.objects.exclude(pk=row.pk).first()
        assert other is not None
        tamper(
            "UPDATE certification_certificatefile SET sha256 = %s, stored_as = %s WHERE certificate_id = %s",
            bytes(other.sha256), other.stored_as, row.pk,
        )  # fmt: skip
        told = [one.what for one in self.compared(files).differences]
        assert told == [record, "is not the file whose SHA-256 is in certificates.csv"]


class TestTheCommand:
    def test_it_says_what_was_done_and_nothing_differs(self, proven: Proven, tmp_path: Path, capsys: Any) -> None:
        make_missing(now=AFTER)
        path = tmp_path / "pack.zip"
        call_command("evidence", str(proven.activity.pk), "--to", str(path), "--pdfs")
        call_command("evidence", "check", str(path), "--site")
        told = capsys.readouterr().out
        assert "        5  decisions calculated again by their rules" in told
        assert "       15  lines compared with this site's ledger" in told
        assert "Nothing differs: the pack is as it was made. Ledger: 16 lines" in told

    def test_the_first_differences_in_plain_words_and_the_code_is_1(
        self, proven: Proven, tmp_path: Path, capsys: Any
    ) -> None:
        files = packed(proven)
        files["ledger.csv"] = b"a\r\n" + b"1,2\r\n" * 30
        files["people.csv"] = b"\x1b[2J"
        path = tmp_path / "pack.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        with pytest.raises(SystemExit) as stopped:
            call_command("evidence", "check", str(path))
        told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("DIFFERS") or "above" in line]
        assert stopped.value.code == 1
        assert told[:2] == [
            "DIFFERS  'people.csv', the file: has another length than when the pack was made.",
            "DIFFERS  'ledger.csv', the file: has another length than when the pack was made.",
        ]
        assert len(told) == 21
        assert told[-1].endswith("differences, of which the first 20 stand above.")


def test_lines_of_the_ledger_are_those_of_the_database(proven: Proven) -> None:
    numbers = [one["content"]["number"] for one in ledger(packed(proven))]
    apart = LedgerEntry.objects.exclude(number__in=numbers).get()
    assert apart.certificate is not None
    assert apart.certificate.course != proven.activity.lesson.course
