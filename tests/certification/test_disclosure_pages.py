"""The statement's page: for everybody with the link, without an account and without a script."""

from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.test import Client
from django.utils.timezone import now

from accounts.models import AuditEvent
from certification.domain.disclosures import withdraw
from certification.models import Disclosure, DisclosureRequest
from tests.certification.test_disclosures import asked
from tests.factories.certification import PAID, DiscloserFactory, disclose

pytestmark = pytest.mark.django_db
MANAGED = {"row-TOTAL_FORMS": "3", "row-INITIAL_FORMS": "0", "row-MIN_NUM_FORMS": "0", "row-MAX_NUM_FORMS": "40"}
NONE = {**MANAGED, "has_any": "no", "signed_name": "Ana Ribeiro"}
ROW = {"row-1-company": "Acme Pharma", "row-1-relationship": "speaking"}


@pytest.fixture
def address(mailoutbox: list[EmailMessage]) -> str:
    return f"/disclosures/{asked(mailoutbox, DiscloserFactory.create(name='Dr Ana Ribeiro'))}/"


def text(response: Any) -> str:
    found: str = response.content.decode()
    return found


class TestTheForm:
    def test_opening_it_changes_nothing(self, client: Client, address: str) -> None:
        before = DisclosureRequest.objects.values().get()
        for method in (client.get, client.head):
            assert method(address).status_code == 200
        assert DisclosureRequest.objects.values().get() == before
        assert not Disclosure.objects.exists()
        page = text(client.get(address))
        assert "Dr Ana Ribeiro" in page
        assert "<script" not in page.split("</head>")[1]

    def test_no_is_two_taps_and_a_name(self, client: Client, address: str) -> None:
        response = client.post(address, NONE)
        assert (response.status_code, response["Location"]) == (302, f"{address}thanks/")
        made = Disclosure.objects.get()
        assert (made.interests, made.signed_name) == ([], "Ana Ribeiro")
        thanks = text(client.get(response["Location"]))
        assert "No financial relationship" in thanks
        assert "Ana Ribeiro" in thanks

    def test_yes_with_rows_and_it_is_shown_again_to_be_changed(self, client: Client, address: str) -> None:
        second = {"row-2-company": "Beta Devices", "row-2-relationship": "research", "row-2-ended": "on"}
        response = client.post(address, {**NONE, **ROW, **second, "has_any": "yes"})
        assert response.status_code == 302
        assert Disclosure.objects.get().interests == [
            {"company": "Acme Pharma", "relationship": "speaking", "ended": False},
            {"company": "Beta Devices", "relationship": "research", "ended": True},
        ]
        assert "Beta Devices" in text(client.get(response["Location"]))
        again = text(client.get(address))
        assert 'value="Acme Pharma"' in again
        assert 'value="Beta Devices"' in again
        client.post(address, NONE)
        assert Disclosure.objects.order_by("-pk")[0].interests == []
        assert Disclosure.objects.count() == 2

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"has_any": ""}, "Answer yes or no."),
            ({"signed_name": " "}, "it is your signature"),
            ({"has_any": "yes"}, "name at least one company"),
            ({"has_any": "yes", "signed_name": ""}, "name at least one company"),
            ({"has_any": "no", **ROW}, "but there are companies below"),
            ({"has_any": "yes", "row-0-company": "Acme"}, "Choose what kind of relationship"),
            ({"has_any": "yes", "row-0-relationship": "speaking"}, "Name the company"),
            ({"has_any": "yes", "row-0-company": "Acme", "row-0-relationship": "bribery"}, "Select a valid choice"),
        ],
    )
    def test_what_is_not_right_is_said_and_nothing_kept(
        self, client: Client, address: str, given: dict[str, str], said: str
    ) -> None:
        response = client.post(address, {**NONE, **given})
        assert response.status_code == 422
        assert said in text(response)
        assert not Disclosure.objects.exists()

    def test_more_rows_keep_what_was_typed_and_state_nothing(self, client: Client, address: str) -> None:
        response = client.post(address, {**NONE, **ROW, "has_any": "yes", "more": "1"})
        page = text(response)
        assert response.status_code == 200
        assert 'value="Acme Pharma"' in page
        assert 'value="Ana Ribeiro"' in page
        assert ("row-3-company" in page, "row-4-company" in page) == (True, False)
        assert not Disclosure.objects.exists()

    def test_a_form_without_its_counters_is_refused_calmly(self, client: Client, address: str) -> None:
        assert client.post(address, {"has_any": "no", "signed_name": "Ana"}).status_code == 422
        assert client.post(address, {**NONE, "row-TOTAL_FORMS": "9999999"}).status_code == 422
        assert not Disclosure.objects.exists()

    def test_a_company_is_text_and_nothing_else(self, client: Client, address: str) -> None:
        evil = "<script>alert(1)</script>"
        client.post(address, {**NONE, **ROW, "has_any": "yes", "row-1-company": evil})
        assert evil not in text(client.get(f"{address}thanks/")) + text(client.get(address))


class TestTheLink:
    def test_one_that_does_not_work_says_what_to_do(self, client: Client, address: str) -> None:
        person = DisclosureRequest.objects.get().person
        assert client.get("/disclosures/nobodys/").status_code == 404
        withdraw(person=person, actor=None, now=now())
        for response in (client.get(address), client.post(address, NONE), client.get(f"{address}thanks/")):
            assert response.status_code == 410
            assert "a newer e-mail" in text(response)
        assert not Disclosure.objects.exists()

    def test_without_a_statement_the_thanks_lead_to_the_question(self, client: Client, address: str) -> None:
        assert client.get(f"{address}thanks/")["Location"] == address

    def test_it_shows_nothing_of_anybody_else(self, client: Client, address: str) -> None:
        person = DisclosureRequest.objects.get().person
        other = DiscloserFactory.create(programme=person.programme, name="Dr Other Person")
        disclose(other, interests=[{**PAID[0], "company": "Secret Devices"}])
        page = text(client.get(address))
        assert "Secret Devices" not in page
        assert "Other Person" not in page

    def test_other_methods_are_refused(self, client: Client, address: str) -> None:
        assert [client.put(address).status_code, client.post(f"{address}thanks/").status_code] == [405, 405]

    def test_signing_is_recorded_with_the_address_and_without_the_token(self, client: Client, address: str) -> None:
        client.post(address, NONE)
        event = AuditEvent.objects.get(action="disclosure.stated")
        assert (event.actor, event.address) == (None, "127.0.0.1")
        assert address.split("/")[2] not in str(event.details)
