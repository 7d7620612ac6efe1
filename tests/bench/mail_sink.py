"""A mail server that takes everything and writes down which: `python -m tests.bench.mail_sink <port> <file>`."""

import asyncio
import re
import sys
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP

MESSAGE_ID = re.compile(rb"^Message-ID:\s*<([0-9a-f]{32})@", re.IGNORECASE | re.MULTILINE)


class Kept:
    """One line a message: its key."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("ab", buffering=0)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  # the library's name
        found = MESSAGE_ID.search(envelope.content)
        if found is None:
            return "554 no key"
        self.file.write(found[1] + b"\n")
        return "250 OK"


async def serve(port: int, path: Path) -> None:
    kept = Kept(path)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(kept, data_size_limit=2**20), "127.0.0.1", port)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
