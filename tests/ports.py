"""Ports for programs that are started with a number: they cannot be asked which one they took."""

import contextlib
import random
import socket


def free_port() -> int:
    """Below those that the kernel gives to outgoing connections and to whoever takes any; free a moment ago, which is
    as much as can be known.
    """
    for port in random.SystemRandom().sample(range(20_000, 30_000), 50):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("No port is free.")
