"""A doctor with a lecture open, and what their player tells."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from hypothesis import strategies as st

from analytics.domain.playback import Report, take_reports
from analytics.enums import NetworkKind, PlaybackError
from analytics.models import PlaybackReport
from tests.webinars.watching import NOON, open_player
from webinars.enums import Phase
from webinars.models import PlaySession, Webinar

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1"
IPAD = "Mozilla/5.0 (iPad; CPU OS 12_5 like Mac OS X) AppleWebKit/605.1.15 Version/12.1 Safari/604.1"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36"


def tell(session: PlaySession, *reports: Report, after: float = 300, country: str = "DE", agent: str = WINDOWS) -> int:
    """`after` so many seconds since noon, when the player was opened."""
    return take_reports(
        reports, session=session, country=country, user_agent=agent, now=NOON + timedelta(seconds=after)
    )


def told(session: PlaySession) -> PlaybackReport:
    return PlaybackReport.objects.get(session=session)


def open_again(session: PlaySession, *, started_at: datetime = NOON) -> PlaySession:
    """Another player of the same webinar, of somebody in the same programme."""
    return PlaySession.objects.create(
        user=session.user,
        webinar=session.webinar,
        phase=session.phase,
        device=session.device,
        enrolment=session.enrolment,
        media_seconds=session.media_seconds,
        required_seconds=session.required_seconds,
        started_at=started_at,
    )


reports = st.builds(
    Report,
    number=st.integers(1, 6),
    network=st.sampled_from(NetworkKind),
    start_ms=st.one_of(st.none(), st.sampled_from([0, 249, 250, 999, 1_000, 15_999, 16_000, 600_000])),
    play_ms=st.integers(0, 400_000),
    stall_ms=st.integers(0, 60_000),
    stalls=st.integers(0, 50),
    kbits=st.integers(0, 10**6),
    errors=st.integers(0, 3),
    error_kind=st.sampled_from(PlaybackError),
    replayed=st.sampled_from([(), ((0, 30),), ((10, 20), (50, 700))]),
)
# (which player, seconds after noon, country, device, what it tells)
tellings = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.one_of(st.sampled_from([0, 59.999999, 60, 3_600, 43_200]), st.floats(0, 90_000, allow_nan=False)),
        st.sampled_from(["", "DE", "IN"]),
        st.sampled_from([WINDOWS, IPHONE, ""]),
        st.lists(reports, max_size=3),
    ),
    max_size=10,
)


def lecture() -> tuple[Webinar, list[PlaySession]]:
    first = open_player()
    return first.webinar, [first, open_again(first), open_again(first, started_at=NOON.astimezone(UTC))]


def row(number: int = 1, **fields: Any) -> dict[str, Any]:
    """As a page writes it."""
    return {"number": number, "play_ms": 60_000, "stall_ms": 0, "stalls": 0, "kbits": 0, "errors": 0} | fields


def reported(webinar: Webinar, number: int, *, at: datetime = NOON, **fields: Any) -> list[PlaybackReport]:
    """So many reports, each of a player of its own, a minute apart."""
    return [
        PlaybackReport.objects.create(
            session_started_at=at + timedelta(minutes=n),
            session_id=uuid4(),
            number=1,
            webinar=webinar,
            phase=Phase.ON_DEMAND,
            received_at=at + timedelta(minutes=n, seconds=30),
            **{"device": "phone", "network": "4g", "country": "IN", "start_ms": n or None, "play_ms": 1_000 * n,
               "stall_ms": 0, "stalls": 0, "kbits": 0, "errors": 0, "replayed": ((n, n + 2),)} | fields,
        )
        for n in range(number)
    ]  # fmt: skip
