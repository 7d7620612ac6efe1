"""Banks, curricula and questions in the admin; files go through a page that says first what they would do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from accounts.enums import Role
from accounts.models import AuditEvent
from assessments.domain.bank_files import import_bank
from assessments.domain.formats import FORMATS, Reading
from assessments.enums import ItemState
from assessments.models import Bank, Board, Item
from courses.models import Programme
from tests.assessments.formats.drafts import EXAMPLES
from tests.factories.assessments import BankFactory, make_item
from tests.factories.courses import ProgrammeFactory, RoleGrantFactory
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db
FILE = b"Good?\nA. yes\nB. no\nANSWER: A\n\nBad?\nA. yes\nB. no\nANSWER: C\n"
CHANGELIST = "/admin/assessments/item/"


@pytest.fixture(autouse=True)
def _own_storage(settings: Any, tmp_path: Path) -> None:
    local = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "media": local}


@pytest.fixture
def programme() -> Programme:
    return ProgrammeFactory.create()


@pytest.fixture
def bank(programme: Programme) -> Bank:
    return BankFactory.create(programme=programme, title="Ovulation")


@pytest.fixture
def browser(programme: Programme) -> Client:
    return signed_in(RoleGrantFactory.create(role=Role.MODERATOR, programme=programme).user)


def address(bank: Bank, action: str) -> str:
    return reverse(f"admin:assessments_bank_{action}", args=(bank.pk,))


def sent(data: bytes = FILE, name: str = "questions.txt") -> dict[str, Any]:
    return {"file": SimpleUploadedFile(name, data), "format": ""}


class TestImport:
    def test_first_it_says_what_would_happen_and_then_it_does(self, browser: Client, bank: Bank) -> None:
        looked = browser.post(address(bank, "import_items"), sent())
        page, nothing = looked.content.decode(), Item.objects.count()
        confirmed = browser.post(address(bank, "import_items"), {"token": looked.context["token"]}, follow=True)

        assert nothing == 0
        assert "questions.txt (Aiken). Nothing has happened yet. Questions: 2." in page
        assert "Its line “ANSWER: …” has to name one letter of its answers." in page
        assert "New: 1, changed: 0, the same: 0, left out: 1." in confirmed.content.decode()
        assert [(one.name, one.state, one.bank) for one in Item.objects.all()] == [("Good?", ItemState.DRAFT, bank)]
        assert AuditEvent.objects.filter(action="bank.imported", subject_id=str(bank.pk)).count() == 1

    def test_a_file_counts_once_and_only_for_who_sent_it(
        self, browser: Client, bank: Bank, programme: Programme
    ) -> None:
        token = browser.post(address(bank, "import_items"), sent()).context["token"]
        colleague = signed_in(RoleGrantFactory.create(role=Role.MODERATOR, programme=programme).user)

        theirs = colleague.post(address(bank, "import_items"), {"token": token}, follow=True)
        mine = browser.post(address(bank, "import_items"), {"token": token}, follow=True)
        again = browser.post(address(bank, "import_items"), {"token": token}, follow=True)

        assert "not kept any longer" in theirs.content.decode()
        assert "New: 1, changed: 0" in mine.content.decode()
        assert "not kept any longer" in again.content.decode()

    @pytest.mark.parametrize("data", [b"PK\x03\x04 broken", b"<quiz>", b"\0\0"])
    def test_what_cannot_be_read_is_told(self, browser: Client, bank: Bank, data: bytes) -> None:
        response = browser.post(address(bank, "import_items"), sent(data, "x.bin"))

        assert response.status_code == 200
        assert len(response.context["form"].errors["file"]) == 1
        assert "token" not in response.context

    def test_sec_22_names_and_texts_of_a_file_are_escaped(self, browser: Client, bank: Bank) -> None:
        script = "<script>alert(1)</script>"
        text = f"::{script}:: [html]<p>Which?</p>{script}<img src=x onerror=alert(1)> {{={script}a ~b}}"

        looked = browser.post(address(bank, "import_items"), sent(text.encode(), "x.gift"))
        browser.post(address(bank, "import_items"), {"token": looked.context["token"]})
        item = Item.objects.get()
        page = browser.get(f"{CHANGELIST}{item.pk}/change/").content.decode()

        assert script not in looked.content.decode()
        assert script not in page
        assert "onerror" not in page
        assert item.version is not None
        assert item.version.stem == "<p>Which?</p>"


class TestExport:
    def test_the_page_says_what_is_lost_and_the_file_is_audited(self, browser: Client, bank: Bank) -> None:
        drafts = [EXAMPLES["single"], EXAMPLES["hotspot"]]
        import_bank(bank=bank, reading=Reading(drafts=drafts, places=[1, 2]), actor=None, now=now())
        exported = AuditEvent.objects.filter(action="bank.exported")

        page = browser.get(f"{address(bank, 'export_items')}?format=gift").content.decode()
        looked = exported.count()
        file = browser.get(f"{address(bank, 'export_items')}?format=gift&as=file")

        assert "Left out: this format cannot carry it." in page
        assert looked == 0
        assert [one.subject_id for one in exported] == [str(bank.pk)]
        assert file["Content-Disposition"] == 'attachment; filename="ovulation.gift"'
        assert [one.name for one in FORMATS["gift"].read(file.content).drafts] == ["The single one"]


class TestOthers:
    @pytest.mark.parametrize("action", ["import_items", "export_items"])
    def test_a_bank_of_another_programme_does_not_exist(self, browser: Client, action: str) -> None:
        foreign = BankFactory.create()
        make_item(bank=foreign, name="FOREIGN")

        responses = [browser.get(address(foreign, action)), browser.post(address(foreign, action), sent())]

        assert [one.status_code for one in responses] == [403, 403]
        assert "FOREIGN" not in browser.get(CHANGELIST).content.decode()

    def test_curricula_are_written_by_operators_of_all(self, browser: Client, programme: Programme) -> None:
        Board.objects.create(title="EFOG")
        operator = signed_in(RoleGrantFactory.create(role=Role.OPERATOR, programme=None).user)
        topics = {"topics-TOTAL_FORMS": "0", "topics-INITIAL_FORMS": "0"}
        data = {"title": "MRCOG", **topics}

        refused = browser.post("/admin/assessments/board/add/", data)
        operator.post("/admin/assessments/board/add/", data)

        assert refused.status_code == 403
        assert browser.get("/admin/assessments/board/").status_code == 200
        assert [one.title for one in Board.objects.all()] == ["EFOG", "MRCOG"]


class TestItems:
    def test_every_kind_has_its_page_with_what_is_right(self, browser: Client, bank: Bank) -> None:
        drafts = list(EXAMPLES.values())
        reading = Reading(drafts=drafts, places=list(range(len(drafts))))
        import_bank(bank=bank, reading=reading, actor=None, now=now())

        for item in Item.objects.all():
            page = browser.get(f"{CHANGELIST}{item.pk}/change/")
            assert page.status_code == 200, item.name
            assert "What is it" in page.content.decode(), item.name

    def test_found_by_tag_kind_and_words(self, browser: Client, bank: Bank) -> None:
        make_item(bank=bank, name="ONE", tags=["ivf", "hcg"])
        make_item(bank=bank, name="TWO", tags=["ivf"], stem="<p>About letrozole</p>")

        def found(query: str) -> list[str]:
            listed = browser.get(f"{CHANGELIST}?{query}").context["cl"].queryset
            return sorted(listed.values_list("name", flat=True))

        assert found("tag=hcg") == ["ONE"]
        assert found("tag=ivf") == ["ONE", "TWO"]
        assert found("q=letrozole") == ["TWO"]
        assert found("kind__exact=numeric") == []

    def test_states_go_through_the_rules(self, browser: Client, bank: Bank) -> None:
        drafts = [EXAMPLES["vignette"]]
        import_bank(bank=bank, reading=Reading(drafts=drafts, places=[1]), actor=None, now=now())
        empty = Item.objects.create(bank=bank, kind="single", name="Empty")
        whole = Item.objects.get(name="The vignette one")
        foreign = make_item(bank=BankFactory.create(), state=ItemState.DRAFT)
        chosen = [empty.pk, whole.pk, foreign.pk]

        response = browser.post(CHANGELIST, {"action": "make_ready", "_selected_action": chosen}, follow=True)

        assert "“Empty” has no text yet." in response.content.decode()
        states = dict(Item.objects.values_list("name", "state"))
        assert states == {
            "Empty": "draft",
            "The vignette one": "ready",
            "First of it": "ready",
            "Second of it": "ready",
            foreign.name: "draft",
        }

    @pytest.mark.parametrize("rows", [1, 3])
    def test_the_list_asks_a_fixed_number_of_questions(
        self, browser: Client, bank: Bank, rows: int, django_assert_max_num_queries: Callable[..., Any]
    ) -> None:
        for number in range(rows):
            make_item(bank=bank, name=f"item {number}", tags=[f"tag {number}"])

        with django_assert_max_num_queries(20):
            browser.get(CHANGELIST)
