"""Doctors who have watched: played through the real watch engine, with a clock of their own in the past.

Nothing is written past the domain. A play session and its beats are what a player would have sent; the engine credits
them, and the same sweep as always completes the lessons.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from accounts.domain.devices import end_device
from accounts.enums import DeviceEnd, SignInMethod
from accounts.models import Device, User
from courses.models import Enrolment
from lms.demo.people import Doctor
from webinars.domain.beats import read_beat
from webinars.domain.completion import settle
from webinars.domain.resume import required_seconds
from webinars.domain.watching import record_beats
from webinars.enums import Phase
from webinars.models import PlaySession, Webinar

PHONE = "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36"
SKIPPED_SECONDS = 20


def watch(
    *,
    people: Sequence[tuple[Doctor, Enrolment]],
    webinars: Mapping[str, Webinar],
    seconds: Mapping[str, int],
    now: datetime,
) -> None:
    """Each doctor watched one lecture an evening, the last one the day before yesterday."""
    order = list(seconds)
    for number, (doctor, enrolment) in enumerate(people):
        watched = sorted(doctor.watched.items(), key=lambda one: (one[1], -order.index(one[0])), reverse=True)
        device = _device(enrolment.user, number, now)
        for place, (deck, share) in enumerate(watched):
            at = now - timedelta(days=2 + 3 * (len(watched) - 1 - place), hours=number)
            _play(enrolment, webinars[deck], device=device, length=seconds[deck], share=share, at=at)
            settle(now=at + timedelta(minutes=10))
        end_device(device=device, reason=DeviceEnd.SIGNED_OUT, now=now - timedelta(days=1, hours=number))


def _device(user: User, number: int, now: datetime) -> Device:
    """Signed out in the end, so that it takes no place among the devices of the person who tries the account."""
    at = now - timedelta(days=80)
    return Device.objects.create(
        user=user,
        session_key=f"demonstration-{user.pk}",
        name="Chrome on Android",
        user_agent=PHONE,
        address=f"192.0.2.{number + 1}",
        method=SignInMethod.LINK,
        created_at=at,
        last_seen_at=now - timedelta(days=2),
    )


def _play(enrolment: Enrolment, webinar: Webinar, *, device: Device, length: int, share: float, at: datetime) -> None:
    """Those who did not finish also jumped over a part, so that the bar shows a gap."""
    session = PlaySession.objects.create(
        user=enrolment.user,
        webinar=webinar,
        phase=Phase.ON_DEMAND,
        device=device,
        enrolment=enrolment,
        media_seconds=length,
        required_seconds=required_seconds(length, webinar.completion_percent),
        started_at=at,
    )
    seen = round(length * share)
    spans = (
        [[0, seen]]
        if share == 1 or seen <= 3 * SKIPPED_SECONDS
        else [[0, seen // 2], [seen // 2 + SKIPPED_SECONDS, seen]]
    )
    raw = {"n": 1, "s": spans, "p": seen}
    beat = read_beat(raw, user_id=enrolment.user_id, webinar_id=webinar.pk, session=str(session.pk))
    over = at + timedelta(seconds=seen)
    (result,) = record_beats([beat], now=over)
    if result.refusal:
        raise RuntimeError(f"The watch engine refused the demonstration's beat: {result.refusal}")
    PlaySession.objects.filter(pk=session.pk).update(ended_at=over)
