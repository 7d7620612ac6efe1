"""Who gets a file. Every test holds a real file that would leak."""

import base64
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from http.cookies import Morsel
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from django.conf import settings as project
from django.http import HttpResponse
from django.test import Client
from django.utils.timezone import now

from accounts.domain.devices import end_device
from accounts.enums import DeviceEnd, Role
from accounts.models import Device
from media.domain.grants import issue
from media.domain.queries import sources
from media.models import Video
from tests.factories.accounts import UserFactory
from tests.factories.courses import RoleGrantFactory
from tests.factories.media import VideoFactory
from tests.factories.webinars import WebinarFactory
from tests.signing_in import device_of, signed_in

FILES = {
    "v1/master.m3u8": b"#EXTM3U secret master",
    "v1/360p/index.m3u8": b"#EXTM3U secret variant",
    "v1/360p/00000.ts": b"G" + b"secret segment" * 100,
    "v1/audio/index.m3u8": b"#EXTM3U secret sound",
    "v1/poster.jpg": b"\xff\xd8secret poster",
    "v1/sprite.vtt": b"WEBVTT secret previews",
    "v1/sprite-001.jpg": b"\xff\xd8secret sprite",
    "v1/video.mp4": bytes(range(256)) * 40,
    "captions/en-1a2b.vtt": b"WEBVTT secret words",
}
BACKENDS = ("django", "nginx")


def put_files(video: Video, root: Path) -> Video:
    for name, content in FILES.items():
        path = root / "videos" / str(video.key) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return video


@pytest.fixture
def video(db: None, media_root: Path) -> Video:
    return put_files(VideoFactory.create(), media_root)


@pytest.fixture
def viewer(video: Video) -> Client:
    """Signed in, with a grant for `video`."""
    client = signed_in(UserFactory.create())
    give(client, video)
    return client


def give(client: Client, video: Video, *, at: datetime | None = None) -> Morsel[str]:
    device = device_of(client)
    response = HttpResponse()
    issue(response, video=video, user_id=device.user_id, device_id=device.pk, now=at or now())
    (cookie,) = response.cookies.values()
    client.cookies[cookie.key] = cookie.value
    return cookie


def url(video: Video, name: str) -> str:
    return f"/media/videos/{video.key}/{name}"


def statuses(client: Client, video: Video) -> set[int]:
    return {status(client.get(url(video, name))) for name in FILES}


def status(response: Any) -> int:
    body(response)
    return int(response.status_code)


def body(response: Any) -> bytes:
    """Read to the end, which closes the file as a server would."""
    return b"".join(response.streaming_content) if response.streaming else bytes(response.content)


@pytest.mark.parametrize("backend", BACKENDS)
def test_sec_12_a_valid_grant_opens_every_file_of_its_asset(
    backend: str, viewer: Client, video: Video, settings: Any
) -> None:
    settings.MEDIA_GRANTS = backend
    assert statuses(viewer, video) == {200}


@pytest.mark.parametrize("backend", BACKENDS)
def test_sec_12_without_a_grant_nothing_opens(backend: str, video: Video, settings: Any) -> None:
    settings.MEDIA_GRANTS = backend
    assert statuses(Client(), video) == {403}
    assert statuses(signed_in(UserFactory.create()), video) == {403}
    assert statuses(signed_in(UserFactory.create(is_staff=True, is_superuser=True)), video) == {403}


@pytest.mark.parametrize("backend", BACKENDS)
def test_sec_12_a_grant_for_another_asset_opens_nothing(
    backend: str, viewer: Client, video: Video, settings: Any, media_root: Path
) -> None:
    settings.MEDIA_GRANTS = backend
    other = put_files(VideoFactory.create(), media_root)
    assert statuses(viewer, other) == {403}
    viewer.cookies[f"media_{other.key}"] = viewer.cookies[f"media_{video.key}"].value
    assert statuses(viewer, other) == {403}


@pytest.mark.parametrize("backend", BACKENDS)
def test_sec_12_an_expired_grant_opens_nothing(backend: str, viewer: Client, video: Video, settings: Any) -> None:
    settings.MEDIA_GRANTS = backend
    give(viewer, video, at=now() - timedelta(seconds=project.MEDIA_GRANT_SECONDS + 1))
    assert statuses(viewer, video) == {403}
    give(viewer, video, at=now() - timedelta(seconds=project.MEDIA_GRANT_SECONDS - 30))
    assert statuses(viewer, video) == {200}


def tampered(value: str) -> list[str]:
    content, _, signature = value.rpartition(":")
    key, user, device, expires = content.split(".")
    return [
        f"{key}.{user}.{device}.{int(expires) + 3600}:{signature}",
        f"{key}.{int(user) + 1}.{device}.{expires}:{signature}",
        f"{key}.{user}.{uuid4().hex}.{expires}:{signature}",
        f"{uuid4().hex}.{user}.{device}.{expires}:{signature}",
        f"{content}:{signature[:-1]}",
        f"{content}:",
        content,
        "",
        "\x00:::...",
    ]


def test_sec_12_a_tampered_grant_opens_nothing(viewer: Client, video: Video) -> None:
    name = f"media_{video.key}"
    for value in tampered(viewer.cookies[name].value):
        viewer.cookies[name] = value
        assert statuses(viewer, video) == {403}, value


def test_sec_12_a_grant_signed_for_something_else_opens_nothing(viewer: Client, video: Video) -> None:
    """The same secret signs other things too: the salt keeps them apart."""
    from django.core.signing import Signer

    name = f"media_{video.key}"
    content = viewer.cookies[name].value.rpartition(":")[0]
    viewer.cookies[name] = Signer(salt="something.else").sign(content)
    assert statuses(viewer, video) == {403}


def test_sec_12_a_copied_cookie_works_for_nobody_else(viewer: Client, video: Video) -> None:
    name, value = f"media_{video.key}", viewer.cookies[f"media_{video.key}"].value
    thief, own_phone = signed_in(UserFactory.create()), signed_in(device_of(viewer).user)
    for other in (thief, own_phone, Client()):
        other.cookies[name] = value
        assert statuses(other, video) == {403}
    assert statuses(viewer, video) == {200}


def test_sec_11_an_ended_device_loses_its_media_at_once(viewer: Client, video: Video) -> None:
    cookies = {name: morsel.value for name, morsel in viewer.cookies.items()}
    end_device(device=device_of(viewer), reason=DeviceEnd.REVOKED, now=now())
    later = Client()
    for name, value in cookies.items():
        later.cookies[name] = value
    assert statuses(later, video) == {403}


def test_sec_13_the_cookie_is_narrow(viewer: Client, video: Video, settings: Any) -> None:
    settings.SESSION_COOKIE_SECURE = True
    cookie = give(viewer, video)
    assert cookie["path"] == f"/media/videos/{video.key}/"
    assert (cookie["httponly"], cookie["secure"], cookie["samesite"]) == (True, True, "Lax")
    assert (cookie["domain"], cookie["max-age"], cookie["expires"]) == ("", "", ""), "this host, this session only"


def test_sec_13_a_grant_lasts_ten_minutes_at_most(video: Video) -> None:
    at = now()
    ends = issue(HttpResponse(), video=video, user_id=1, device_id=None, now=at)
    assert ends - at <= timedelta(minutes=10)


def test_sec_36_a_rotated_secret_interrupts_nobody(viewer: Client, video: Video, settings: Any) -> None:
    device = device_of(viewer)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 60, [settings.SECRET_KEY]
    assert Device.objects.filter(pk=device.pk, ended_at=None).exists()
    assert status(viewer.get(url(video, "v1/master.m3u8"))) == 200
    settings.SECRET_KEY_FALLBACKS = []
    assert viewer.get(url(video, "v1/master.m3u8")).status_code == 403


OUTSIDE = (
    "../{other}/v1/master.m3u8",
    "..%2f{other}/v1/master.m3u8",
    "%2e%2e/{other}/v1/master.m3u8",
    "%2e%2e%2f{other}%2fv1%2fmaster.m3u8",
    "..%252f{other}/v1/master.m3u8",
    "v1/../../{other}/v1/master.m3u8",
    "v1/..%5c..%5c{other}%5cv1%5cmaster.m3u8",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "v1/master.m3u8%00.jpg",
    "v1/%00/master.m3u8",
    "v1//master.m3u8",
    "./v1/master.m3u8",
    "v1/master.m3u8/",
    "v1/",
    "v1",
    "v1/secret.txt",
    "v1/.htaccess",
    "V1/master.m3u8",
    "v1/a/b/c/d/master.m3u8",
    "v1/mäster.m3u8",
)


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("backend", BACKENDS)
def test_sec_23_no_name_leaves_the_asset(  # noqa: PLR0917 - two parameters, four fixtures
    backend: str, name: str, viewer: Client, video: Video, media_root: Path, settings: Any
) -> None:
    settings.MEDIA_GRANTS = backend
    other = put_files(VideoFactory.create(), media_root)
    (media_root / "videos" / str(video.key) / "v1" / "secret.txt").write_text("secret")
    response = viewer.get(url(video, name.format(other=other.key)))
    assert response.status_code == 403
    assert "X-Accel-Redirect" not in response
    assert b"secret" not in body(response)


def test_a_refusal_tells_nothing_and_is_not_kept(viewer: Client, video: Video) -> None:
    absent = Client().get(url(video, "v1/absent.ts"))
    present = Client().get(url(video, "v1/360p/00000.ts"))
    assert (absent.status_code, absent.content, absent["Cache-Control"]) == (
        present.status_code,
        present.content,
        present["Cache-Control"],
    )
    assert present["Cache-Control"] == "private, no-store"
    assert viewer.get(url(video, "v1/absent.ts")).status_code == 404


def test_only_reading_is_possible(viewer: Client, video: Video) -> None:
    name = url(video, "v1/master.m3u8")
    assert {getattr(viewer, verb)(name).status_code for verb in ("post", "put", "delete", "patch")} == {405}


@pytest.mark.parametrize(
    ("name", "kind", "cache"),
    [
        ("v1/master.m3u8", "application/vnd.apple.mpegurl", "private, no-store"),
        ("v1/360p/index.m3u8", "application/vnd.apple.mpegurl", "private, no-store"),
        ("v1/360p/00000.ts", "video/mp2t", "private, max-age=600"),
        ("v1/poster.jpg", "image/jpeg", "private, max-age=600"),
        ("v1/sprite.vtt", "text/vtt; charset=utf-8", "private, max-age=600"),
        ("v1/video.mp4", "video/mp4", "private, max-age=600"),
    ],
)
def test_every_kind_has_its_type_and_its_caching(
    name: str, kind: str, cache: str, viewer: Client, video: Video
) -> None:
    response = viewer.get(url(video, name))
    assert (response["Content-Type"], response["Cache-Control"]) == (kind, cache)
    assert response["X-Content-Type-Options"] == "nosniff"
    assert body(response) == FILES[name]
    head = viewer.head(url(video, name))
    assert (head.status_code, head["Content-Length"], body(head)) == (200, str(len(FILES[name])), b"")


MP4 = FILES["v1/video.mp4"]


@pytest.mark.parametrize(
    ("wanted", "content", "told"),
    [
        ("bytes=0-0", MP4[:1], "bytes 0-0/10240"),
        ("bytes=0-99", MP4[:100], "bytes 0-99/10240"),
        ("bytes=10000-", MP4[10000:], "bytes 10000-10239/10240"),
        ("bytes=10000-99999", MP4[10000:], "bytes 10000-10239/10240"),
        ("bytes=-500", MP4[-500:], "bytes 9740-10239/10240"),
        ("bytes=-99999", MP4, "bytes 0-10239/10240"),
    ],
)
def test_ranges_of_the_mp4(wanted: str, content: bytes, told: str, viewer: Client, video: Video) -> None:
    response = viewer.get(url(video, "v1/video.mp4"), headers={"Range": wanted})
    assert (response.status_code, response["Content-Range"], response["Content-Length"]) == (
        206,
        told,
        str(len(content)),
    )
    assert body(response) == content
    assert response["Content-Type"] == "video/mp4"


@pytest.mark.parametrize("wanted", ["bytes=10240-", "bytes=99999-100000", "bytes=-0", "bytes=500-400"])
def test_impossible_ranges(wanted: str, viewer: Client, video: Video) -> None:
    response = viewer.get(url(video, "v1/video.mp4"), headers={"Range": wanted})
    assert (response.status_code, response["Content-Range"], body(response)) == (416, "bytes */10240", b"")


@pytest.mark.parametrize("wanted", ["bytes=-", "bytes=0-1,5-9", "lines=1-2", "bytes=a-b", "bytes"])
def test_ranges_that_mean_nothing_give_the_whole_file(wanted: str, viewer: Client, video: Video) -> None:
    response = viewer.get(url(video, "v1/video.mp4"), headers={"Range": wanted})
    assert (response.status_code, body(response)) == (200, MP4)
    assert response["Accept-Ranges"] == "bytes"


def test_sec_23_only_an_asked_for_download_is_an_attachment(viewer: Client, video: Video) -> None:
    shown, kept = viewer.get(url(video, "v1/video.mp4")), viewer.get(url(video, "v1/video.mp4") + "?download=1")
    assert "Content-Disposition" not in shown
    assert kept["Content-Disposition"] == 'attachment; filename="lecture.mp4"'
    assert (body(shown), body(kept)) == (MP4, MP4)
    poster = viewer.get(url(video, "v1/poster.jpg") + "?download=1")
    assert "Content-Disposition" not in poster
    assert body(poster) == FILES["v1/poster.jpg"]


def test_nginx_is_told_which_file_to_send(viewer: Client, video: Video, settings: Any) -> None:
    settings.MEDIA_GRANTS = "nginx"
    response = viewer.get(url(video, "v1/360p/00000.ts"))
    assert response["X-Accel-Redirect"] == f"/protected-media/videos/{video.key}/v1/360p/00000.ts"
    assert (response["Content-Type"], response.content) == ("video/mp2t", b"")


def ask(client: Client, original: str) -> int:
    return client.get("/media/grant/", headers={"X-Original-URI": original}).status_code


def test_sec_12_nginx_may_ask_before_it_sends(viewer: Client, video: Video, media_root: Path) -> None:
    other = put_files(VideoFactory.create(), media_root)
    allowed = {name: ask(viewer, url(video, name)) for name in FILES}
    assert set(allowed.values()) == {204}
    assert ask(viewer, url(video, "v1/video.mp4") + "?download=1") == 204
    refused = [url(other, name) for name in FILES]
    refused += [url(video, name.format(other=other.key)) for name in OUTSIDE]
    refused += ["", "/", "/admin/", "/media/grant/", "/media/videos/", "http://[bad", "/static/x.js"]
    assert {ask(viewer, original) for original in refused} == {403}
    assert {ask(Client(), url(video, name)) for name in FILES} == {403}
    assert viewer.get("/media/grant/").status_code == 403


@pytest.fixture(scope="module")
def key_pair() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def cloudfront(settings: Any, key_pair: rsa.RSAPrivateKey) -> Callable[[Video, datetime], dict[str, Morsel[str]]]:
    pem = key_pair.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    settings.MEDIA_GRANTS = "cloudfront"
    settings.MEDIA_CLOUDFRONT_DOMAIN = "media.learn.example"
    settings.MEDIA_CLOUDFRONT_KEY_ID = "K2JCJMDEHXQW5F"
    settings.MEDIA_CLOUDFRONT_PRIVATE_KEY = pem.decode().replace("\n", "\\n")
    settings.MEDIA_COOKIE_DOMAIN = "learn.example"

    def cookies(video: Video, at: datetime) -> dict[str, Morsel[str]]:
        response = HttpResponse()
        issue(response, video=video, user_id=7, device_id=uuid4(), now=at)
        return dict(response.cookies)

    return cookies


def decoded(value: str) -> bytes:
    return base64.b64decode(value.translate(str.maketrans("-_~", "+=/")))


def test_sec_13_cloudfront_cookies_carry_a_policy_for_one_asset_that_verifies(
    cloudfront: Callable[..., dict[str, Morsel[str]]], key_pair: rsa.RSAPrivateKey, video: Video
) -> None:
    at = now()
    cookies = cloudfront(video, at)
    assert set(cookies) == {"CloudFront-Policy", "CloudFront-Signature", "CloudFront-Key-Pair-Id"}
    for cookie in cookies.values():
        assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Lax")
        assert (cookie["path"], cookie["domain"]) == (f"/videos/{video.key}/", "learn.example")
        assert (cookie["max-age"], cookie["expires"]) == ("", "")
    assert cookies["CloudFront-Key-Pair-Id"].value == "K2JCJMDEHXQW5F"
    policy, signature = (decoded(cookies[f"CloudFront-{part}"].value) for part in ("Policy", "Signature"))
    key_pair.public_key().verify(signature, policy, PKCS1v15(), hashes.SHA1())
    with pytest.raises(InvalidSignature):
        key_pair.public_key().verify(signature, policy.replace(b"videos", b"others"), PKCS1v15(), hashes.SHA1())
    (statement,) = json.loads(policy)["Statement"]
    assert statement["Resource"] == f"https://media.learn.example/videos/{video.key}/*"
    left = statement["Condition"]["DateLessThan"]["AWS:EpochTime"] - at.timestamp()
    assert 9 * 60 <= left <= 10 * 60


def test_cloudfront_signs_once_an_asset_and_minute(
    cloudfront: Callable[..., dict[str, Morsel[str]]], video: Video, media_root: Path
) -> None:
    at = now().replace(second=5)
    first, same = cloudfront(video, at), cloudfront(video, at + timedelta(seconds=50))
    next_minute, other = cloudfront(video, at + timedelta(seconds=60)), cloudfront(VideoFactory.create(), at)
    values = [cookies["CloudFront-Policy"].value for cookies in (first, same, next_minute, other)]
    assert values[0] == values[1]
    assert len(set(values)) == 3


def test_sec_12_with_cloudfront_django_itself_serves_nothing(
    viewer: Client, cloudfront: Callable[..., dict[str, Morsel[str]]], video: Video
) -> None:
    assert statuses(viewer, video) == {403}
    assert sources(video).hls == f"https://media.learn.example/videos/{video.key}/v1/master.m3u8"


def test_sec_14_there_are_no_content_keys_to_protect(video: Video) -> None:
    """Segments are protected by the grant alone: nothing names a key, so none can leak."""
    from media.storages.base import CONTENT_TYPES

    assert "key" not in CONTENT_TYPES
    assert "EXT-X-KEY" not in Path("media/ffmpeg/encode.py").read_text() + Path("media/ffmpeg/playlists.py").read_text()


def test_pages_send_the_cookies_to_another_host_and_need_nothing_for_their_own(
    request: pytest.FixtureRequest, video: Video
) -> None:
    """Without the attribute a browser asks the distribution for captions and segments without cookies."""
    webinar = WebinarFactory.create(video=video)
    client = signed_in(RoleGrantFactory.create(role=Role.OPERATOR, programme=None).user)
    pages = (f"/webinars/{webinar.pk}/", f"/admin/media/video/{video.pk}/preview/")
    assert ["crossorigin" in video_element(client.get(page)) for page in pages] == [False, False]
    request.getfixturevalue("cloudfront")
    for page in pages:
        response = client.get(page)
        assert 'crossorigin="use-credentials"' in video_element(response)
        assert "CloudFront-Policy" in response.cookies


def video_element(response: Any) -> str:
    (element,) = re.findall(r"<video[^>]*>", response.content.decode())
    return str(element)
