import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import connections

Given = ParamSpec("Given")
Found = TypeVar("Found")


class DatabaseThreads:
    """Runs blocking database work off the event loop; asgiref's `sync_to_async` would run all of it in a single thread.

    Every connection goes back to the pool after the work, unless a thread has so much of it that it keeps its own: then
    only after a failure, which may have broken it.
    """

    def __init__(self, name: str, count: int, *, keeps_connection: bool = False) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=name)
        self._keeps_connection = keeps_connection

    async def run(self, work: Callable[Given, Found], *args: Given.args, **kwargs: Given.kwargs) -> Found:
        def call() -> Found:
            done = False
            try:
                found = work(*args, **kwargs)
                done = True
                return found
            finally:
                if not (done and self._keeps_connection):
                    connections.close_all()

        return await asyncio.get_running_loop().run_in_executor(self._pool, call)

    def close(self) -> None:
        self._pool.submit(connections.close_all)
        self._pool.shutdown(wait=False)
