"""From a broadcast that ended to a recording where everybody finds their place: real segments, a real encoder."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings

from accounts.models import AuditEvent
from media.domain.sweeping import sweep_media
from media.domain.transcoding import transcode_video
from media.models import StoredTree, Video
from media.storages import media_storage
from tests.factories.accounts import UserFactory
from tests.factories.courses import EnrolmentFactory
from tests.recording.camera import RATE, shown_at
from tests.recording.resume_error import measure_resume_error, own_storage
from tests.recording.theatre import at, film_parts, films, finish, make_webinar_on_air, produce, published_frames, send
from tests.webinars.watching import make_device
from tests.webinars.watching import send as send_beat
from webinars.domain import recording
from webinars.domain.chapters import ChapterError, chapters_of, save_chapters
from webinars.domain.editing import (
    EditError,
    NoRecordingError,
    NothingLeftError,
    OutsideError,
    PiecesGoneError,
    TooManyCutsError,
    Wanted,
    interruptions,
    preview_of,
    retry_edition,
    save_cuts,
    undo_cuts,
)
from webinars.domain.queries import playback_state
from webinars.domain.recording import live_prefix, note_published, open_recordings, put_together, tend, waiting
from webinars.domain.schedule import state_of
from webinars.domain.watching import start_play_session
from webinars.enums import RecordingPolicy, WebinarState
from webinars.models import Broadcast, Cut, Edition, PlaySession, RoomEvent, Segment, Webinar

pytestmark = [pytest.mark.django_db, pytest.mark.long]


@pytest.fixture(autouse=True)
def storage(tmp_path: Path) -> Iterator[None]:
    with override_settings(**own_storage(tmp_path)):
        yield


def test_everybody_continues_at_the_very_frame() -> None:
    """Two interruptions, three cuts, two dozen stop points; measured in the pictures."""
    found = measure_resume_error()
    assert found["stop_points"] >= 20
    assert found["stop_points_after_cuts"] >= 12
    assert found["resume_error_p100_s"] <= 0.25


def test_one_broadcast_from_its_end_to_a_second_edition() -> None:
    """Pages hear of the recording once; the old timeline holds until the very moment the new file is on air."""
    webinar = on_air()
    watcher = live_viewer(webinar)
    send_beat(watcher, (0, 12), after=13)
    finish(webinar)
    webinar.refresh_from_db()
    assert state_of(webinar, now=at(60)) is WebinarState.ENDED
    video = produce(webinar, now=at(100))
    assert video.title == webinar.lesson.title
    assert (webinar.video, state_of(webinar, now=at(101))) == (video, WebinarState.RECORDING_READY)
    assert [event.payload["state"] for event in RoomEvent.objects.filter(kind="state").order_by("number")] == [
        "ended",
        "recording_ready",
    ]
    assert video.duration_seconds == pytest.approx(22.0, abs=0.1)
    assert open_recordings(now=at(110)) == 0
    broadcast = Broadcast.objects.get()
    save_cuts(broadcast_id=broadcast.pk, cuts=[Wanted(0, 4), Wanted(10, 14, "pause")], actor=None, now=at(200))
    assert put_together(broadcast_id=broadcast.pk, clock=lambda: at(210))
    before = playback_state(webinar=webinar, user=watcher.user)
    assert (before.coverage, before.position) == (((0, 12),), 12.0)  # handed over, not on air
    assert not Cut.objects.exclude(applied_at=None).exists()
    assert transcode_video(video_id=video.pk, clock=lambda: at(220))
    after = playback_state(webinar=webinar, user=watcher.user)
    assert (after.coverage, after.position) == (((0, 6),), 6.0)  # at once, before the sweep has looked
    assert note_published(now=at(230)) == 1
    assert set(Cut.objects.values_list("start", "end", "reason", "applied_at")) == {
        (0.0, 4.0, "", at(230)),
        (10.0, 14.0, "pause", at(230)),
    }
    # Second 6 of the new version is 14 of the uncut one: two seconds into the second part, which began at 17.
    assert abs(shown_at(published_frames(Video.objects.get(pk=video.pk)), 6.0) - 19 * RATE) <= 1
    undone = undo_cuts(broadcast_id=broadcast.pk, actor=None, now=at(300))
    assert undone is not None
    assert undone.cuts == []


@pytest.fixture
def short() -> Webinar:
    webinar = on_air()
    finish(webinar)
    return webinar


def on_air() -> Webinar:
    """Twelve seconds, an interruption of five, and ten more."""
    webinar = make_webinar_on_air()
    for filmed in film_parts(films(), ((0.0, 12.0), (17.0, 10.0))):
        send(webinar, filmed)
    webinar.refresh_from_db()
    return webinar


def live_viewer(webinar: Webinar) -> PlaySession:
    user = UserFactory.create()
    EnrolmentFactory.create(user=user, programme=webinar.lesson.course.programme, enrolled_at=at(-60))
    return start_play_session(webinar=webinar, user=user, device=make_device(user), now=at(0))


def test_a_killed_worker_is_followed_by_the_next(short: Webinar) -> None:
    """Killed while it held the lease: nothing is named, nothing is lost, and the lease runs out."""
    broadcast = Broadcast.objects.get()
    killed = recording._claim(broadcast.pk, clock=lambda: at(100))
    assert killed is not None
    assert waiting(now=at(101)) == []
    assert not put_together(broadcast_id=broadcast.pk, clock=lambda: at(101))
    assert waiting(now=at(100) + timedelta(seconds=settings.MEDIA_LEASE_SECONDS + 1)) == [broadcast.pk]
    later = at(1000)
    assert put_together(broadcast_id=broadcast.pk, clock=lambda: later)
    assert (Video.objects.exclude(source_key="").count(), Edition.objects.count()) == (1, 1)
    with pytest.raises(recording.LeaseLost):  # the dead one was only slow
        killed.renew(timedelta(seconds=60))
    assert not put_together(broadcast_id=broadcast.pk, clock=lambda: later)


def test_a_worker_that_was_overtaken_hands_nothing_over(short: Webinar) -> None:
    """Its file is stored already when another one takes the broadcast."""
    broadcast = Broadcast.objects.get()

    def clock() -> datetime:
        if list(Path(media_storage().path("")).glob("sources/*/*.ts")):
            Broadcast.objects.update(lease_until=at(99_999))
        return at(100)

    assert not put_together(broadcast_id=broadcast.pk, clock=clock)
    assert Edition.objects.get().handed_at is None
    assert StoredTree.objects.get(prefix__startswith="sources/").remove_after == at(100)


def test_a_storage_that_is_away_is_tried_again_and_then_said(short: Webinar) -> None:
    broadcast = Broadcast.objects.get()
    Segment.objects.update(renditions={"480p": [2.0, 1000]})
    for attempt in range(settings.MEDIA_MAX_ATTEMPTS):
        assert waiting(now=at(100 + attempt)) == [broadcast.pk]
        assert not put_together(broadcast_id=broadcast.pk, clock=partial(at, 100 + attempt))
    assert waiting(now=at(999)) == []
    assert Edition.objects.get().problem
    Segment.objects.update(renditions={"360p": [2.0, 1000]})
    assert retry_edition(broadcast_id=broadcast.pk, now=at(1000))
    assert put_together(broadcast_id=broadcast.pk, clock=lambda: at(1001))
    assert Edition.objects.get().problem == ""


def test_a_date_opens_the_recording_and_tells_open_pages_once(short: Webinar) -> None:
    Webinar.objects.update(recording_policy=RecordingPolicy.AT_DATE, recording_opens_at=at(5000))
    produce(short, now=at(100))
    assert state_of(short, now=at(4999)) is WebinarState.ENDED
    assert open_recordings(now=at(4999)) == 0
    assert open_recordings(now=at(5000)) == 1
    assert open_recordings(now=at(5001)) == 0
    assert RoomEvent.objects.filter(kind="state").latest("number").payload == {"state": "recording_ready"}


def test_the_sweep_rings_for_what_waits_and_dates_the_removal_of_the_pieces(short: Webinar) -> None:
    broadcast = Broadcast.objects.get()
    rung: list[int] = []
    tend(ring=rung.append, now=at(60))
    assert rung == [broadcast.pk]
    produce(short, now=at(100))
    tend(ring=rung.append, now=at(110))
    assert rung == [broadcast.pk]
    tree = StoredTree.objects.get(prefix=live_prefix(broadcast.key))
    assert tree.remove_after == at(100) + timedelta(days=settings.LIVE_SEGMENT_DAYS)
    stored = Path(media_storage().path(live_prefix(broadcast.key)))
    assert stored.is_dir()
    sweep_media(now=at(100) + timedelta(days=settings.LIVE_SEGMENT_DAYS, seconds=1))
    assert not stored.exists()
    StoredTree.objects.create(prefix=live_prefix(broadcast.key), created_at=at(0), remove_after=at(1))
    with pytest.raises(PiecesGoneError):
        save_cuts(broadcast_id=broadcast.pk, cuts=[Wanted(0, 4)], actor=None, now=at(9999))


@pytest.mark.parametrize(
    ("cuts", "error"),
    [
        pytest.param([Wanted(5, 5)], OutsideError, id="empty"),
        pytest.param([Wanted(-1, 5)], OutsideError, id="before the beginning"),
        pytest.param([Wanted(22, 30)], OutsideError, id="behind the end"),
        pytest.param([Wanted(0, 13)], NothingLeftError, id="nearly everything"),
        pytest.param([Wanted(n, n + 1) for n in range(101)], TooManyCutsError, id="a hundred and one"),
    ],
)
def test_what_cannot_be_cut_is_refused_in_words(short: Webinar, cuts: list[Wanted], error: type[EditError]) -> None:
    broadcast = Broadcast.objects.get()
    with pytest.raises(NoRecordingError):
        save_cuts(broadcast_id=broadcast.pk, cuts=[Wanted(0, 4)], actor=None, now=at(90))
    assert put_together(broadcast_id=broadcast.pk, clock=lambda: at(100))
    with pytest.raises(error):
        save_cuts(broadcast_id=broadcast.pk, cuts=cuts, actor=None, now=at(200))
    assert (Cut.objects.count(), Edition.objects.count()) == (0, 1)


def test_cuts_that_touch_become_one_and_the_same_again_changes_nothing(short: Webinar) -> None:
    broadcast = Broadcast.objects.get()
    assert put_together(broadcast_id=broadcast.pk, clock=lambda: at(100))
    assert save_cuts(broadcast_id=broadcast.pk, cuts=[], actor=None, now=at(150)) is None
    wanted = [Wanted(3, 6, "cough"), Wanted(0, 3), Wanted(18, 99)]
    edition = save_cuts(broadcast_id=broadcast.pk, cuts=wanted, actor=None, now=at(200))
    assert edition is not None
    assert edition.cuts == [[0, 6], [18, 22]]
    assert save_cuts(broadcast_id=broadcast.pk, cuts=[Wanted(0, 6), Wanted(18, 22)], actor=None, now=at(210)) is None
    newer = save_cuts(broadcast_id=broadcast.pk, cuts=[Wanted(0, 6)], actor=None, now=at(220))
    assert newer is not None
    assert [one.cuts for one in Edition.objects.all()] == [[], [[0, 6]]]  # the one in between was never made
    assert AuditEvent.objects.filter(action="recording.cut").count() == 2


def test_interruptions_and_chapters_are_shown_where_they_are(short: Webinar) -> None:
    broadcast = Broadcast.objects.get()
    assert put_together(broadcast_id=broadcast.pk, clock=lambda: at(100))
    ((place, missing),) = interruptions(broadcast)
    assert (place, missing) == pytest.approx((12.0, 5.0), abs=0.05)
    chapters = [(0.0, "Welcome"), (5.0, " Cut away "), (8.0, "Method"), (21.5, "Goodbye")]
    assert save_chapters(webinar_id=short.pk, chapters=chapters, actor=None, now=at(150)) == 4
    assert save_chapters(webinar_id=short.pk, chapters=chapters, actor=None, now=at(151)) == 4
    assert AuditEvent.objects.filter(action="recording.chapters").count() == 1
    for wrong in ([(0.0, "One"), (0.0, "Two")], [(-1.0, "Before")], [(3.0, " ")]):
        with pytest.raises(ChapterError):
            save_chapters(webinar_id=short.pk, chapters=wrong, actor=None, now=at(160))
    edition = preview_of(broadcast, ((4, 7), (21, 22)))
    assert chapters_of(short.pk, edition) == [(0.0, "Welcome"), (4.0, "Cut away"), (5.0, "Method")]
    assert [title for _, title in chapters_of(short.pk, None)] == ["Welcome", "Cut away", "Method", "Goodbye"]
