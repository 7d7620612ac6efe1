"""How far the recording begins from where somebody left the live stream, by the numbers in the pictures.

Needs a database; brings a media storage of its own. Takes about a minute.
"""

import random
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.test import override_settings

from accounts.models import User
from tests.factories.accounts import UserFactory
from tests.factories.courses import EnrolmentFactory
from tests.recording.camera import RATE, shown_at
from tests.recording.theatre import (
    PARTS,
    LiveStop,
    at,
    film_parts,
    finish,
    live_stop,
    make_webinar_on_air,
    produce,
    published_frames,
    send,
)
from tests.webinars.watching import beat, make_device
from webinars.domain.editing import Wanted, save_cuts
from webinars.domain.queries import playback_state
from webinars.domain.resume import END_SECONDS
from webinars.domain.timelines import timeline_of
from webinars.domain.watching import record_beats, start_play_session
from webinars.models import Broadcast, Webinar

STOPS = 30
# Whole seconds of the uncut recording: the head, a pause across the first interruption, the end.
CUTS = (Wanted(0, 4, "greeting"), Wanted(37, 45, "coffee"), Wanted(99, 106, "goodbye"))


def measure_resume_error(*, stops: int = STOPS, seed: int = 20) -> dict[str, Any]:
    """Seconds between the frame left and the frame found: worst and mean, before and after three cuts.

    Not in it: who left within a cut finds the next frame that is shown, and who left within the last five seconds is
    led to what is unseen.
    """
    with tempfile.TemporaryDirectory(prefix="lms-resume-") as name, override_settings(**own_storage(Path(name))):
        return _measure(Path(name), stops=stops, chance=random.Random(seed))


def _measure(folder: Path, *, stops: int, chance: random.Random) -> dict[str, Any]:
    webinar = make_webinar_on_air()
    for filmed in film_parts(folder / "filmed"):
        send(webinar, filmed)
    people = {_doctor(webinar): chance.choice(PARTS) for _ in range(stops)}
    left: dict[User, LiveStop] = {}
    for doctor, (start, length) in people.items():
        left[doctor] = _watch_until(webinar, doctor, start + chance.uniform(0.2, length - 0.2))
    finish(webinar)
    uncut = _errors(webinar, left, now=at(200))
    save_cuts(broadcast_id=_broadcast(webinar).pk, cuts=CUTS, actor=None, now=at(300))
    cut = _errors(webinar, left, now=at(400))
    worst = max([*uncut.values(), *cut.values()])
    return {
        "resume_error_p100_s": round(worst, 3),
        "resume_error_mean_s": round(sum([*uncut.values(), *cut.values()]) / (len(uncut) + len(cut)), 3),
        "stop_points": len(uncut),
        "stop_points_after_cuts": len(cut),
        "interruptions": len(PARTS) - 1,
        "cuts": len(CUTS),
    }


def _doctor(webinar: Webinar) -> User:
    user: User = UserFactory.create()
    EnrolmentFactory.create(user=user, programme=webinar.lesson.course.programme, enrolled_at=at(-60))
    return user


def _watch_until(webinar: Webinar, doctor: User, program: float) -> LiveStop:
    """A player reports program time, and stops."""
    webinar.refresh_from_db()
    session = start_play_session(webinar=webinar, user=doctor, device=make_device(doctor), now=at(program - 1))
    (result,) = record_beats([beat(session, (max(0.0, program - 1), program))], now=at(program))
    assert result.refusal is None
    return live_stop(webinar, program)


def _errors(webinar: Webinar, left: dict[User, LiveStop], *, now: Any) -> dict[User, float]:
    """Makes the recording as it is wanted now, and looks where everybody continues."""
    video = produce(webinar, now=now)
    frames = published_frames(video)
    timeline = timeline_of(webinar.pk)
    found = {}
    for doctor, stop in left.items():
        state = playback_state(webinar=webinar, user=doctor)
        if not any(piece.start <= stop.program < piece.end for piece in timeline.pieces):
            continue
        if timeline.to_recording(stop.program) >= timeline.recording_seconds - END_SECONDS:
            continue
        found[doctor] = abs(shown_at(frames, state.position) - stop.number) / RATE
    return found


def _broadcast(webinar: Webinar) -> Broadcast:
    return Broadcast.objects.get(webinar=webinar, is_rehearsal=False)


def own_storage(folder: Path) -> dict[str, Any]:
    """Settings for a measurement that must not touch the machine's own media."""
    location = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(folder / "media")},
    }
    return {"STORAGES": {**settings.STORAGES, "media": location}, "MEDIA_WORK_DIR": folder / "work"}
