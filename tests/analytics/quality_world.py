"""What players told of a lecture, as a page shows it: by the hundred, from many countries, devices and lines."""

from datetime import timedelta

from django.utils.timezone import now

from analytics.domain.rollups.refreshing import refresh
from analytics.enums import DeviceKind, NetworkKind
from analytics.models import PlaybackReport, QualityMinute
from courses.models import Course
from tests.analytics.reports import open_again
from tests.factories.accounts import UserFactory
from tests.factories.courses import LessonFactory
from tests.factories.webinars import LiveWebinarFactory
from tests.webinars.watching import open_player
from webinars.enums import Phase
from webinars.models import Broadcast, PlaySession, Webinar

COUNTRIES = ("IN", "BR", "KE", "DE", "VN", "")
LOUD = 20 * 60_000


def tell_of_play(webinar: Webinar, *, days: int = 6, each: int = 24) -> None:
    """Everything that looks random follows from the number. The first day is live."""
    session = open_player()
    session.webinar = webinar
    session.save()
    others = [session, open_again(session), open_again(session)]
    made = []
    for day in range(days):
        phase = Phase.ON_DEMAND if day else Phase.LIVE
        for number in range(each):
            at = now() - timedelta(days=days - day, minutes=number)
            place = number * 7 + day
            mobile = place % 3 == 0
            made.append(
                PlaybackReport(
                    session_started_at=at,
                    session=others[number % 3],
                    number=1 if number % 2 == 0 else 2,
                    webinar=webinar,
                    phase=phase,
                    received_at=at,
                    country=COUNTRIES[place % len(COUNTRIES)],
                    device=DeviceKind.PHONE if mobile else list(DeviceKind)[place % 3 + 1],
                    network=NetworkKind.THIRD if mobile else list(NetworkKind)[place % len(NetworkKind)],
                    start_ms=(300 + place * 97 % 5_000) * (4 if mobile else 1),
                    play_ms=240_000,
                    stall_ms=30_000 if mobile else place % 5 * 1_500,
                    stalls=place % 4,
                    kbits=240 * (600 if mobile else 2_400),
                    errors=int(place % 11 == 0),
                )
            )
    PlaybackReport.objects.bulk_create(made)
    refresh(webinar_id=webinar.pk, now=now(), whole=True)


def on_air(course: Course, title: str) -> Webinar:
    position = course.lessons.count() + 1
    webinar: Webinar = LiveWebinarFactory.create(
        lesson=LessonFactory.create(course=course, title=title, position=position)
    )
    Broadcast.objects.create(webinar=webinar, started_at=now() - timedelta(hours=1))
    return webinar


def minute(webinar: Webinar, country: str, *, play: int, stall: int, ago: int = 1) -> None:
    sums = dict.fromkeys(("plays", "sessions", "starts", "start_ms_sum", "stalls", "kbits", "errors"), 0)
    QualityMinute.objects.create(
        webinar=webinar,
        phase=Phase.LIVE,
        at=(now() - timedelta(minutes=ago)).replace(second=0, microsecond=0),
        country=country,
        play_ms=play,
        stall_ms=stall,
        start_buckets=[0] * 8,
        **sums,
    )


def tell_live(
    webinar: Webinar, country: str, people: int, *, players: int = 1, errors: int = 0, play: int = 0, ago: int = 1
) -> None:
    """Each of so many people told once with each of so many players, one after the other."""
    device = open_player().device
    at = now() - timedelta(minutes=ago)
    for _ in range(people):
        user = UserFactory.create()
        for _ in range(players):
            session = PlaySession.objects.create(
                user=user, webinar=webinar, phase=Phase.LIVE, device=device, epoch=at, media_seconds=3600,
                required_seconds=3600, started_at=at,
            )  # fmt: skip
            PlaybackReport.objects.create(
                session_started_at=at, session=session, number=1, webinar=webinar, phase=Phase.LIVE, received_at=at,
                country=country, device=DeviceKind.PHONE, network=NetworkKind.FOURTH, play_ms=play, stall_ms=0,
                stalls=0, kbits=0, errors=errors,
            )  # fmt: skip


def play_badly(course: Course) -> None:
    """One that keeps stopping in India and does not come up in Kenya, one that goes well, one of a single player."""
    bad, good, quiet = (on_air(course, title) for title in ("Stopping", "Going well", "Hardly watched"))
    tell_live(bad, "KE", 5, errors=3)
    tell_live(quiet, "DE", 1, play=60_000)
    minute(bad, "IN", play=LOUD, stall=LOUD)
    minute(good, "BR", play=LOUD, stall=0)
