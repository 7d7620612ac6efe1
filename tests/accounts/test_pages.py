"""Every page of the app answers, in its plain state, for who may see it."""

from urllib.parse import unquote

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from accounts.domain import invitations
from accounts.models import User
from tests.signing_in import signed_in

ANONYMOUS = ["account_login", "accounts:sign_in_password"]
SIGNED_IN = [
    "accounts:profile",
    "accounts:devices",
    "accounts:password",
    "mfa_index",
    "mfa_activate_totp",
    "mfa_list_webauthn",
    "mfa_add_webauthn",
]


@pytest.mark.django_db
@pytest.mark.parametrize("name", ANONYMOUS)
def test_entrance_pages_answer(client: Client, name: str) -> None:
    response = client.get(reverse(name))

    assert response.status_code == 200
    assert response["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("name", SIGNED_IN)
def test_account_pages_answer_the_signed_in(doctor: User, name: str) -> None:
    response = signed_in(doctor).get(reverse(name))

    assert response.status_code == 200
    assert response["Cache-Control"].startswith(("private", "max-age=0"))


@pytest.mark.django_db
@pytest.mark.parametrize("name", SIGNED_IN)
def test_account_pages_send_others_to_sign_in(client: Client, name: str) -> None:
    response = client.get(reverse(name))

    assert response.status_code == 302
    assert unquote(response["Location"]).startswith("/sign-in/?next=/account/")


def test_the_invitation_page_greets_by_name(client: Client, doctor: User) -> None:
    _, token = invitations.invite(user=doctor, created_by=None, now=now(), occasion="Fertility 2026")

    page = client.get(reverse("accounts:invitation", args=[token])).content.decode()

    assert "Dr Meera Nair" in page
    assert "Fertility 2026" in page
