"""uvicorn for the realtime tier, with two differences that players and the bill notice.

At SIGTERM the beats that wait are committed and acknowledged before the sockets close; uvicorn by itself closes them at
once, and every player would have to send again. And reading is paused only where a socket really floods: uvicorn pauses
and resumes after every message, which is two system calls a beat.
"""

import logging
import socket
from pathlib import Path

import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.supervisors import Multiprocess

from lms.asgi import watch_sockets

logger = logging.getLogger(__name__)
MOST_UNREAD = 16  # messages of one socket that wait for the application


class Protocol(WebSocketsSansIOProtocol):
    def send_receive_event_to_app(self) -> None:
        """Hides the transport's pause while little waits; `receive` resumes only what was paused."""
        if self.queue.qsize() >= MOST_UNREAD or self.read_paused:
            super().send_receive_event_to_app()
            return
        self.read_paused = True
        super().send_receive_event_to_app()
        self.read_paused = False


class DrainingServer(uvicorn.Server):
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        logger.info("Draining the sockets")
        await watch_sockets.drain()
        await super().shutdown([])


def serve(config: uvicorn.Config) -> None:
    server = DrainingServer(config)
    if config.workers > 1:
        Multiprocess(config, target=server.run, sockets=[config.bind_socket()]).run()
    else:
        server.run()
    if config.uds:
        Path(config.uds).unlink(missing_ok=True)
