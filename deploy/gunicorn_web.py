"""gunicorn's configuration of the web tier (WSGI): `gunicorn -c deploy/gunicorn_web.py lms.wsgi`."""

import os
import signal
from pathlib import Path
from typing import Any

from gunicorn.arbiter import Arbiter
from gunicorn.http.message import Request
from gunicorn.workers.base import Worker

from core import metric_files
from lms.draining import drain

bind = os.environ.get("WEB_BIND", "127.0.0.1:8001")
worker_class = "core.shedding.worker.TimedWorker"  # gthread, which tells how long a request waited for a thread
workers = int(os.environ.get("WEB_WORKERS") or max(2, min(8, os.cpu_count() or 2)))
threads = int(os.environ.get("WEB_THREADS") or 8)
preload_app = True  # shares memory; nothing connects to PostgreSQL or Redis before the fork
timeout = 60
graceful_timeout = 10
keepalive = 75  # longer than the 60 s for which load balancers keep an idle connection
max_requests = int(os.environ.get("WEB_MAX_REQUESTS") or 0)
max_requests_jitter = max_requests // 10
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  # a heartbeat file, not data
# Django alone judges X-Forwarded-Proto, by TRUSTED_PROXIES (SECURE_PROXY_SSL_HEADER). forwarded_allow_ips would not do:
# whoever comes by a Unix socket, as behind the front door of script/server, passes it, whatever it says.
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""
forwarded_allow_ips = ""
proxy_protocol = os.environ.get("WEB_PROXY_PROTOCOL", "off")
control_socket_disable = True  # a second way to command the server is a second thing to guard
accesslog = None  # core.middleware writes one line per request


def _logging() -> dict[str, Any]:
    from core.logging import configure

    return configure(json=os.environ.get("LOG_FORMAT", "json") == "json", level=os.environ.get("LOG_LEVEL", "INFO"))


logconfig_dict = _logging()
metric_files.prepare()  # whichever worker is asked for /metrics tells of all


def when_ready(server: Arbiter) -> None:
    """SIGTERM: for DRAIN_SECONDS `/readyz` answers 503 and everything else as before; then gunicorn stops."""
    seconds = float(os.environ.get("DRAIN_SECONDS") or 0)
    signal.signal(
        signal.SIGTERM,
        lambda number, frame: drain(seconds=seconds, stop=lambda: server.signal(number, frame)),
    )


def pre_request(worker: Worker, request: Request) -> None:
    """gunicorn parses the PROXY line of a connection, but gives its address only to the first request on it."""
    reader = request.unreader
    if request.proxy_protocol_info:
        reader.caller = request.proxy_protocol_info
    elif hasattr(reader, "caller"):
        request.proxy_protocol_info = reader.caller


def on_exit(_server: Arbiter) -> None:
    metric_files.remove()
