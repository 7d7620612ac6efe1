"""The page with an activity's evidence and lists: asked, made, taken, recorded; nobody else's."""

import csv
import io
import zipfile
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEvent, User
from certification.domain.pack_file import check_pack
from certification.domain.pack_orders import ask_for_pack, make_due_packs, packs_of
from certification.models import EvidencePack
from core.clock import now
from tests.certification.audited import Audited, make_audited
from tests.factories.courses import RoleGrantFactory
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def mine() -> Audited:
    return make_audited()


@pytest.fixture
def operator(mine: Audited) -> User:
    user: User = RoleGrantFactory.create(programme=mine.claim.programme, role="operator").user
    return user


@pytest.fixture
def client(operator: User) -> Client:
    return signed_in(operator)


def page(audited: Audited, rest: str = "") -> str:
    return f"/admin/certification/activity/{audited.activity.pk}/evidence/{rest}"


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content)


class TestPacks:
    def test_asked_for_made_and_taken(self, mine: Audited, operator: User, client: Client) -> None:
        assert "Nothing was asked for" in client.get(page(mine)).content.decode()
        client.post(page(mine, "ask/"))
        assert "It is being put together." in client.get(page(mine)).content.decode()
        make_due_packs(now=now())
        pack = packs_of(mine.activity).get()
        html = client.get(page(mine)).content.decode()
        assert page(mine, f"{pack.pk}/") in html
        assert pack.digest in html
        taken = client.get(page(mine, f"{pack.pk}/"))
        assert taken["Content-Disposition"].startswith(f'attachment; filename="evidence-{mine.activity.pk}-')
        assert check_pack(io.BytesIO(body(taken)))[1] == []
        event = AuditEvent.objects.get(action="evidence.taken")
        assert (event.actor_id, event.details) == (operator.pk, {"form": f"pack {pack.digest}"})

    def test_one_that_failed_says_so(self, mine: Audited, client: Client) -> None:
        EvidencePack.objects.create(activity=mine.activity, requested_at=now(), failed_at=now())
        assert "It could not be made." in client.get(page(mine)).content.decode()

    def test_another_activitys_pack_is_not_found_under_this_one(self, mine: Audited, client: Client) -> None:
        other = make_audited()
        client.post(page(mine, "ask/"))
        make_due_packs(now=now())
        pack = packs_of(mine.activity).get()
        stranger = signed_in(RoleGrantFactory.create(programme=other.claim.programme, role="operator").user)
        assert stranger.get(page(other, f"{pack.pk}/")).status_code == 404
        assert stranger.get(page(mine, f"{pack.pk}/")).status_code == 404
        assert stranger.post(page(mine, "ask/")).status_code == 404
        assert not AuditEvent.objects.filter(action="evidence.taken").exists()

    def test_what_is_not_made_yet_is_not_found(self, mine: Audited, client: Client) -> None:
        client.post(page(mine, "ask/"))
        pack = packs_of(mine.activity).get()
        assert client.get(page(mine, f"{pack.pk}/")).status_code == 404

    def test_the_activity_leads_to_it(self, mine: Audited, client: Client) -> None:
        change = f"/admin/certification/activity/{mine.activity.pk}/"
        assert f"{change}show_evidence" in client.get(f"{change}change/").content.decode()
        assert client.get(f"{change}show_evidence/")["Location"] == page(mine)

    def test_queries_do_not_grow_with_packs(
        self, mine: Audited, client: Client, django_assert_num_queries: Any, django_assert_max_num_queries: Any
    ) -> None:
        def add() -> None:
            EvidencePack.objects.create(
                activity=mine.activity, requested_at=now(), failed_at=now(), requested_by=mine.doctor
            )

        add()
        client.get(page(mine))
        with django_assert_max_num_queries(20) as one:
            client.get(page(mine))
        add()
        add()
        with django_assert_num_queries(len(one)):
            client.get(page(mine))


class TestWhoMay:
    @pytest.mark.parametrize(("role", "status"), [("operator", 200), ("auditor", 200), ("moderator", 403)])
    def test_operators_and_auditors_and_nobody_else(self, mine: Audited, role: str, status: int) -> None:
        """Everybody's names, numbers, test results and credit are in it: who may not read claims has none of it."""
        ask_for_pack(activity=mine.activity, actor=None, now=now())
        make_due_packs(now=now())
        pack = packs_of(mine.activity).get()
        browser = signed_in(RoleGrantFactory.create(programme=mine.claim.programme, role=role).user)
        answers = [browser.get(page(mine, rest)) for rest in ("", f"{pack.pk}/", "councils.csv")]
        assert all(body(one) for one in answers if one.streaming)
        found = [one.status_code for one in answers]
        asked = browser.post(page(mine, "ask/")).status_code
        assert (found, asked) == ([status] * 3, 302 if status == 200 else 403)
        taken = AuditEvent.objects.filter(action__in=("evidence.taken", "credit_report.taken", "evidence.asked"))
        assert taken.filter(actor__isnull=False).count() == (3 if status == 200 else 0)

    @pytest.mark.parametrize("role", ["operator", "auditor"])
    def test_of_another_programme_there_is_none(self, mine: Audited, role: str) -> None:
        stranger = signed_in(RoleGrantFactory.create(programme=make_audited().claim.programme, role=role).user)
        assert [stranger.get(page(mine, rest)).status_code for rest in ("", "councils.csv")] == [404, 404]
        assert stranger.post(page(mine, "ask/")).status_code == 404

    def test_a_moderator_is_not_led_there(self, mine: Audited) -> None:
        browser = signed_in(RoleGrantFactory.create(programme=mine.claim.programme).user)
        change = f"/admin/certification/activity/{mine.activity.pk}/"
        assert "show_evidence" not in browser.get(f"{change}change/").content.decode()

    def test_an_auditor_is_led_there_from_the_claims(self, mine: Audited) -> None:
        browser = signed_in(RoleGrantFactory.create(programme=mine.claim.programme, role="auditor").user)
        assert page(mine) in browser.get("/admin/certification/claim/").content.decode()
        assert f"activity/{mine.activity.pk}/change/" not in browser.get(page(mine)).content.decode()


class TestLists:
    def test_councils_as_csv_and_excel(self, mine: Audited, operator: User, client: Client) -> None:
        text = body(client.get(page(mine, "councils.csv"))).decode("utf-8-sig")
        assert [row[0] for row in csv.reader(io.StringIO(text))] == ["Name", "Dr Meera Nair"]
        book = zipfile.ZipFile(io.BytesIO(body(client.get(page(mine, "councils.xlsx")))))
        assert b"Dr Meera Nair" in book.read("xl/worksheets/sheet1.xml")
        taken = AuditEvent.objects.filter(action="credit_report.taken", actor=operator).order_by("pk")
        assert [one.details for one in taken] == [
            {"kind": "councils", "form": "csv"}, {"kind": "councils", "form": "xlsx"}
        ]  # fmt: skip

    def test_pars_comes_with_what_is_missing(self, mine: Audited, client: Client) -> None:
        archive = zipfile.ZipFile(io.BytesIO(body(client.get(page(mine, "pars.zip")))))
        assert archive.namelist()[:2] == ["pars_learners.txt", "MISSING.txt"]
        assert b"\tMeera\tNair\t" in archive.read("pars_learners.txt")
        assert b"1 rows: month and day of birth" in archive.read("MISSING.txt")

    @pytest.mark.parametrize("name", ["eaccme.csv", "pars.csv", "pars.txt", "councils.exe", "unknown.csv"])
    def test_what_there_is_not_is_not_found_nor_recorded(self, mine: Audited, client: Client, name: str) -> None:
        assert client.get(page(mine, name)).status_code == 404
        assert not AuditEvent.objects.filter(action="credit_report.taken").exists()

    def test_only_lists_of_its_authorities_are_offered(self, mine: Audited, client: Client) -> None:
        html = client.get(page(mine)).content.decode()
        assert ("pars.zip" in html, "eaccme.csv" in html, "councils.csv" in html) == (True, False, True)
