"""The heads that the world is told: what the command finds, what is published and where."""

import json
import threading
import urllib.request
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import boto3
import pytest
import structlog
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client
from moto.server import ThreadedMotoServer

from certification.domain.issuing import issue
from certification.domain.publishing import LOCKED_DAYS, publish_heads
from certification.models import Chain, LedgerEntry, PublishedHead
from certification.tasks import publish_heads as task
from tests.certification.earned import claim_of, issuing_programme
from tests.certification.ledgers import grant_many, tamper
from tests.factories.courses import ProgrammeFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
PATIENCE_SECONDS = 30.0


def told(*arguments: str) -> tuple[str, int]:
    out, code = StringIO(), 0
    try:
        call_command("ledger", *arguments, stdout=out, stderr=StringIO())
    except SystemExit as end:
        code = int(end.code or 0)
    return out.getvalue(), code


def cut(lines: list[LedgerEntry], to: int) -> None:
    """With what was granted by the lines, and what was published of them."""
    tamper("DELETE FROM certification_publishedhead")
    tamper("DELETE FROM certification_ledgerentry WHERE number > %s", to)
    tamper("DELETE FROM certification_claim WHERE id NOT IN (SELECT claim_id FROM certification_ledgerentry)")
    tamper("UPDATE certification_chain SET length = %s, head = %s", to, lines[to - 1].hash)


class TestTheCommand:
    def test_a_ledger_that_holds_is_named_with_its_head(self) -> None:
        lines = grant_many(ProgrammeFactory.create(slug="cardiology"), 3)
        text, code = told("verify")
        assert code == 0
        assert text.startswith(f"cardiology: 3 lines hold, head {bytes(lines[2].hash).hex()}\n1 ledgers looked over in")

    def test_the_first_broken_line_is_named_in_words_and_the_code_is_1(self) -> None:
        grant_many(ProgrammeFactory.create(slug="sound"), 2)
        grant_many(ProgrammeFactory.create(slug="broken"), 4)
        tamper(
            "UPDATE certification_ledgerentry SET credits = 9 WHERE number >= 3 AND programme_id ="
            " (SELECT id FROM courses_programme WHERE slug = 'broken')"
        )
        text, code = told("verify")
        assert code == 1
        said = "broken: BROKEN: line 3 says something else than when it was sealed. 2 lines before it hold."
        assert said in text.splitlines()
        assert told("verify", "--programme", "sound")[1] == 0
        assert told("verify", "--programme", "broken")[1] == 1

    def test_for_machines(self) -> None:
        programme = ProgrammeFactory.create(slug="cardiology")
        lines = grant_many(programme, 2)
        found = json.loads(told("verify", "--json")[0])
        assert found.pop("seconds") >= 0
        head = bytes(lines[1].hash).hex()
        one = {"programme": "cardiology", "length": 2, "head": head, "flaw": None}
        assert found == {"ledgers": [one], "lost": [], "holds": True}
        tamper("DELETE FROM certification_ledgerentry WHERE number = 2")
        text, code = told("verify", "--json")
        words = "line 2 and what came after it were taken away"
        assert (json.loads(text)["ledgers"][0]["flaw"], code) == ({"line": 2, "what": "cut", "words": words}, 1)

    def test_a_programme_that_does_not_exist_is_no_ledger_that_holds(self) -> None:
        ProgrammeFactory.create(slug="cardiology")
        with pytest.raises(CommandError, match="There is: cardiology"):
            told("verify", "--programme", "cardiolgy")

    def test_sec_31_a_ledger_set_back_as_a_whole_is_found_by_what_was_published(self) -> None:
        """Nobody may take the newest lines away, not even who owns the database and puts the chain right."""
        programme = ProgrammeFactory.create(slug="cardiology")
        lines = grant_many(programme, 3)
        told("publish")
        tamper("DELETE FROM certification_ledgerentry WHERE number = 3")
        tamper("UPDATE certification_chain SET length = 2, head = %s", lines[1].hash)
        text, code = told("verify")
        assert (code, "cardiology: BROKEN: line 3 and what came after it were taken away" in text) == (1, True)

    def test_a_ledger_of_which_nothing_is_left_but_its_heads_is_looked_over_too(self) -> None:
        grant_many(ProgrammeFactory.create(slug="gone"), 2)
        told("publish")
        tamper("DELETE FROM certification_ledgerentry")
        tamper("DELETE FROM certification_chain")
        text, code = told("verify")
        assert (code, "gone: BROKEN: line 1 and what came after it were taken away" in text) == (1, True)

    def test_sec_31_a_ledger_of_which_the_chain_is_gone_is_looked_over_all_the_same(self) -> None:
        grant_many(ProgrammeFactory.create(slug="cardiology"), 3)
        tamper("DELETE FROM certification_chain")
        text, code = told("verify")
        assert (code, "cardiology: BROKEN: " in text, "1 ledgers looked over" in text) == (1, True, True)

    def test_sec_31_a_ledger_gone_with_its_chain_and_all_that_was_published_leaves_what_no_line_speaks_of(self) -> None:
        issue(of=claim_of(issuing_programme(slug="cardiology")), now=NOW)
        told("publish")
        for table in ("ledgerentry", "chain", "publishedhead"):
            tamper(f"DELETE FROM certification_{table}")
        text, code = told("verify")
        text = text.partition("\n")[0]
        said = "cardiology: BROKEN: no line speaks of a claim or certificate that is there: "
        assert (code, said in text) == (1, True)
        tamper("DELETE FROM certification_claim")
        again, code = told("verify")
        assert (again.partition("\n")[0], code) == (text, 1)  # by the certificate
        tamper("DELETE FROM certification_certificate")
        assert told("verify")[1] == 0


class TestWhatWasKeptElsewhere:
    """Who owns the database takes the newest lines and the published heads away, and sets the chain back."""

    def cut(self, lines: list[LedgerEntry], to: int) -> None:
        cut(lines, to)
        assert told("verify")[1] == 0

    def kept(self, path: Path, *, now: datetime = NOW) -> Path:
        """What a log in JSON has of a day, between other lines."""
        with structlog.testing.capture_logs() as logs:
            publish_heads(now=now)
        others = ['{"event": "request", "chain": 3}', 'no JSON with "chain"', '{"event": "other", "chain": "x"}']
        path.write_text("\n".join([*others, *(json.dumps(line) for line in logs), ""]))
        return path

    def test_sec_31_deleting_the_newest_lines_is_found_by_the_log(self, tmp_path: Path) -> None:
        lines = grant_many(ProgrammeFactory.create(slug="cardiology"), 3)
        log = self.kept(tmp_path / "site.log")
        assert told("verify", "--kept", str(log))[1] == 0
        self.cut(lines, 2)
        text, code = told("verify", "--kept", str(log))
        assert (code, "cardiology: BROKEN: line 3 and what came after it were taken away" in text) == (1, True)

    def test_a_history_that_was_written_anew_is_found_by_the_log(self, tmp_path: Path) -> None:
        programme = ProgrammeFactory.create(slug="cardiology")
        lines = grant_many(programme, 3)
        log = self.kept(tmp_path / "site.log")
        self.cut(lines, 1)
        grant_many(programme, 4)
        text, code = told("verify", "--kept", str(log))
        assert (code, "the lines up to number 3 are not those that were published" in text) == (1, True)

    def test_a_chain_that_is_gone_altogether_is_named(self, tmp_path: Path) -> None:
        grant_many(ProgrammeFactory.create(), 1)
        log, chain = self.kept(tmp_path / "site.log"), Chain.objects.get()
        for table in ("publishedhead", "ledgerentry", "chain"):
            tamper(f"DELETE FROM certification_{table}")
        text, code = told("verify", "--kept", str(log))
        assert (code, f"BROKEN: heads of the chain {chain.public_id} were kept, and it is not here." in text) == (
            1,
            True,
        )
        assert json.loads(told("verify", "--json", "--kept", str(log))[0])["lost"] == [str(chain.public_id)]

    def test_a_day_that_was_missed_is_vouched_for_by_the_next(self, tmp_path: Path) -> None:
        programme = ProgrammeFactory.create(slug="cardiology")
        grant_many(programme, 1)
        first = self.kept(tmp_path / "monday.log")
        lines = [*LedgerEntry.objects.all(), *grant_many(programme, 2)]
        third = self.kept(tmp_path / "wednesday.log", now=NOW + timedelta(days=2))
        heads = PublishedHead.objects.order_by("published_on").values_list("published_on", "length")
        assert list(heads) == [(date(2026, 11, 22), 1), (date(2026, 11, 24), 3)]
        self.cut(lines, 2)
        assert told("verify", "--kept", str(first))[1] == 0
        assert told("verify", "--kept", str(first), str(third))[1] == 1

    def test_a_file_without_any_head_is_no_proof(self, tmp_path: Path) -> None:
        path = tmp_path / "empty.log"
        path.write_text("nothing\n")
        for wrong in (path, tmp_path / "nowhere.log"):
            with pytest.raises(CommandError):
                told("verify", "--kept", str(wrong))
        with pytest.raises(CommandError, match="LEDGER_BUCKET"):
            told("verify", "--bucket")


class TestPublishing:
    def test_once_a_day_and_only_of_ledgers_with_lines(self) -> None:
        lines = grant_many(ProgrammeFactory.create(), 2)
        Chain.objects.create(programme=ProgrammeFactory.create(), head=bytes(32))
        assert len(publish_heads(now=NOW)) == 1
        assert publish_heads(now=NOW + timedelta(hours=14)) == []
        head = PublishedHead.objects.get()
        assert (head.published_on, head.length, bytes(head.hash)) == (date(2026, 11, 22), 2, lines[1].hash)
        assert len(publish_heads(now=NOW + timedelta(days=1))) == 1

    def test_the_log_has_it_without_the_programmes_name(self) -> None:
        lines = grant_many(ProgrammeFactory.create(slug="secret-drug", title="Secret drug"), 1)
        with structlog.testing.capture_logs() as logs:
            publish_heads(now=NOW)
        line = next(one for one in logs if one["event"] == "certification.head_published")
        assert (line["length"], line["hash"]) == (1, bytes(lines[0].hash).hex())
        assert line["chain"] == str(Chain.objects.get().public_id)
        assert "secret" not in str(line).lower()

    def test_the_task_does_it(self) -> None:
        grant_many(ProgrammeFactory.create(), 1)
        assert (task(), task()) == (1, 0)

    def test_the_command_says_what_it_published(self) -> None:
        lines = grant_many(ProgrammeFactory.create(), 1)
        chain = Chain.objects.get()
        assert told("publish") == (f"{chain.public_id}: 1 lines, {bytes(lines[0].hash).hex()}\n", 0)
        assert told("publish") == ("", 0)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    _host, port = moto.get_host_and_port()
    yield f"http://127.0.0.1:{port}"
    moto.stop()


@pytest.fixture
def bucket(server: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    urllib.request.urlopen(urllib.request.Request(f"{server}/moto-api/reset", method="POST"), timeout=30).close()
    settings.AWS_ENDPOINT_URL = server
    settings.LEDGER_BUCKET = "heads"
    return boto3.client("s3", endpoint_url=server, region_name=settings.AWS_REGION)


class TestTheBucket:
    def test_a_copy_that_nobody_can_delete_for_years(self, bucket: Any, settings: Any) -> None:
        place = {"LocationConstraint": settings.AWS_REGION}
        bucket.create_bucket(Bucket="heads", ObjectLockEnabledForBucket=True, CreateBucketConfiguration=place)
        lines = grant_many(ProgrammeFactory.create(), 2)
        publish_heads(now=NOW)
        chain, head = Chain.objects.get(), PublishedHead.objects.get()
        name = f"ledger/{chain.public_id}/2026-11-22.json"
        assert head.stored_as == f"s3://heads/{name}"
        kept = bucket.get_object(Bucket="heads", Key=name)
        assert json.loads(kept["Body"].read()) == {
            "chain": str(chain.public_id),
            "length": 2,
            "hash": bytes(lines[1].hash).hex(),
            "published_on": "2026-11-22",
        }
        assert kept["ObjectLockMode"] == "COMPLIANCE"
        assert kept["ObjectLockRetainUntilDate"].date() == (NOW + timedelta(days=LOCKED_DAYS)).date()

    def test_sec_31_deleting_the_newest_lines_is_found_by_the_copy(self, bucket: Any, settings: Any) -> None:
        """Also by one that somebody hid behind a newer version of the object."""
        place = {"LocationConstraint": settings.AWS_REGION}
        bucket.create_bucket(Bucket="heads", ObjectLockEnabledForBucket=True, CreateBucketConfiguration=place)
        lines = grant_many(ProgrammeFactory.create(slug="cardiology"), 3)
        publish_heads(now=NOW)
        assert told("verify", "--bucket")[1] == 0
        cut(lines, 2)
        assert told("verify")[1] == 0
        assert told("verify", "--bucket")[1] == 1
        bucket.put_object(
            Bucket="heads", Key=f"ledger/{Chain.objects.get().public_id}/2026-11-22.json", Body=b"{}",
            ChecksumAlgorithm="SHA256",
        )  # fmt: skip
        text, code = told("verify", "--bucket")
        assert (code, "line 3 and what came after it were taken away" in text) == (1, True)

    def test_a_bucket_that_cannot_be_read_is_no_ledger_that_holds(self, bucket: Any) -> None:
        grant_many(ProgrammeFactory.create(), 1)
        with pytest.raises(CommandError, match="could not be read"):
            told("verify", "--bucket")

    def test_without_the_bucket_the_page_and_the_log_have_it_still(self, bucket: Any) -> None:
        """It was never made: S3 answers that there is none."""
        grant_many(ProgrammeFactory.create(), 1)
        with structlog.testing.capture_logs() as logs:
            assert len(publish_heads(now=NOW)) == 1
        assert [one["event"] for one in logs] == ["certification.head_not_stored", "certification.head_published"]
        assert PublishedHead.objects.get().stored_as == ""


class TestThePage:
    def test_everybody_reads_it_and_it_names_no_programme(self) -> None:
        programme = ProgrammeFactory.create(slug="secret-drug", title="Secret drug")
        lines = grant_many(programme, 2)
        publish_heads(now=NOW)
        response = Client().get("/ledger/")
        page = response.content.decode()
        assert response.status_code == 200
        assert f'<code class="code" dir="ltr">{bytes(lines[1].hash).hex()}</code>' in page
        assert f'<code class="code" dir="ltr">{Chain.objects.get().public_id}</code>' in page
        assert "22 November 2026" in page
        assert "ecret" not in page
        assert lines[0].user.email not in page

    def test_before_anything_was_published(self) -> None:
        grant_many(ProgrammeFactory.create(), 1)
        page = Client().get("/ledger/").content.decode()
        assert ("Nothing has been published yet" in page, "<table" in page) == (True, False)

    def test_as_many_queries_for_three_as_for_one(self, django_assert_num_queries: Any) -> None:
        for count in (1, 3):
            while PublishedHead.objects.count() < count:
                grant_many(ProgrammeFactory.create(), 1)
                publish_heads(now=NOW)
            with django_assert_num_queries(2):
                assert Client().get("/ledger/").status_code == 200

    def test_it_has_pages(self) -> None:
        grant_many(ProgrammeFactory.create(), 1)
        for number in range(51):
            publish_heads(now=NOW + timedelta(days=number))
        assert Client().get("/ledger/").content.count(b"<code") == 100
        assert Client().get("/ledger/?page=2").content.count(b"<code") == 2


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_publish_one_head_and_credit_is_granted_meanwhile() -> None:
    """The first one is held up in the cloud: the second waits for it, whoever grants does not."""
    programme = ProgrammeFactory.create()
    with transaction.atomic():
        grant_many(programme, 2)
    is_in_cloud, may_go_on = threading.Event(), threading.Event()
    copies: list[dict[str, Any]] = []
    made: list[Any] = []

    def put(_name: str, body: bytes, _until: datetime) -> None:
        copies.append(json.loads(body))
        is_in_cloud.set()
        assert may_go_on.wait(PATIENCE_SECONDS)

    def publish() -> None:
        try:
            made.append(len(publish_heads(now=NOW, put=put)))
        except Exception as error:  # noqa: BLE001  # looked at below
            made.append(error)
        finally:
            connection.close()

    workers = [threading.Thread(target=publish) for _ in range(2)]
    workers[0].start()
    assert is_in_cloud.wait(PATIENCE_SECONDS)
    workers[1].start()
    with transaction.atomic():
        grant_many(programme, 1)
    may_go_on.set()
    for worker in workers:
        worker.join(PATIENCE_SECONDS)
    head = PublishedHead.objects.get()
    assert sorted(made) == [0, 1]
    assert [(copy["length"], copy["hash"]) for copy in copies] == [(2, bytes(head.hash).hex())]
    assert (head.length, Chain.objects.get().length) == (2, 3)
