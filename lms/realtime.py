"""uvicorn's WebSocket protocol with three differences that players and the bill notice.

When the server stops, the beats that wait are committed and acknowledged before the sockets close; uvicorn by itself
closes them at once, and every player would have to send again. And reading is paused only where a socket really floods:
uvicorn pauses and resumes after every message, which is two system calls a beat. And the application may write whole
frames straight to the transport (the `line` among the scope's extensions): ASGI's `send` would need a task for each.
"""

from typing import Any, cast
from typing import Protocol as Interface

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

MOST_UNREAD = 16  # messages of one socket that wait for the application
CLOSE_SECONDS = 2.0  # a sleeping phone never answers the close frame, and must not hold up a restart


class Drainable(Interface):
    """What the application leaves in the lifespan's state under `sockets`."""

    def start_draining(self) -> None: ...


class Protocol(WebSocketsSansIOProtocol):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.close_timeout = CLOSE_SECONDS

    def send_receive_event_to_app(self) -> None:
        """Hides the transport's pause while little waits; `receive` resumes only what was paused."""
        if self.queue.qsize() >= MOST_UNREAD or self.read_paused:
            super().send_receive_event_to_app()
            return
        self.read_paused = True
        super().send_receive_event_to_app()
        self.read_paused = False

    async def run_asgi(self) -> None:
        extensions: dict[str, Any] = cast("dict[str, Any]", self.scope["extensions"])
        extensions["line"] = self
        await super().run_asgi()

    def say(self, data: bytes) -> int:
        """Whole frames, as they go over the wire. Returns the bytes that wait; -1 when nobody will hear them."""
        transport = self.transport
        if self.close_sent or self.disconnected or transport.is_closing():
            return -1
        transport.write(data)
        return transport.get_write_buffer_size()

    def end(self, code: int) -> None:
        """Close, also where nothing is read any more: what still waits after CLOSE_SECONDS is dropped."""
        if self.close_sent or self.disconnected or self.transport.is_closing():
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": ""})
        self.conn.send_close(code)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(self.close_timeout, self.transport.abort)

    def shutdown(self) -> None:
        """uvicorn calls this for every connection at once, then waits for them to end."""
        sockets: Drainable | None = self.app_state.get("sockets")
        if sockets is None or not self.handshake_complete or self.close_sent:
            super().shutdown()
        else:
            sockets.start_draining()
