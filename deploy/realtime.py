"""The realtime tier (ASGI, WebSocket only). The one place that says which server runs it, and how.

uvicorn with websockets' sans-IO protocol; per-message deflate stays off: it costs 64 kB and more a socket, and frames
here are shorter than a compression header pays for. Run: `python deploy/realtime.py`.
"""

import contextlib
import os
import resource
import signal
import sys
import time
from pathlib import Path
from types import FrameType

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess, multiprocess

ROOT = Path(__file__).resolve().parent.parent
MESSAGE_LIMIT = 65_536  # bytes; a beat is under 200
PING_SECONDS = 20.0


class Server(uvicorn.Server):
    """SIGTERM: for DRAIN_SECONDS `/readyz` answers 503 and sockets go on; then they are sent to other replicas."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        from lms.draining import drain

        if sig != signal.SIGTERM:
            super().handle_exit(sig, frame)
            return
        seconds = float(os.environ.get("DRAIN_SECONDS") or 0)
        drain(seconds=seconds, stop=lambda: uvicorn.Server.handle_exit(self, sig, frame))


class Child(multiprocess.Process):
    """One of several processes: drains as a single one does."""

    @property
    def server(self) -> uvicorn.Server:
        if self._server is None:
            self._server = Server(config=self.config)
        return self._server


class Parent(Multiprocess):
    """Hands SIGTERM on and waits until the children have drained; a second one ends their wait."""

    def join_all(self) -> None:
        while any(child.process.is_alive() for child in self.processes):
            if self.signal_queue:
                self.signal_queue.clear()
                self.terminate_all()
            time.sleep(0.1)
        super().join_all()


def main() -> None:
    sys.path.insert(0, str(ROOT))
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, allowed))  # a file for each socket; shells give 1,024
    from core.logging import configure

    host, _, port = os.environ.get("REALTIME_BIND", "127.0.0.1:8002").rpartition(":")
    uds = port if host == "unix" else None
    config = uvicorn.Config(
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
    if config.workers > 1 or "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        from core import metric_files

        metric_files.prepare()  # before the application is loaded
    if config.workers > 1:
        multiprocess.Process = Child  # type: ignore[misc]  # uvicorn asks nobody which class to take
        Parent(config, sockets=[config.bind_socket()]).run()
        return
    config.load_app()
    server = Server(config)
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    if uds:
        Path(uds).unlink(missing_ok=True)
    if not server.started:
        sys.exit(STARTUP_FAILURE)


if __name__ == "__main__":
    main()
