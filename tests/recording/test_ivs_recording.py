"""What AWS IVS recorded becomes a recording where everybody finds their frame: moto's S3 and real pictures."""

import urllib.request
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.core.cache import cache
from django.test import override_settings
from moto.server import ThreadedMotoServer

from media.models import Video
from media.storages import media_storage
from tests.factories.accounts import UserFactory
from tests.factories.courses import EnrolmentFactory
from tests.factories.media import VideoFactory
from tests.recording.camera import RATE, Filmed, shown_at
from tests.recording.ivs_world import (
    BUCKET,
    PLAYBACK_PEM,
    IvsApi,
    event_of,
    filmed_at,
    ivs_api,
    prefix_of,
    record,
)
from tests.recording.resume_error import own_storage
from tests.recording.theatre import film_parts, films, produce, published_frames
from tests.signing_in import signed_in
from tests.webinars.watching import NOON, beat, make_device, make_enrolment, make_webinar
from webinars.domain import ivs_recording
from webinars.domain.broadcast_sweep import sweep_webinars
from webinars.domain.broadcasts import program_now, sweep_broadcasts
from webinars.domain.editing import retry_edition, state_of_recording
from webinars.domain.ivs_live import LEAD, follow_ivs
from webinars.domain.ivs_recording import fetch_recording, tend_ivs, waiting_for_aws
from webinars.domain.live_source import live_source
from webinars.domain.queries import playback_state
from webinars.domain.recording import LeaseLost, live_prefix, put_together, waiting
from webinars.domain.schedule import end_webinar
from webinars.domain.timelines import timeline_of
from webinars.domain.watching import record_beats, start_play_session
from webinars.enums import IngestKind
from webinars.ingest.ivs import channel_name
from webinars.models import Broadcast, PlaySession, RoomEvent, Segment, Webinar

pytestmark = pytest.mark.django_db
ENDED = NOON + timedelta(seconds=40)
AFTER = ENDED + timedelta(minutes=3)


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    _host, port = moto.get_host_and_port()
    yield f"http://127.0.0.1:{port}"
    moto.stop()


@pytest.fixture(scope="module")
def parts() -> list[Filmed]:
    """Twelve seconds, an interruption of five, and ten more."""
    return film_parts(films(), ((0.0, 12.0), (17.0, 10.0)))


@pytest.fixture
def webinar(tmp_path: Path) -> Iterator[Webinar]:
    """Live since noon."""
    made = make_webinar(make_enrolment())
    Webinar.objects.filter(pk=made.pk).update(starts_at=NOON, live_at=NOON, video=None, ingest=IngestKind.IVS)
    Video.objects.filter(webinars=None).delete()
    made.refresh_from_db()
    cache.clear()
    with override_settings(**own_storage(tmp_path), AWS_ENDPOINT_URL="", LIVE_IVS_PLAYBACK_PRIVATE_KEY=PLAYBACK_PEM):
        yield made


@pytest.fixture
def api(webinar: Webinar, s3: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[IvsApi]]:
    with ivs_api(channel_name(webinar)) as (address, handler):
        for name, value in (
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_ENDPOINT_URL_IVS", address),
            ("AWS_ENDPOINT_URL_S3", s3),
            ("AWS_MAX_ATTEMPTS", "1"),
        ):
            monkeypatch.setenv(name, value)
        yield handler


@pytest.fixture
def bucket(api: type[IvsApi], s3: str) -> Any:
    urllib.request.urlopen(urllib.request.Request(f"{s3}/moto-api/reset", method="POST"), timeout=30).close()
    made = boto3.resource("s3", endpoint_url=s3, region_name="eu-central-1").Bucket(BUCKET)
    made.create(CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    return made


@pytest.fixture
def broadcast(webinar: Webinar, bucket: Any) -> Broadcast:
    """Over after forty seconds."""
    assert follow_ivs(now=NOON + timedelta(seconds=10)) == 1
    end_webinar(webinar_id=webinar.pk, actor=None, now=ENDED)
    return Broadcast.objects.get()


def fetch(broadcast: Broadcast, now: datetime = AFTER) -> bool:
    return fetch_recording(broadcast_id=broadcast.pk, clock=lambda: now)


def said(broadcast: Broadcast) -> tuple[bool, str]:
    state = state_of_recording(broadcast)
    return state.has_failed, state.problem


def live_doctor(webinar: Webinar, *, frame: int) -> PlaySession:
    """Watches live up to this frame; the player knows only the dates in AWS's playlist and our epoch."""
    user = UserFactory.create()
    EnrolmentFactory.create(user=user, programme=webinar.lesson.course.programme, enrolled_at=NOON)
    at = filmed_at(frame + 0.5)
    session = start_play_session(webinar=webinar, user=user, device=make_device(user), now=at - timedelta(seconds=2))
    program = (at - live_source(webinar).epoch).total_seconds()
    (result,) = record_beats([beat(session, (program - 2, program))], now=at)
    assert result.refusal is None
    return session


def test_who_watched_live_continues_at_the_very_frame(webinar: Webinar, bucket: Any, parts: list[Filmed]) -> None:
    """Two recordings with an interruption between them; measured in the pictures."""
    assert follow_ivs(now=NOON + timedelta(seconds=15)) == 1
    webinar.refresh_from_db()
    assert live_source(webinar).sources.hls == "https://a.live-video.net/b.m3u8"
    frames = (60, 137, 251, 17 * RATE + 30, 17 * RATE + 110)
    doctors = {frame: live_doctor(webinar, frame=frame) for frame in frames}
    end_webinar(webinar_id=webinar.pk, actor=None, now=ENDED)
    for filmed in reversed(parts):
        record(bucket, filmed)
    broadcast = Broadcast.objects.get()
    assert fetch(broadcast)
    assert not fetch(broadcast)
    assert [one.segments.count() for one in broadcast.publish_sessions.all()] == [6, 5]
    video = produce(webinar, now=AFTER)
    assert video.duration_seconds == pytest.approx(22.0, abs=0.1)
    zero = LEAD.total_seconds() + 3.437
    spans = [tuple(span) for span in broadcast.editions.get().spans]
    assert spans == [
        pytest.approx((zero, zero + 12, 0.0), abs=0.03),
        pytest.approx((zero + 17, zero + 27, 12.0), abs=0.03),
    ]
    shown = published_frames(video)
    for frame, session in doctors.items():
        state = playback_state(webinar=webinar, user=session.user)
        assert abs(shown_at(shown, state.position) - frame) <= 1, frame
    assert said(broadcast) == (False, "")
    assert timeline_of(webinar.pk).to_recording(zero + 14.0) == pytest.approx(12.0, abs=0.03)  # in the interruption


def test_the_broadcast_counts_from_go_live_however_late_it_is_noticed(webinar: Webinar, bucket: Any) -> None:
    assert follow_ivs(now=NOON + timedelta(minutes=4)) == 1
    assert follow_ivs(now=NOON + timedelta(minutes=5)) == 0
    broadcast = Broadcast.objects.get()
    assert (broadcast.epoch, broadcast.started_at) == (NOON - LEAD, NOON)
    assert RoomEvent.objects.filter(kind="state", payload__state="live").count() == 1  # pages wait for the picture
    assert program_now(webinar, NOON + timedelta(minutes=5)) == 360.0
    sweep_broadcasts(now=NOON + timedelta(hours=9))  # no publisher of ours, and yet not abandoned
    webinar.refresh_from_db()
    assert webinar.ended_at is None


def test_the_doctors_page_plays_what_aws_plays(webinar: Webinar, api: type[IvsApi]) -> None:
    """Before the sweep has been there it waits at the doors; AWS is asked once, and not by every doctor."""
    doctor = EnrolmentFactory.create(programme=webinar.lesson.course.programme).user
    browser, address = signed_in(doctor), f"/webinars/{webinar.pk}/"
    assert browser.get(address).context["found"].stage == "doors"
    assert follow_ivs(now=NOON + timedelta(seconds=15)) == 1
    asked = api.asked
    page = browser.get(address)
    player = page.context["player"]
    assert (page.context["found"].stage, player["sources"]["hls"]) == ("live", "https://a.live-video.net/b.m3u8")
    assert datetime.fromisoformat(player["epoch"]) == NOON - LEAD
    assert player["grant_seconds"] == 0  # nothing plays before the play session
    assert browser.get(f"/api/v1/webinars/{webinar.pk}/playback/").json()["sources"]["hls"] == player["sources"]["hls"]
    assert api.asked == asked


def test_a_webinar_that_ended_before_it_was_noticed_has_its_recording(webinar: Webinar, bucket: Any) -> None:
    end_webinar(webinar_id=webinar.pk, actor=None, now=ENDED)
    assert follow_ivs(now=AFTER) == 1
    assert waiting_for_aws(now=AFTER) == [Broadcast.objects.get(ended_at=ENDED).pk]
    assert sweep_webinars(now=AFTER) == 0


def test_a_recording_that_is_not_finished_is_waited_for(broadcast: Broadcast, bucket: Any, parts: list[Filmed]) -> None:
    assert not fetch(broadcast)
    failed, problem = said(broadcast)
    assert not failed
    assert "no recording of it yet" in problem
    assert "every minute" in problem
    rung: list[int] = []
    tend_ivs(ring=rung.append, now=AFTER + timedelta(seconds=30))
    assert rung == []
    record(bucket, parts[0])
    record(bucket, parts[1], event="started")
    for minute in range(1, 6):  # more often than an attempt may fail
        tend_ivs(ring=rung.append, now=AFTER + timedelta(minutes=minute, seconds=minute))
        assert not fetch(broadcast, AFTER + timedelta(minutes=minute, seconds=minute))
    assert rung == [broadcast.pk] * 5
    assert "not finished" in said(broadcast)[1]
    assert not Segment.objects.exists()
    bucket.put_object(Key=f"{prefix_of(parts[1])}events/recording-ended.json", Body=event_of(parts[1]))
    assert fetch(broadcast, AFTER + timedelta(minutes=8))
    assert waiting(now=AFTER + timedelta(minutes=8)) == [broadcast.pk]
    assert said(broadcast) == (False, "")


def test_patience_has_an_end_and_staff_can_try_again(broadcast: Broadcast, bucket: Any, parts: list[Filmed]) -> None:
    late = ENDED + timedelta(minutes=61)
    assert not fetch(broadcast, late)
    assert said(broadcast) == (True, "AWS has stored no recording of it yet.")
    assert waiting_for_aws(now=late) == []
    assert retry_edition(broadcast_id=broadcast.pk, now=late)
    record(bucket, parts[0])
    record(bucket, parts[1], event="started", skip=(4,))  # never finished: what is there is taken
    assert fetch(broadcast, late)
    assert put_together(broadcast_id=broadcast.pk, clock=lambda: late)
    failed, problem = said(broadcast)
    assert not failed
    assert problem == (
        "AWS did not finish a recording of this broadcast: the end of it may be missing. "
        "1 pieces of the broadcast could not be read and are missing."
    )


def test_what_aws_failed_to_store_whole_is_used_and_said(
    broadcast: Broadcast, bucket: Any, parts: list[Filmed]
) -> None:
    record(bucket, parts[0], event="failed", recording_status="RECORDING_ENDED_WITH_FAILURE", skip=(1, 2))
    assert fetch(broadcast)
    session = broadcast.publish_sessions.get()
    assert (session.segments.count(), session.health["missing"], session.health["is_partial"]) == (4, 2, True)
    assert session.health["formats"]["recorded"][:3] == [320, 180, 25]


def test_recordings_of_others_are_left_alone(broadcast: Broadcast, bucket: Any, parts: list[Filmed]) -> None:
    """Another channel's event in our folder, another channel's folder, another day, and a path that leads out."""
    record(bucket, parts[0], channel_arn="arn:aws:ivs:eu-central-1:123456789012:channel/other")
    bucket.put_object(
        Key=prefix_of(parts[1]).replace("/abc/", "/abcd/") + "events/recording-ended.json", Body=event_of(parts[1])
    )
    outside = {"hls": {"path": "../../x", "renditions": [{"path": "180p", "playlist": "playlist.m3u8"}]}}
    assert not fetch(broadcast)
    assert "no recording of it yet" in said(broadcast)[1]
    later = AFTER + timedelta(minutes=2)
    record(bucket, parts[1], media=outside)
    assert not fetch(broadcast, later)
    assert "outside its recording" in said(broadcast)[1]
    assert not Segment.objects.exists()


def test_only_the_time_on_air_is_fetched(broadcast: Broadcast, bucket: Any, parts: list[Filmed]) -> None:
    Broadcast.objects.update(epoch=filmed_at(4 * RATE), ended_at=filmed_at(9 * RATE))
    for filmed in parts:
        record(bucket, filmed)
    broadcast.refresh_from_db()
    assert fetch(broadcast)
    assert list(Segment.objects.values_list("number", "program_start")) == [(0, 0.0), (1, 2.0), (2, 4.0)]


def test_too_large_a_recording_is_not_begun(
    broadcast: Broadcast, bucket: Any, parts: list[Filmed], settings: Any
) -> None:
    settings.LIVE_IVS_MAX_GIB = 0
    record(bucket, parts[0])
    assert not fetch(broadcast)
    failed, problem = said(broadcast)
    assert failed
    assert "larger than" in problem
    assert not Path(media_storage().path(live_prefix(broadcast.key))).exists()


def test_a_channel_that_is_not_recorded_is_said_at_once(broadcast: Broadcast, api: type[IvsApi]) -> None:
    api.recording = ""
    assert not fetch(broadcast)
    failed, problem = said(broadcast)
    assert failed
    assert "does not record" in problem


def test_aws_that_does_not_answer_is_asked_again(broadcast: Broadcast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_IVS", "http://127.0.0.1:9")
    assert not fetch(broadcast)
    failed, problem = said(broadcast)
    assert not failed
    assert problem.startswith("AWS does not answer")


def test_a_killed_worker_leaves_nothing_in_the_way(broadcast: Broadcast, bucket: Any, parts: list[Filmed]) -> None:
    """Killed after it had copied everything, before it could commit. One that was only slow commits nothing either."""
    record(bucket, parts[0])
    killed = ivs_recording._claim(broadcast.pk, clock=lambda: AFTER)
    assert killed is not None
    assert waiting_for_aws(now=AFTER) == []
    folder = Path(media_storage().path(live_prefix(broadcast.key))) / "recorded"
    folder.mkdir(parents=True)
    (folder / "0.ts").write_bytes(b"half of another piece")
    later = AFTER + timedelta(minutes=10)
    assert fetch(broadcast, later)
    assert (folder / "0.ts").read_bytes() == parts[0].segments[0][0].read_bytes()
    with pytest.raises(LeaseLost):
        ivs_recording._commit(killed, [])
    assert Segment.objects.count() == 6


def test_a_video_chosen_by_hand_ends_the_search(broadcast: Broadcast, webinar: Webinar) -> None:
    Webinar.objects.filter(pk=webinar.pk).update(video=VideoFactory.create())
    assert waiting_for_aws(now=AFTER) == []
