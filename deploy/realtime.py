"""The realtime tier (ASGI, WebSocket only). The one place that says which server runs it, and how.

uvicorn with websockets' sans-IO protocol; per-message deflate stays off: it costs 64 kB and more a socket, and frames
here are shorter than a compression header pays for. Run: `python deploy/realtime.py`.
"""

import os
import resource
import sys
from pathlib import Path

import uvicorn

ROOT = Path(__file__).resolve().parent.parent
MESSAGE_LIMIT = 65_536  # bytes; a beat is under 200
PING_SECONDS = 20.0


def main() -> None:
    sys.path.insert(0, str(ROOT))
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, allowed))  # a file for each socket; shells give 1,024
    from core.logging import configure

    host, _, port = os.environ.get("REALTIME_BIND", "127.0.0.1:8002").rpartition(":")
    uds = port if host == "unix" else None
    uvicorn.run(
        "lms.asgi:application",
        uds=uds,
        host=host or "127.0.0.1",
        port=0 if uds else int(port),
        workers=int(os.environ.get("REALTIME_PROCESSES") or 1),
        loop="auto",
        ws="lms.realtime:Protocol",
        ws_max_size=MESSAGE_LIMIT,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        ws_per_message_deflate=False,
        proxy_headers=False,  # core.http reads X-Forwarded-For itself, by TRUSTED_PROXIES
        server_header=False,
        access_log=False,
        timeout_graceful_shutdown=10,
        backlog=4096,
        log_config=configure(
            json=os.environ.get("LOG_FORMAT", "json") == "json", level=os.environ.get("LOG_LEVEL", "INFO")
        ),
    )


if __name__ == "__main__":
    main()
