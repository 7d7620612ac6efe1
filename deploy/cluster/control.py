"""How commands reach the running cluster: one line of JSON over a Unix socket, lines of JSON back until the last."""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from deploy.cluster.units import ClusterError

Say = Callable[[str], None]
Action = Callable[[dict[str, Any], Say], Awaitable[Any]]
LIMIT = 1_000_000


async def listen(path: Path, actions: Mapping[str, Action]) -> asyncio.Server:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def tell(kind: str, value: Any) -> None:
            if not writer.is_closing():
                writer.write(json.dumps({kind: value}).encode() + b"\n")

        try:
            request = json.loads(await reader.readline())
            try:
                tell("end", await actions[request["do"]](request, lambda text: tell("say", text)))
            except ClusterError as error:
                tell("error", str(error))
            await writer.drain()
        except (ConnectionError, ValueError):  # it went away, or is nobody of ours
            pass
        finally:
            writer.close()

    return await asyncio.start_unix_server(answer, path, limit=LIMIT)


def ask(path: str, request: Mapping[str, Any], *, say: Say = lambda _text: None) -> Any:
    """Blocks until the cluster has done it."""
    for kind, value in _lines(path, request):
        if kind == "say":
            say(value)
        elif kind == "error":
            raise ClusterError(value)
        else:
            return value
    raise ClusterError("The cluster ended before it answered.")


def _lines(path: str, request: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    with socket.socket(socket.AF_UNIX) as line:
        try:
            line.connect(path)
        except OSError as error:
            raise ClusterError(f"The cluster does not answer: {error}") from error
        line.sendall(json.dumps(request).encode() + b"\n")
        with line.makefile("r") as answers:
            for text in answers:
                yield from json.loads(text).items()
