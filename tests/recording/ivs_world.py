"""AWS IVS as the recording sees it: its API on loopback, and what it writes to S3, which moto plays."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.recording.camera import RATE, Filmed
from tests.webinars.watching import NOON

ARN = "arn:aws:ivs:eu-central-1:123456789012:channel/abc"
CONFIGURATION = "arn:aws:ivs:eu-central-1:123456789012:recording-configuration/r"
BUCKET = "broadcasts"
# Frame 0 of the camera by AWS's clock: no whole second, and no moment that our own clock knows.
FRAME_ZERO = NOON + timedelta(seconds=3.437)
PLAYBACK_KEY = ec.generate_private_key(ec.SECP384R1())
PLAYBACK_PEM = PLAYBACK_KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()


class IvsApi(BaseHTTPRequestHandler):
    """`revoked`: every viewer session that AWS was asked to end. `refusing`: those that it answers an error for."""

    recording = CONFIGURATION
    asked = 0
    is_down = False
    revoked: list[dict[str, Any]]
    refusing: set[str]

    def do_POST(self) -> None:
        kind = type(self)
        kind.asked += 1
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
        sessions = asked.get("viewerSessions", [])
        if not kind.is_down:
            kind.revoked += sessions
        errors = [one | {"code": "Throttled", "message": ""} for one in sessions if one["viewerId"] in kind.refusing]
        channel = {
            "arn": ARN,
            "authorized": True,
            "playbackUrl": "https://a.live-video.net/b.m3u8",
            "ingestEndpoint": "abc.example",
        }
        place = {"s3": {"bucketName": BUCKET}}
        answers: dict[str, Any] = {
            "ListChannels": {"channels": [{"arn": ARN, "name": self.name()}]},
            "GetChannel": {"channel": {**channel, "recordingConfigurationArn": type(self).recording}},
            "GetRecordingConfiguration": {
                "recordingConfiguration": {"arn": CONFIGURATION, "destinationConfiguration": place, "state": "ACTIVE"}
            },
            "BatchStartViewerSessionRevocation": {"errors": errors},
        }
        body = json.dumps({} if kind.is_down else answers[self.path.strip("/")]).encode()
        self.send_response(503 if kind.is_down else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def name(self) -> str:
        return str(self.server.channel)  # type: ignore[attr-defined]

    def log_message(self, *_: Any) -> None:
        """Nothing on the terminal."""


@contextmanager
def ivs_api(channel: str) -> Iterator[tuple[str, type[IvsApi]]]:
    handler = type("Api", (IvsApi,), {"revoked": [], "refusing": set()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.channel = channel  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", handler
        finally:
            server.shutdown()
            thread.join()


def filmed_at(frame: float) -> datetime:
    return FRAME_ZERO + timedelta(seconds=frame / RATE)


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def prefix_of(filmed: Filmed) -> str:
    at = filmed_at(filmed.first)
    return f"ivs/v1/123456789012/abc/{at.year}/{at.month}/{at.day}/{at.hour}/{at.minute}/rec{filmed.first}/"


def event_of(filmed: Filmed, **changes: Any) -> bytes:
    """Whole seconds, as AWS has them."""
    frames = filmed.first + round(sum(seconds for _, seconds in filmed.segments) * RATE)
    event = {
        "version": "v1",
        "channel_arn": ARN,
        "recording_started_at": filmed_at(filmed.first).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "recording_ended_at": filmed_at(frames).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "recording_status": "RECORDING_ENDED",
        "media": {
            "hls": {
                "path": "media/hls",
                "playlist": "master.m3u8",
                "renditions": [
                    {"path": "90p", "playlist": "playlist.m3u8", "resolution_height": 90, "resolution_width": 160},
                    {"path": "180p", "playlist": "playlist.m3u8", "resolution_height": 180, "resolution_width": 320},
                ],
            }
        },
    }
    return json.dumps(event | changes).encode()


def playlist_of(filmed: Filmed, *, dated: bool = True) -> bytes:
    lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:2", "#EXT-X-PLAYLIST-TYPE:EVENT"]
    passed = 0.0
    for number, (_, seconds) in enumerate(filmed.segments):
        if dated:
            lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{stamp(filmed_at(filmed.first + passed * RATE))}")
        lines += [f"#EXTINF:{seconds:.3f},", f"{number}.ts"]
        passed += seconds
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""]).encode()


def record(bucket: Any, filmed: Filmed, *, event: str = "ended", skip: tuple[int, ...] = (), **changes: Any) -> None:
    """What AWS leaves in the bucket. The small rendition is broken: nobody shall take it."""
    prefix = prefix_of(filmed)

    def put(name: str, body: bytes) -> None:
        bucket.put_object(Key=f"{prefix}{name}", Body=body)

    put("events/recording-started.json", event_of(filmed, recording_ended_at="", recording_status="RECORDING_STARTED"))
    put("media/hls/90p/playlist.m3u8", b"broken")
    put("media/hls/180p/playlist.m3u8", playlist_of(filmed))
    for number, (path, _) in enumerate(filmed.segments):
        if number not in skip:
            put(f"media/hls/180p/{number}.ts", path.read_bytes())
    if event != "started":
        put(f"events/recording-{event}.json", event_of(filmed, **changes))
