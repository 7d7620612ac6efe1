import time
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

from core.shedding import pressure


class TimedWorker(ThreadWorker):
    """gunicorn's threads, telling how long a connection that had something to say waited for one of them.

    Under load nearly all of an answer's time is spent there; gunicorn takes connections off the kernel's queue at once.
    """

    def enqueue_req(self, conn: TConn) -> None:
        conn.ready_at = time.monotonic()
        super().enqueue_req(conn)

    def handle(self, conn: TConn) -> Any:
        pressure.note_wait(time.monotonic() - conn.ready_at)
        return super().handle(conn)
