"""Workers of tests, to be killed for instance: processes forked from one that knows Django and the product already.

To read them costs a program more than a second of a core. Each process is as new as a program's beside that: it opens
connections of its own and goes without a word when it is killed.
"""

import multiprocessing
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from typing import Any

from django.db import connection, connections
from django.test import override_settings

Forked = ForkServerProcess
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.forked_from"])


@contextmanager
def forked(work: Callable[..., Any], *arguments: Any, **settings: Any) -> Iterator[Forked]:
    """While `work`, a function of a module, runs in this test's database and environment, with these settings.

    At the end of the block it is killed if it has not ended. Its exit code is minus the signal, 1 for an exception.
    """
    name = str(connection.settings_dict["NAME"])
    process = CONTEXT.Process(target=_begin, args=(name, dict(os.environ), settings, work, arguments))
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def _begin(
    database: str,
    environment: dict[str, str],
    settings: dict[str, Any],
    work: Callable[..., Any],
    arguments: tuple[Any, ...],
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    connections.settings["default"]["NAME"] = database
    override_settings(**settings).enable()
    work(*arguments)
