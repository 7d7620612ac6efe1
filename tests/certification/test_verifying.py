"""What the world is told of a certificate, and what it is not told."""

import base64
import hashlib
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django_redis import get_redis_connection

from certification.domain.badges import badge_of
from certification.domain.checking import Verdict, check_file
from certification.domain.files import make_file, pdf_of
from certification.domain.issuing import issue, reissue, revoke
from certification.domain.keys import newest_key
from certification.domain.publishing import publish_heads
from certification.models import Certificate
from certification.printing.badge import read
from certification.printing.signature import inspect
from tests.certification.earned import NOW, claim_of, issuing_programme
from tests.certification.ledgers import purge, tamper

pytestmark = pytest.mark.django_db
NOBODYS = "A" * 26


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> None:
    options = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "media": options}


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    cache.clear()
    get_redis_connection("default").flushdb()


@pytest.fixture
def certificate() -> Certificate:
    return issue(of=claim_of(issuing_programme()), now=NOW)


def page_of(certificate: Certificate) -> str:
    response = Client().get(f"/verify/{certificate.public_id}/")
    assert response.status_code == 200
    return response.content.decode()


class TestThePage:
    def test_a_valid_one_and_the_few_facts_that_are_needed(self, certificate: Certificate) -> None:
        page = page_of(certificate)
        assert "This certificate is valid" in page
        for words in ("Dr Amelia Okonkwo", "Heart failure in primary care", "0.75", "22 November 2026", "Society of"):
            assert words in page
        assert certificate.number in page
        assert "Line 2 of the ledger" in page
        assert "seal has not been published yet" in page

    def test_sec_28_nothing_else_leaks(self, certificate: Certificate) -> None:
        revoke(certificate=certificate, reason="Somebody else watched", actor=None, now=NOW)
        page = page_of(certificate)
        user = certificate.user
        private = (user.email, "GMC 7412589", "General Medical Council", "Somebody else", "APPROVAL-1", "Cardiology")
        assert [words for words in private if words in page] == []

    def test_the_newest_published_head_above_it_is_named(self, certificate: Certificate) -> None:
        publish_heads(now=NOW)
        assert "Sealed by what was published on 22 November 2026, up to line 2." in page_of(certificate)

    def test_a_revoked_one_says_so_with_its_facts(self, certificate: Certificate) -> None:
        revoke(certificate=certificate, reason="Wrong", actor=None, now=NOW)
        page = page_of(certificate)
        assert ("This certificate was revoked" in page, "is valid" in page) == (True, False)
        assert "It does not count any more since 22 November 2026." in page

    def test_a_replaced_one_says_so_and_does_not_name_the_new_one(self, certificate: Certificate) -> None:
        newer = reissue(certificate=certificate, reason="Name", actor=None, now=NOW)
        page = page_of(certificate)
        assert "This certificate was replaced" in page
        assert (newer.public_id in page, newer.number in page) == (False, False)
        assert "This certificate is valid" in page_of(newer)

    @pytest.mark.parametrize(
        "column", ["facts = jsonb_set(facts, '{facts,holder}', '\"Dr Impostor\"')", "signature = decode('00', 'hex')"]
    )
    def test_sec_28_an_altered_one_says_so_and_shows_nothing_of_it(self, certificate: Certificate, column: str) -> None:
        tamper(f"UPDATE certification_certificate SET {column}")
        page = page_of(certificate)
        assert "Do not rely on this certificate" in page
        assert ("Impostor" in page, "Okonkwo" in page, "is valid" in page) == (False, False, False)

    def test_a_line_missing_in_the_ledger_is_told(self, certificate: Certificate) -> None:
        tamper("DELETE FROM certification_ledgerentry WHERE certificate_id = %s", certificate.pk)
        page = page_of(certificate)
        assert ("Do not rely on this certificate" in page, "It is missing there." in page) == (True, True)

    def test_purged_facts_leave_number_and_state(self, certificate: Certificate) -> None:
        purge()
        page = page_of(certificate)
        assert (certificate.number in page, "Okonkwo" in page) == (True, False)


class TestCodes:
    @pytest.mark.parametrize("typed", ["{}", " {} ", "{lower}", "{grouped}", "{misread}"])
    def test_however_it_is_typed(self, certificate: Certificate, typed: str) -> None:
        code = certificate.public_id
        grouped = "-".join(re.findall(".{1,4}", code))
        misread = code.translate(str.maketrans("OIB", "018"))
        text = typed.format(code, lower=code.lower(), grouped=grouped, misread=misread)
        response = Client().get("/verify/", {"code": text})
        assert (response.status_code, response["Location"]) == (302, f"/verify/{code}/")

    def test_nothing_typed_asks_again(self) -> None:
        assert "Please type the code." in Client().get("/verify/?code=").content.decode()

    @pytest.mark.parametrize("mistyped", ["x", "%00", "A" * 25, "A" * 27, "日本", "A" * 4000, "'; DROP"])
    def test_sec_28_an_unknown_code_and_a_mistyped_one_get_the_same_answer(
        self, certificate: Certificate, mistyped: str, django_assert_num_queries: Any
    ) -> None:
        """Byte for byte, but for the token of the form and the nonce; and by the same queries."""
        near = certificate.public_id[:-1] + ("A" if certificate.public_id[-1] != "A" else "B")
        answers = []
        for code in (NOBODYS, near, mistyped):
            with django_assert_num_queries(1):
                response = Client().get(f"/verify/{code}/")
            text = re.sub(r'(nonce|value)="[^"]*"', "", response.content.decode())
            answers.append((response.status_code, text))
        assert answers[0][0] == 404
        assert answers[0] == answers[1] == answers[2]
        assert "No certificate has this code" in answers[0][1]

    def test_sec_28_whoever_tries_many_is_stopped(self, certificate: Certificate) -> None:
        browser = Client()
        answers = [browser.get(f"/verify/{NOBODYS}/").status_code for _ in range(61)]
        assert answers == [404] * 60 + [429]
        stopped = browser.get(f"/verify/{certificate.public_id}/")
        assert (stopped.status_code, 1 <= int(stopped["Retry-After"]) <= 60) == (429, True)
        assert Client(REMOTE_ADDR="192.0.2.9").get(f"/verify/{certificate.public_id}/").status_code == 200

    def test_no_search_engine_and_no_cache_keeps_it(self, certificate: Certificate) -> None:
        for address in ("/verify/", f"/verify/{certificate.public_id}/", f"/verify/{NOBODYS}/"):
            response = Client().get(address)
            assert response["X-Robots-Tag"] == "noindex, nofollow"
            assert "no-store" in response["Cache-Control"]


class TestFiles:
    def checked(self, data: bytes) -> Any:
        return Client().post("/verify/check/", {"file": SimpleUploadedFile("c.pdf", data)})

    def said(self, data: bytes) -> str:
        found = re.search(r"<p><strong>([^<]*)</strong></p>", self.checked(data).content.decode())
        assert found is not None
        return found[1]

    def test_as_it_was_issued(self, certificate: Certificate) -> None:
        make_file(certificate_id=certificate.pk, now=NOW)
        assert self.said(pdf_of(certificate)) == "This file is the certificate as it was issued"

    def test_that_of_a_revoked_one_is_no_good_news(self, certificate: Certificate) -> None:
        make_file(certificate_id=certificate.pk, now=NOW)
        revoke(certificate=certificate, reason="Wrong", actor=None, now=NOW)
        response = Client().post("/verify/check/", {"file": SimpleUploadedFile("c.pdf", pdf_of(certificate))})
        assert "<p>Revoked</p>" in response.content.decode()

    def test_sec_28_one_changed_byte_anywhere_is_found(self, certificate: Certificate) -> None:
        make_file(certificate_id=certificate.pk, now=NOW)
        pdf = pdf_of(certificate)
        for at in (50, len(pdf) // 2, len(pdf) - 400):
            changed = pdf[:at] + bytes([pdf[at] ^ 1]) + pdf[at + 1 :]
            assert self.said(changed) == "This file was altered"
        assert self.said(pdf + b"\n%appended") == "This file was altered"

    def test_sec_28_a_hundred_places_of_a_file_that_was_issued(self, certificate: Certificate) -> None:
        make_file(certificate_id=certificate.pk, now=NOW)
        pdf = pdf_of(certificate)
        verdicts = Counter(
            check_file(pdf[:at] + bytes([pdf[at] ^ (1 << at % 8)]) + pdf[at + 1 :]).verdict
            for at in range(0, len(pdf), len(pdf) // 100)
        )
        assert check_file(pdf).verdict == Verdict.ISSUED
        assert set(verdicts) <= {Verdict.ALTERED, Verdict.FOREIGN}  # foreign: where the seal itself begins
        assert verdicts[Verdict.ALTERED] > 95

    def test_a_file_is_looked_up_by_its_hash_through_an_index(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("EXPLAIN SELECT 1 FROM certification_certificatefile WHERE sha256 = %s", [b"x" * 32])
            plan = " ".join(row[0] for row in cursor.fetchall())
        assert "certification_file_sha256" in plan

    def test_sec_28_a_forged_record_makes_no_certificate_of_a_forged_file(self, certificate: Certificate) -> None:
        """Whoever can write the row cannot sign: what says "as it was issued" is the file's seal and the key's word."""
        make_file(certificate_id=certificate.pk, now=NOW)
        forged = b"%PDF-1.7 Dr Impostor"
        self.record_as(forged)
        assert self.said(forged) == "This file is no certificate of this site"
        changed = pdf_of(certificate).replace(b"%PDF-1.7", b"%PDF-1.6")
        self.record_as(changed)
        assert self.said(changed) == "This file was altered"

    def test_sec_28_nor_of_a_foreign_seal_or_of_another_ones_file(
        self, certificate: Certificate, settings: Any
    ) -> None:
        other = issue(of=claim_of(certificate.programme), now=NOW)
        theirs = pdf_of(other)
        make_file(certificate_id=certificate.pk, now=NOW)
        self.record_as(theirs)
        assert self.said(theirs) == "This file was sealed here and not changed"
        row = make_file(certificate_id=other.pk, now=NOW)
        assert row is not None
        tamper("UPDATE certification_certificatefile SET signature = %s", bytes(row.signature or b""))
        assert self.said(theirs) == "This file is the certificate as it was issued"
        assert self.checked(theirs).context["certificate"] == other
        tamper("DELETE FROM certification_certificatefile WHERE certificate_id = %s", other.pk)
        assert self.said(theirs) == "This file was sealed here and not changed"
        settings.CERTIFICATE_KEYS = (bytes(range(32)),)
        assert self.said(theirs) == "This file was sealed by a key that this site does not know any more"

    def record_as(self, pdf: bytes) -> None:
        tamper("UPDATE certification_certificatefile SET sha256 = %s", hashlib.sha256(pdf).digest())

    def test_a_key_has_one_name_in_files_certificates_and_lists(self, certificate: Certificate) -> None:
        raw = newest_key().private.public_key().public_bytes_raw()
        assert inspect(pdf_of(certificate)).fingerprint == certificate.key_fingerprint
        assert certificate.key_fingerprint == hashlib.sha256(raw).hexdigest()
        shown = json.loads(Client().get("/.well-known/did.json").content)["verificationMethod"][0]["publicKeyJwk"]["x"]
        assert base64.urlsafe_b64decode(shown + "=") == raw

    def test_sealed_here_without_a_record_of_the_file(self, certificate: Certificate) -> None:
        assert self.said(pdf_of(certificate)) == "This file was sealed here and not changed"

    def test_sealed_by_a_key_that_is_gone_and_by_somebody_else(self, certificate: Certificate, settings: Any) -> None:
        pdf = pdf_of(certificate)
        settings.CERTIFICATE_KEYS = (bytes(range(32)),)
        assert self.said(pdf) == "This file was sealed by a key that this site does not know any more"
        tamper("UPDATE certification_certificate SET key_fingerprint = repeat('0', 64)")
        assert self.said(pdf) == "This file is no certificate of this site"

    @pytest.mark.parametrize("data", [b"%PDF-1.7 hello", b"\x89PNG", b"/ByteRange", b"<html>"])
    def test_anything_else(self, data: bytes) -> None:
        assert self.said(data) == "This file is no certificate of this site"

    @pytest.mark.parametrize("size", [0, 5 * 2**20 + 1])
    def test_nothing_and_too_much(self, size: int) -> None:
        response = Client().post("/verify/check/", {"file": SimpleUploadedFile("c.pdf", bytes(size))})
        assert (response.status_code, "of at most 5 MB" in response.content.decode()) == (400, True)

    def test_no_file_at_all(self) -> None:
        assert Client().post("/verify/check/", {"file": "text"}).status_code == 400

    def test_only_so_many(self) -> None:
        browser = Client()
        answers = [browser.post("/verify/check/").status_code for _ in range(21)]
        assert answers == [400] * 20 + [429]


class TestTheBadge:
    def test_is_signed_by_a_key_that_the_site_publishes(self, certificate: Certificate) -> None:
        response = Client().get(f"/verify/{certificate.public_id}/badge/")
        assert response["Content-Type"] == "application/vc+jwt"
        token = response.content.decode()
        document = read(token, keys=[newest_key().private.public_key()])
        assert document["credentialSubject"]["achievement"]["name"] == "Heart failure in primary care"
        keys = json.loads(Client().get("/.well-known/did.json").content)
        assert keys["id"] == document["issuer"]["id"] == "did:web:127.0.0.1%3A8000"
        assert len(keys["verificationMethod"]) == 1
        assert token == badge_of(certificate)

    def test_its_status_says_whether_it_was_revoked(self, certificate: Certificate) -> None:
        key = newest_key().private.public_key()
        address = f"/verify/{certificate.public_id}/badge/status/"
        before = read(Client().get(address).content.decode(), keys=[key])["credentialSubject"]["encodedList"]
        revoke(certificate=certificate, reason="Wrong", actor=None, now=NOW)
        after = read(Client().get(address).content.decode(), keys=[key])["credentialSubject"]["encodedList"]
        assert before != after

    def test_sec_28_an_altered_certificate_has_none(self, certificate: Certificate) -> None:
        tamper("UPDATE certification_certificate SET facts = jsonb_set(facts, '{facts,holder}', '\"Dr Impostor\"')")
        assert Client().get(f"/verify/{certificate.public_id}/badge/").status_code == 404

    def test_an_unknown_one_has_none(self) -> None:
        assert Client().get(f"/verify/{NOBODYS}/badge/").status_code == 404
        assert Client().get(f"/verify/{NOBODYS}/badge/status/").status_code == 404
