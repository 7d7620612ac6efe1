"""`script/bench live`: what a room full of sockets costs, how exactly people resume, how late the picture is.

Comparisons are of one run: the hub against a Channels group, our consumer against Channels' own.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from tests.bench.stage import stage
from tests.bench.watch import say

SMALL, LARGE = 1_000, 5_000
EVENTS = 15
SPARE_FILES = 500


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="script/bench live", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    options = parser.parse_args(arguments)
    busy = os.getloadavg()[0] / (os.cpu_count() or 1)
    if busy > 0.5:
        say(f"Other work uses this machine ({busy:.1f} processes a core): latencies and rates will look worse.")
    with stage() as running:
        figures = measure(running)
    figures["load_before"] = round(busy, 2)
    say("")
    for line in table(figures):
        say(line)
    if options.json:
        print(json.dumps(figures))
    return 0


def measure(running: Any) -> dict[str, Any]:
    from tests.bench.glass import figures as glass_figures
    from tests.bench.viewer import figures as viewer_figures
    from tests.recording.resume_error import measure_resume_error

    figures = measure_fanout(running) | measure_beats(running)
    say("From live to the recording …")
    figures |= measure_resume_error()
    say("Glass to glass …")
    return figures | glass_figures(running.directory / "live-work") | viewer_figures()


def measure_fanout(running: Any) -> dict[str, Any]:
    """Events, joining, memory, replay and polling, with the same events through a Channels group for comparison."""
    from tests.bench import room
    from tests.bench.listening import allow_many_files
    from tests.bench.people import make_audience

    files = allow_many_files()
    large = min(LARGE, files - SPARE_FILES)
    if large < LARGE:
        say(f"Only {files:,} files may be open at once (ulimit -Hn): {large:,} sockets instead of {LARGE:,}.")
    audience = make_audience(large + 50)
    room.go_live(audience.webinar)
    say(f"{SMALL:,} sockets, the hub …")
    hub = room.measure_room(running, audience, sockets=SMALL, events=EVENTS)
    say(f"{SMALL:,} sockets, a Channels group …")
    group = room.measure_room(
        running,
        audience,
        sockets=SMALL,
        events=EVENTS,
        start=room.channels_server,
        publish=room.send_to_group,
    )
    say(f"{large:,} sockets, the hub …")
    full = room.measure_room(running, audience, sockets=large, events=EVENTS)
    say("Replay, polling …")
    replay = room.measure_replay(audience, events=500, times=20)
    polling = room.measure_polling(running, audience, connections=32, duration=8.0)
    return fanout_figures(hub, group, full) | {
        "replay_500_ms": round(replay, 1),
        "poll_rps": round(polling.result["acked_beats_per_s"]),
        "poll_cpu_ms": round(polling.cpu_us / 1000, 2),
        "poll_p99_ms": round(polling.result["p99_ms"]),
    }


def fanout_figures(hub: Any, group: Any, full: Any) -> dict[str, Any]:
    return {
        "fanout_cpu_ratio": round(group.delivery_us / hub.delivery_us, 1),
        "fanout_cpu_us": round(full.delivery_us, 1),
        "fanout_cpu_us_1000": round(hub.delivery_us, 1),
        "fanout_cpu_us_channels_1000": round(group.delivery_us, 1),
        "fanout_1000_p50_ms": round(hub.latency_ms(0.5)),
        "fanout_1000_p99_ms": round(hub.latency_ms(0.99)),
        "fanout_channels_1000_p50_ms": round(group.latency_ms(0.5)),
        "fanout_channels_1000_p99_ms": round(group.latency_ms(0.99)),
        "fanout_5000_p50_ms": round(full.latency_ms(0.5)),
        "fanout_5000_p99_ms": round(full.latency_ms(0.99)),
        "join_cpu_ms": round(full.join_server_ms + full.join_postgres_ms, 2),
        "join_cpu_ms_server": round(full.join_server_ms, 2),
        "join_cpu_ms_postgresql": round(full.join_postgres_ms, 2),
        "join_cpu_ms_channels": round(group.join_server_ms + group.join_postgres_ms, 2),
        "kb_per_socket": round(full.kb_per_socket, 1),
        "kb_per_socket_channels": round(group.kb_per_socket, 1),
        "accept_5000_s": round(full.accept_s, 1),
        "sockets": full.sockets,
        "events_missing": hub.missing + group.missing + full.missing,
        "sockets_closed": hub.closed + group.closed + full.closed,
    }


def measure_beats(running: Any) -> dict[str, Any]:
    """What a beat costs our consumer and Channels' AsyncWebsocketConsumer."""
    from tests.bench import room
    from tests.bench.people import make_audience
    from tests.bench.sockets import measure_sockets

    say("Beats: our consumer, Channels' consumer …")
    few = make_audience(500)
    plain = measure_sockets(running, few, beats_per_s=1_500.0, duration=8.0)
    channels = measure_sockets(running, few, beats_per_s=1_500.0, duration=8.0, start=room.channels_server)
    return {"beat_cpu_us": round(plain.server_us, 1), "beat_cpu_us_channels": round(channels.server_us, 1)}


def table(figures: dict[str, Any]) -> list[str]:
    """One line a figure: what it is, and what it is compared with."""
    one = figures
    rows = [
        (f"An event to {SMALL:,} sockets, CPU a delivery", f"{one['fanout_cpu_us_1000']} µs"),
        ("  the same by a Channels group", f"{one['fanout_cpu_us_channels_1000']} µs ({one['fanout_cpu_ratio']} ×)"),
        ("  latency p50 / p99", f"{one['fanout_1000_p50_ms']} / {one['fanout_1000_p99_ms']} ms"),
        ("  by a Channels group", f"{one['fanout_channels_1000_p50_ms']} / {one['fanout_channels_1000_p99_ms']} ms"),
        (f"An event to {one['sockets']:,} sockets, CPU a delivery", f"{one['fanout_cpu_us']} µs"),
        ("  latency p50 / p99", f"{one['fanout_5000_p50_ms']} / {one['fanout_5000_p99_ms']} ms"),
        ("Coming in, CPU", f"{one['join_cpu_ms']} ms (server {one['join_cpu_ms_server']})"),
        (f"{one['sockets']:,} sockets accepted in", f"{one['accept_5000_s']} s"),
        ("Memory of an idle socket", f"{one['kb_per_socket']} KB (Channels {one['kb_per_socket_channels']})"),
        ("A gap of 500 events", f"{one['replay_500_ms']} ms"),
        ("Polls a second", f"{one['poll_rps']} ({one['poll_cpu_ms']} ms of CPU, p99 {one['poll_p99_ms']} ms)"),
        ("A beat, CPU of the server", f"{one['beat_cpu_us']} µs"),
        ("  by Channels' consumer", f"{one['beat_cpu_us_channels']} µs"),
        (
            f"Resume error at {one['stop_points'] + one['stop_points_after_cuts']} stop points, worst / mean",
            f"{one['resume_error_p100_s']} / {one['resume_error_mean_s']} s",
        ),
        (
            "Glass to glass in a browser, median / worst",
            f"{one['glass_to_glass_s']} / {one['glass_to_glass_worst_s']} s",
        ),
        ("  the newest segment when it can be fetched", f"{one['segment_age_s']} s"),
        (
            "From the tap on play to the picture, recorded / live",
            f"{one['player_start_s']} / {one['player_start_live_s']} s",
        ),
        ("  first segment after the publisher's start", f"{one['first_segment_s']} s"),
        ("Events missing, sockets closed", f"{one['events_missing']}, {one['sockets_closed']}"),
    ]
    return [f"{name:<54}{value}" for name, value in rows]


if __name__ == "__main__":
    sys.exit(main())
