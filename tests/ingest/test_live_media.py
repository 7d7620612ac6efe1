"""Who gets the files of a broadcast. Every test holds real ones that would leak."""

import base64
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings as project
from django.http import HttpResponse
from django.test import Client
from django.utils.timezone import now

from accounts.domain.devices import end_device
from accounts.enums import DeviceEnd
from media.domain.grants import issue_key
from tests.factories.accounts import UserFactory
from tests.signing_in import device_of, signed_in

FILES = {
    "live/master.m3u8": b"#EXTM3U secret master",
    "live/240p5.m3u8": b"#EXTM3U secret window",
    "live/240p5-full.m3u8": b"#EXTM3U secret whole",
    "live/240p5/0.ts": b"G secret segment",
    "live/audio/117.ts": b"G secret sound",
}
BACKENDS = ("django", "nginx")


@pytest.fixture
def key(db: None, media_root: Path) -> UUID:
    return on_air(media_root)


def on_air(root: Path) -> UUID:
    key = uuid4()
    for name, content in FILES.items():
        path = root / "videos" / str(key) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return key


def give(client: Client, key: UUID, *, at: datetime | None = None) -> None:
    device = device_of(client)
    response = HttpResponse()
    seconds = project.LIVE_GRANT_SECONDS
    issue_key(response, key=key, user_id=device.user_id, device_id=device.pk, seconds=seconds, now=at or now())
    (cookie,) = response.cookies.values()
    client.cookies[cookie.key] = cookie.value


def answers(client: Client, key: UUID) -> set[int]:
    return {answer(client, key, name).status_code for name in FILES}


def answer(client: Client, key: UUID, name: str) -> Any:
    """Read to the end, which closes the file as a server would."""
    response: Any = client.get(f"/media/videos/{key}/{name}")
    assert (FILES[name] in b"".join(response)) == (response.status_code == 200 and response.streaming)
    return response


@pytest.mark.parametrize("backend", BACKENDS)
def test_sec_12_a_live_grant_opens_its_broadcast_for_a_minute(
    backend: str, key: UUID, media_root: Path, settings: Any
) -> None:
    settings.MEDIA_GRANTS = backend
    client, other = signed_in(UserFactory.create()), on_air(media_root)

    assert answers(client, key) == {403}
    give(client, key)
    assert answers(client, key) == {200}
    assert answers(client, other) == {403}
    assert answers(Client(), key) == {403}
    client.cookies[f"media_{other}"] = client.cookies[f"media_{key}"].value
    assert answers(client, other) == {403}
    give(client, key, at=now() - timedelta(seconds=project.LIVE_GRANT_SECONDS + 1))
    assert answers(client, key) == {403}


@pytest.mark.parametrize("backend", BACKENDS)
def test_sec_12_a_live_grant_is_one_persons_on_one_device(backend: str, key: UUID, settings: Any) -> None:
    settings.MEDIA_GRANTS = backend
    client, thief = signed_in(UserFactory.create()), signed_in(UserFactory.create())
    give(client, key)
    name = f"media_{key}"

    thief.cookies[name] = client.cookies[name].value
    assert answers(thief, key) == {403}
    end_device(device=device_of(client), reason=DeviceEnd.REVOKED, now=now())
    assert answers(client, key) == {403}


def test_live_playlists_are_never_kept_and_segments_are(key: UUID) -> None:
    client = signed_in(UserFactory.create())
    give(client, key)
    kept = {name: answer(client, key, name)["Cache-Control"] for name in FILES}

    assert {kept[name] for name in FILES if name.endswith(".m3u8")} == {"private, no-store"}
    assert {kept[name] for name in FILES if name.endswith(".ts")} == {"private, max-age=600"}


def test_a_live_grant_at_the_edge_lasts_most_of_its_minute(settings: Any) -> None:
    """Its policy is shared by who joins at the same time, and must not be over when it is given."""
    pem = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    settings.MEDIA_GRANTS, settings.MEDIA_CLOUDFRONT_DOMAIN = "cloudfront", "media.example.org"
    settings.MEDIA_CLOUDFRONT_KEY_ID, settings.MEDIA_CLOUDFRONT_PRIVATE_KEY = "K1", pem.decode()
    begin = datetime.fromtimestamp(1_900_000_000, now().tzinfo)
    lives = []
    for second in range(0, 60, 7):
        response, at = HttpResponse(), begin + timedelta(seconds=second)
        issue_key(response, key=UUID(int=5), user_id=1, device_id=None, seconds=60, now=at)
        text = response.cookies["CloudFront-Policy"].value.translate(str.maketrans("-_~", "+=/"))
        policy = json.loads(base64.b64decode(text))["Statement"][0]
        lives.append(policy["Condition"]["DateLessThan"]["AWS:EpochTime"] - at.timestamp())
        assert policy["Resource"] == f"https://media.example.org/videos/{UUID(int=5)}/*"

    assert min(lives) > 50
    assert max(lives) <= 60
