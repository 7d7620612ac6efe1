"""Whether the process of this container lives: `healthcheck.py <name>`, or without a name what PID 1 was started as.

Asks the process itself, nothing else: PostgreSQL that is away must not restart every replica.
"""

import os
import re
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

SECONDS = 5
MARKS = (  # of command lines; gunicorn and Celery write their own
    ("web", r"gunicorn"),
    ("realtime", r"deploy/realtime\.py"),
    ("beat", r"celery.*\bbeat\b"),
    ("worker", r"celery.*\bworker\b"),
    ("ingest", r"manage\.py\W+ingest"),
)


def answers(port: int) -> bool:
    """Any answer below 500 will do: a refusal is a sign of life too."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=SECONDS) as response:
            return bool(response.status < 500)
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


def listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=SECONDS):
            return True
    except OSError:
        return False


def consumes(url: str) -> bool:
    """Whether the worker of this host answers by the broker: one that lost its connection for good does not.

    While the broker itself is away nobody can answer; that is not this container's fault. Nor is one that is frozen:
    without limits of its own this check would hang, and every worker would be restarted for it.
    """
    from celery import Celery
    from kombu.exceptions import OperationalError
    from redis.exceptions import RedisError

    limits = {"socket_timeout": SECONDS, "socket_connect_timeout": SECONDS, "max_retries": 0}
    app = Celery(broker=url, set_as_current=False)
    app.conf.update(broker_transport_options=limits, broker_connection_timeout=SECONDS)
    try:
        return bool(app.control.inspect(destination=[f"celery@{socket.gethostname()}"], timeout=SECONDS).ping())
    except (OSError, OperationalError, RedisError):
        return True


def port_of(variable: str, default: int) -> int:
    return int(os.environ.get(variable, "").rpartition(":")[2] or default)


def runs_as(command_line: str) -> str:
    return next((name for name, mark in MARKS if re.search(mark, command_line)), "")


def checks() -> dict[str, Callable[[], bool]]:
    worker = lambda: consumes(os.environ["REDIS_URL"])  # noqa: E731  # one line for four names
    return {
        "web": lambda: answers(port_of("WEB_BIND", 8001)),
        "realtime": lambda: answers(port_of("REALTIME_BIND", 8002)),
        "ingest": lambda: listens(port_of("RTMP_PORT", 1935)),
        "worker": worker,
        "long": worker,
        "sender": worker,
        "transcoder": worker,
        "beat": lambda: True,  # it is there, or this container is not; which of two is active stands in Redis
    }


def command_line() -> str:
    """Of PID 1, or of what an init process as PID 1 started."""
    lines = []
    for entry in sorted(Path("/proc").glob("[0-9]*"), key=lambda path: int(path.name)):
        try:
            lines.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue  # ended meanwhile
    return next((line for line in lines if runs_as(line)), "")


def main(arguments: Sequence[str]) -> int:
    name = arguments[0] if arguments else runs_as(command_line())
    check = checks().get(name)
    return 0 if check is None or check() else 1  # `manage` runs once and needs no check


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
