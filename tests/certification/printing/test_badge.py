"""Badges: an independent library reads and verifies them; not one letter can be changed."""

import base64
import hashlib
import json
import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from openbadgeslib.ob3 import OB3VerificationError, OB3Verifier

from certification.printing import badge
from certification.printing.badge import Achievement, BadgeError, Issuer, did_document, linkedin_address, read, sign
from tests.certification.printing.samples import ADDRESS, FACTS, KEY, OTHER_KEY, PUBLIC_ID

ISSUER = Issuer("https://learn.example.org", "European Society for Primary Care Cardiology", "cme@example.org")
WORK = Achievement("https://learn.example.org/activities/17/", "Watched 47 of 60 minutes live; test passed with 80 %.")
BADGE = f"https://learn.example.org/badges/{PUBLIC_ID}/"
STATUS = f"https://learn.example.org/badges/{PUBLIC_ID}/status/"
# The library looks at the wall clock: a badge from long ago, and a status of now.
LONG_AGO = replace(FACTS, issued_on=date(2025, 3, 4))
PEM = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def document(**changes: Any) -> dict[str, Any]:
    options: dict[str, Any] = {"issuer": ISSUER, "achievement": WORK, "address": BADGE, "status_address": STATUS}
    return badge.credential(LONG_AGO, **(options | {"key": KEY} | changes))


def token(**changes: Any) -> str:
    return sign(document(**changes), issuer=ISSUER, key=KEY)


def served(*, is_revoked: bool = False, status_key: Any = KEY, age: timedelta = timedelta()) -> Any:
    """What the site answers to the library's downloads."""

    now = datetime.now(UTC) - age

    def download(address: str, *_: Any, **__: Any) -> bytes:
        pages = {
            "https://learn.example.org/.well-known/did.json": json.dumps(
                did_document(ISSUER, [KEY.public_key(), OTHER_KEY.public_key()])
            ),
            STATUS: badge.status_list(issuer=ISSUER, address=STATUS, is_revoked=is_revoked, key=status_key, now=now),
        }
        return pages[address].encode()

    return download


class TestByOpenbadgeslib:
    """LGPL library of other people; it checks contexts, claims, dates, identity, signature and the status list."""

    def test_a_badge_is_verified_with_the_key_that_the_issuers_address_names(self) -> None:
        verifier = OB3Verifier.for_issuer_did(ISSUER.did, download=served())
        found = verifier.verify(token(), check_status=True, download=served())

        assert found.issuer.id == "did:web:learn.example.org"
        assert found.issuer.name == ISSUER.name
        assert found.achievement.name == FACTS.title
        assert found.achievement.criteria_narrative == WORK.criteria
        assert found.achievement.achievement_type == "CertificateOfCompletion"
        assert found.evidence_url == ADDRESS
        assert found.issuance_date == datetime(2025, 3, 4, tzinfo=UTC)
        assert [result.value for result in found.results] == ["0.75 AMA PRA Category 1 Credits™", "1 ECMEC®"]
        assert [(row.identity_hash, row.hashed) for row in found.identifiers] == [(FACTS.holder, False)]

    def test_a_badge_of_an_earlier_key_still_holds(self) -> None:
        verifier = OB3Verifier.for_issuer_did(ISSUER.did, download=served())
        old = sign(document(key=OTHER_KEY), issuer=ISSUER, key=OTHER_KEY)

        assert verifier.verify(old, check_status=True, download=served()).achievement.name == FACTS.title

    def test_a_revoked_badge_is_refused(self) -> None:
        verifier = OB3Verifier.for_issuer_did(ISSUER.did, download=served())

        with pytest.raises(OB3VerificationError, match=r"(?i)revo"):
            verifier.verify(token(), check_status=True, download=served(is_revoked=True))

    def test_a_status_from_before_yesterday_is_no_proof(self) -> None:
        with pytest.raises(OB3VerificationError, match="expired"):
            OB3Verifier(PEM).verify(token(), check_status=True, download=served(age=timedelta(days=2)))

    def test_a_status_that_somebody_else_signed_is_refused(self) -> None:
        verifier = OB3Verifier(PEM)

        with pytest.raises(OB3VerificationError):
            verifier.verify(token(), check_status=True, download=served(status_key=OTHER_KEY))

    def test_another_key_or_a_changed_claim_is_refused(self) -> None:
        other = OTHER_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        with pytest.raises(OB3VerificationError):
            OB3Verifier(other).verify(token())
        header, payload, signature = token().split(".")
        claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
        claims["credentialSubject"]["identifier"][0]["identityHash"] = "Dr. Somebody Else"
        changed = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()

        with pytest.raises(OB3VerificationError, match="Invalid signature"):
            OB3Verifier(PEM).verify(f"{header}.{changed}.{signature}")


class TestIdentity:
    def test_an_address_is_only_there_as_a_salted_hash(self) -> None:
        made = document(email=" Amelia@Example.org ")
        (identity,) = made["credentialSubject"]["identifier"]
        expected = hashlib.sha256(b"amelia@example.org" + identity["salt"].encode()).hexdigest()

        assert identity == {
            "type": "IdentityObject", "hashed": True, "identityType": "emailAddress", "salt": identity["salt"],
            "identityHash": f"sha256${expected}",
        }  # fmt: skip
        assert "amelia" not in json.dumps(made).casefold()

    def test_badges_of_one_person_cannot_be_matched(self) -> None:
        one, two = (
            document(email="amelia@example.org", address=f"https://learn.example.org/badges/{name}/") for name in "AB"
        )

        assert one["credentialSubject"]["identifier"] != two["credentialSubject"]["identifier"]

    def test_without_credits_there_is_no_empty_result(self) -> None:
        made = badge.credential(
            replace(FACTS, credits=()), issuer=ISSUER, achievement=WORK, address=BADGE, status_address=STATUS, key=KEY
        )

        assert "result" not in made["credentialSubject"]


class TestReading:
    def test_the_credential_comes_back(self) -> None:
        assert read(token(), keys=[OTHER_KEY.public_key(), KEY.public_key()]) == document()

    def test_the_same_facts_give_the_same_token(self) -> None:
        assert token(email="amelia@example.org") == token(email="amelia@example.org")

    def test_an_altered_letter_anywhere_is_noticed(self) -> None:
        """Every place of the signature, two hundred of the rest, each by another letter of the same alphabet."""
        dice = random.Random(2026)
        whole = token()
        signature = range(whole.rindex(".") + 1, len(whole))
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        unnoticed = []
        for place in [*signature, *(dice.randrange(len(whole)) for _ in range(200))]:
            for letter in {dice.choice(alphabet), alphabet[alphabet.find(whole[place]) - 1]} - {whole[place]}:
                try:
                    read(whole[:place] + letter + whole[place + 1 :], keys=[KEY.public_key()])
                except BadgeError:
                    continue
                unnoticed.append((place, letter))

        assert unnoticed == []

    def test_every_letter_of_it_counts(self) -> None:
        """Header, claims and signature, place by place."""
        whole = token()
        unnoticed = []
        for place, letter in enumerate(whole):
            other = "A" if letter != "A" else "B"
            try:
                read(whole[:place] + other + whole[place + 1 :], keys=[KEY.public_key()])
            except BadgeError:
                continue
            unnoticed.append(place)

        assert len(whole) > 1_000
        assert unnoticed == []

    @pytest.mark.parametrize(
        "text", ["", "a.b", "a.b.c", "..", "é.é.é", "e30.e30.e30", "bnVsbA.bnVsbA.AA", "W10.W10.AA"]
    )
    def test_what_is_no_badge(self, text: str) -> None:
        with pytest.raises(BadgeError):
            read(text, keys=[KEY.public_key()])

    def test_no_other_algorithm_is_believed(self) -> None:
        _, payload, signature = token().split(".")
        header = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()

        with pytest.raises(BadgeError, match="Ed25519"):
            read(f"{header}.{payload}.{signature}", keys=[KEY.public_key()])

    def test_somebody_elses_badge(self) -> None:
        with pytest.raises(BadgeError, match="somebody else"):
            read(sign(document(), issuer=ISSUER, key=OTHER_KEY), keys=[KEY.public_key()])


class TestIssuer:
    @pytest.mark.parametrize(
        ("address", "did"),
        [
            ("https://learn.example.org", "did:web:learn.example.org"),
            ("https://learn.example.org/", "did:web:learn.example.org"),
            ("https://learn.example.org:8443", "did:web:learn.example.org%3A8443"),
        ],
    )
    def test_address_to_did(self, address: str, did: str) -> None:
        assert Issuer(address, "A").did == did

    def test_every_key_stays_in_the_document_under_a_name_of_its_own(self) -> None:
        made = did_document(ISSUER, [KEY.public_key(), OTHER_KEY.public_key()])

        assert made["id"] == ISSUER.did
        assert made["assertionMethod"] == [method["id"] for method in made["verificationMethod"]]
        assert len({method["publicKeyJwk"]["x"] for method in made["verificationMethod"]}) == 2
        assert "d" not in made["verificationMethod"][0]["publicKeyJwk"]

    def test_thumbprint_of_rfc_8037(self) -> None:
        """Appendix A.3 of the RFC gives this key and this thumbprint."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        raw = base64.urlsafe_b64decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=")

        assert (
            badge.jwk(Ed25519PublicKey.from_public_bytes(raw))["kid"] == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        )


def test_linkedin_form() -> None:
    address = linkedin_address(
        name="Heart failure & more", organisation="Société X", issued_on=date(2026, 11, 22), verify_address=ADDRESS,
        number="CARD-2026-000142", expires_on=date(2031, 1, 31),
    )  # fmt: skip
    parts = urlsplit(address)

    assert (parts.scheme, parts.netloc, parts.path) == ("https", "www.linkedin.com", "/profile/add")
    assert {name: values[0] for name, values in parse_qs(parts.query).items()} == {
        "startTask": "CERTIFICATION_NAME", "name": "Heart failure & more", "organizationName": "Société X",
        "issueYear": "2026", "issueMonth": "11", "certUrl": ADDRESS, "certId": "CARD-2026-000142",
        "expirationYear": "2031", "expirationMonth": "1",
    }  # fmt: skip
