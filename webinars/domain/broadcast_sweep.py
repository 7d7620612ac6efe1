"""What a broadcast needs although nobody is there: run every 15 seconds."""

from datetime import datetime

from webinars.domain.broadcasts import sweep_broadcasts, sweep_sessions
from webinars.domain.live_files import close_playlists


def sweep(*, now: datetime) -> None:
    sweep_sessions(now=now)
    sweep_broadcasts(now=now)
    close_playlists(now=now)
