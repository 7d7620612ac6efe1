"""Celery doorbells of the watch engine."""

from celery import shared_task

from core.clock import asked_now


@shared_task(name="webinars.settle_watch_records")
def settle_watch_records() -> int:
    """Rung when somebody reaches a threshold, and run every half minute for the doorbells that Redis lost."""
    from webinars.domain.completion import settle

    return settle(now=asked_now())


@shared_task(name="webinars.announce_tallies")
def announce_tallies() -> int:
    """Rung two seconds after a vote, and run every ten seconds for the doorbells that Redis lost.

    Also closes the polls and checks of webinars that have ended.
    """
    from webinars.domain import checks
    from webinars.domain.polls import close_left_open
    from webinars.domain.tally_news import announce_due

    now = asked_now()
    return announce_due(now=now) + close_left_open(now=now) + checks.close_left_open(now=now)


@shared_task(name="webinars.sweep_broadcasts")
def sweep_broadcasts() -> None:
    """Dead publishers, broadcasts that nobody ends, and the ends of playlists. The ingest process does it faster."""
    from webinars.domain.broadcast_sweep import sweep

    sweep(now=asked_now())


@shared_task(name="webinars.cut_off_ivs")
def cut_off_ivs() -> int:
    """Rung when somebody is removed from a webinar on AWS IVS, and run every three seconds: rights end in many ways."""
    from webinars.domain.ivs_viewers import cut_off

    return cut_off(now=asked_now())


@shared_task(name="webinars.announce_spot_queue")
def announce_spot_queue(window_id: int) -> None:
    """The last word about a queue at the door, where the announcements before it came too close together."""
    from webinars.domain.spot_queue import post_queue

    post_queue(window_id=window_id, now=asked_now())


@shared_task(name="webinars.close_silent_visits")
def close_silent_visits() -> int:
    """Ends visits to meetings elsewhere whose page was closed without a word."""
    from webinars.domain.visits import close_silent_visits as close

    return close(now=asked_now())


@shared_task(name="webinars.put_together")
def put_together(broadcast_id: int) -> bool:
    """Rung when a webinar ends or its cuts change, and by the sweep. Runs for seconds to minutes."""
    from webinars.domain.recording import put_together as work

    return work(broadcast_id=broadcast_id)


@shared_task(name="webinars.fetch_recording")
def fetch_recording(broadcast_id: int) -> bool:
    """Rung by the sweep when a webinar on AWS IVS has ended. Copies up to gigabytes."""
    from webinars.domain.ivs_recording import fetch_recording as work

    return work(broadcast_id=broadcast_id)


@shared_task(name="webinars.tend_recordings")
def tend_recordings() -> None:
    """What a lost bell or a killed worker left, what the pipeline has published, and what opens at a date."""
    from webinars.domain.ivs_recording import tend_ivs
    from webinars.domain.recording import tend

    now = asked_now()
    tend_ivs(ring=fetch_recording.delay, now=now)
    tend(ring=put_together.delay, now=now)


@shared_task(name="webinars.remove_old_events")
def remove_old_events() -> int:
    """Run once a day: what happened in rooms that are over long ago. Everything that counts is in other tables."""
    from webinars.domain.ivs_viewers import forget_viewers
    from webinars.domain.room_sweep import remove_old_events as work

    now = asked_now()
    forget_viewers(now=now)
    return work(now=now)
