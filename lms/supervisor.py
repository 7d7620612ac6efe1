"""`script/server`: databases, preparation, all processes of the site, and an orderly end. One terminal, one Ctrl-C."""

import asyncio
import contextlib
import errno
import fcntl
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import psycopg

from core.processes import die_with_parent
from lms import preparation
from lms.embedded import Embedded, EmbeddedError

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_PORT = 8000
DEFAULT_RTMP_PORT = 1935
PORTS_TRIED = 50
READY_SECONDS = 120.0
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
RESTART_SECONDS = (0.5, 30.0)  # first and longest pause before a crashed process starts again
STEADY_SECONDS = 30.0  # after so long a run a crash counts as the first one
COLOURS = {"web": 36, "realtime": 35, "transcoder": 34, "beat": 32, "ingest": 31, "door": 90}
COLOURS |= dict.fromkeys(("worker", "long", "sender"), 33)


class StartError(Exception):
    """Something the person at the terminal can mend; printed without a traceback."""


@dataclass(frozen=True)
class Program:
    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    phase: int = 1  # 0, the front door, stays open until the tiers behind it have said goodbye; 2 starts when ready
    stop_signal: int = signal.SIGTERM
    stop_seconds: float = 12.0
    death_signal: int = signal.SIGKILL
    nice: int = 0
    files: tuple[int, ...] = ()


CELERY = (sys.executable, "-m", "celery", "--quiet", "-A", "lms.celery")
# Heartbeats are for monitors that nobody runs; one that is being sent when Redis goes keeps a worker from ending.
ALONE = ("--concurrency=1", "--without-mingle", "--without-gossip", "--without-heartbeat")


def _worker(name: str, queue: str, *more: str) -> Program:
    command = [*CELERY, "worker", *ALONE, *more, "-Q", queue, "-n", f"{name}@%h"]
    return Program(name, command, phase=2, death_signal=signal.SIGQUIT)


def programs(
    sockets: list[socket.socket], rtmp: list[socket.socket], directory: Path, trusted_proxies: int
) -> list[Program]:
    """The same process types as in production, with sockets instead of a network between them."""
    python, web, realtime = sys.executable, directory / "web", directory / "realtime"
    numbers = tuple(item.fileno() for item in sockets)
    return [
        Program(
            "web",
            [python, "-m", "gunicorn", "-c", "deploy/gunicorn_web.py", "lms.wsgi"],
            {"WEB_BIND": f"unix:{web}", "WEB_PROXY_PROTOCOL": "v1", "WEB_WORKERS": os.environ.get("WEB_WORKERS", "2")},
            death_signal=signal.SIGTERM,
        ),
        # The front door is one more proxy in front of this tier; the web tier hears of the caller by PROXY protocol.
        Program(
            "realtime",
            [python, "deploy/realtime.py"],
            {"REALTIME_BIND": f"unix:{realtime}", "TRUSTED_PROXIES": str(trusted_proxies + 1)},
        ),
        _worker("worker", "default"),
        # Two at once: one may wait for a provider that does not answer.
        _worker("sender", "reminders", "--concurrency=2"),
        # A list of people cut off half way is rolled back and read again; a recording is put together anew.
        replace(_worker("long", "long"), stop_signal=signal.SIGQUIT, stop_seconds=3.0, nice=5),
        # SIGQUIT: a transcoding of an hour is not waited for; it starts again from what the database says. Handing the
        # job back takes a moment, Celery's own goodbye with a starved encoder beside it ten seconds.
        replace(_worker("transcoder", "media"), stop_signal=signal.SIGQUIT, stop_seconds=3.0, nice=10),
        Program("beat", [*CELERY, "beat"], phase=2),
        # What its packagers have in hand is stored first.
        Program(
            "ingest",
            [python, "manage.py", "ingest", *(f"--socket={item.fileno()}" for item in rtmp)],
            phase=2,
            files=tuple(item.fileno() for item in rtmp),
        ),
        Program(
            "door",
            [python, "-m", "lms.frontdoor", f"--web={web}", f"--realtime={realtime}"]
            + [f"--socket={number}" for number in numbers],
            phase=0,
            files=numbers,
        ),
    ]


class Supervisor:
    def __init__(self, todo: list[Program], environment: dict[str, str]) -> None:
        self.todo = todo
        self.environment = environment
        self.running: dict[str, asyncio.subprocess.Process] = {}
        self.keepers: list[asyncio.Task[None]] = []
        self.stopping = asyncio.Event()
        self.crashes = 0
        self.asked_at = 0.0

    def ask_to_stop(self) -> None:
        """A second Ctrl-C does not wait: the kernel ends the children with this process, the databases recover.

        Not within a second: shells and `timeout` signal both a process and its group.
        """
        if self.stopping.is_set() and time.monotonic() - self.asked_at > 1.0:
            os._exit(130)
        self.asked_at = self.asked_at or time.monotonic()
        self.stopping.set()

    def start(self, phases: set[int]) -> None:
        for program in self.todo:
            if program.phase in phases:
                self.keepers.append(asyncio.create_task(self._keep(program)))

    async def _keep(self, program: Program) -> None:
        """Start again what ends, with a growing pause, until the whole is stopping."""
        pause = RESTART_SECONDS[0]
        while not self.stopping.is_set():
            started = time.monotonic()
            process, lines = await self._spawn(program)
            self.running[program.name] = process
            output = asyncio.create_task(self._print_output(program.name, lines))
            status = await process.wait()
            if not self.stopping.is_set():
                kill_group(process.pid)  # children of a crashed one would hold its socket and its output
            await asyncio.wait({output}, timeout=2)
            output.cancel()
            if self.stopping.is_set():
                return
            self.crashes += 1
            if time.monotonic() - started > STEADY_SECONDS:
                pause = RESTART_SECONDS[0]
            say(f"{program.name} ended with status {status}; it starts again in {pause:g} s.")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self.stopping.wait()
            pause = min(pause * 2, RESTART_SECONDS[1])

    async def _spawn(self, program: Program) -> tuple[asyncio.subprocess.Process, asyncio.StreamReader]:
        """With a pipe of our own: asyncio's would let `wait` wait for every grandchild that inherited it."""
        prepare = die_with_parent(program.death_signal)

        def before_exec() -> None:
            prepare()
            if program.nice:
                os.nice(program.nice)

        reading, writing = os.pipe()
        lines = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(lines), os.fdopen(reading, "rb")
        )
        try:
            process = await asyncio.create_subprocess_exec(
                *program.command,
                cwd=ROOT,
                env=self.environment | program.environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=writing,
                stderr=asyncio.subprocess.STDOUT,
                pass_fds=program.files,
                process_group=0,  # Ctrl-C in the terminal reaches only the supervisor, which stops things in order
                preexec_fn=before_exec,  # takes no lock
            )
        finally:
            os.close(writing)
        return process, lines

    async def _print_output(self, name: str, lines: asyncio.StreamReader) -> None:
        prefix = f"{name:<10} | "
        if sys.stdout.isatty():
            prefix = f"\033[{COLOURS.get(name, 0)}m{prefix}\033[0m"
        while True:
            try:
                line = await lines.readline()
            except ValueError:  # a line longer than the buffer; the reader has dropped it
                line = b"(a very long line was left out)\n"
            if not line:
                return
            say(prefix + line.decode(errors="replace").rstrip("\n"))

    async def stop(self) -> None:
        self.stopping.set()
        for phase in sorted({program.phase for program in self.todo}, reverse=True):
            await asyncio.gather(*(self._stop(program) for program in self.todo if program.phase == phase))
        await asyncio.gather(*self.keepers)

    async def _stop(self, program: Program) -> None:
        process = self.running.get(program.name)
        if process is None:
            return
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(program.stop_signal)
            try:
                async with asyncio.timeout(program.stop_seconds):
                    await process.wait()
            except TimeoutError:
                say(f"{program.name} does not stop in {program.stop_seconds:g} s; it is killed.")
        kill_group(process.pid)
        await process.wait()

    async def wait_until_ready(self, address: tuple[str, int], realtime: Path) -> None:
        """`/readyz` asks the web tier, through the front door; the realtime tier is there when it accepts."""
        deadline = time.monotonic() + READY_SECONDS
        while not (await is_ready(*address) and await accepts(realtime)):
            if self.stopping.is_set():
                return
            if time.monotonic() > deadline or self.crashes >= 4:
                raise StartError("The site does not get ready; the lines above say why.")
            await asyncio.sleep(0.05)


def kill_group(leader: int) -> None:
    """Also what a process that has ended left behind in its group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


async def is_ready(host: str, port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1" if host == "0.0.0.0" else host, port)
    except OSError:
        return False
    try:
        writer.write(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return b" 200 " in await reader.readline()
    except OSError:
        return False
    finally:
        writer.close()


async def accepts(path: Path) -> bool:
    try:
        _, writer = await asyncio.open_unix_connection(path)
    except OSError:
        return False
    writer.close()
    return True


def say(text: str) -> None:
    """When nobody reads any more (`script/server | head`), the site stops as it does for a closed terminal."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        os.kill(os.getpid(), signal.SIGHUP)


def bind_sockets(host: str, port: int | None) -> tuple[list[socket.socket], int]:
    """A PORT that was asked for is taken or refused; without one, the next free one after 8000 is taken."""
    if port is not None:
        sockets = _bind(host, port)
        if sockets is None:
            raise StartError(f"Port {port} is taken. Choose another one: PORT={port + 1} script/server")
        return sockets, sockets[0].getsockname()[1]
    for candidate in range(DEFAULT_PORT, DEFAULT_PORT + PORTS_TRIED):
        sockets = _bind(host, candidate)
        if sockets is not None:
            if candidate != DEFAULT_PORT:
                say(f"Port {DEFAULT_PORT} is taken; using {candidate}. (PORT=… chooses one.)")
            return sockets, candidate
    raise StartError(f"No free port from {DEFAULT_PORT} to {DEFAULT_PORT + PORTS_TRIED - 1}. Choose one: PORT=…")


def bind_rtmp(host: str, port: int | None) -> tuple[list[socket.socket], int]:
    """For presenters' programs. Another port than the usual one stands on their page, so any free one will do."""
    if port is not None:
        sockets = _bind(host, port)
        if sockets is None:
            raise StartError(f"Port {port} is taken. Choose another one: RTMP_PORT={port + 1} script/server")
        return sockets, port
    sockets = _bind(host, DEFAULT_RTMP_PORT)
    if sockets is None:
        sockets = _bind(host, 0) or []
        if not sockets:
            raise StartError("No free port for streams. Choose one: RTMP_PORT=…")
        say(f"Port {DEFAULT_RTMP_PORT} is taken; streams come in on {sockets[0].getsockname()[1]}.")
    return sockets, sockets[0].getsockname()[1]


def _bind(host: str, port: int) -> list[socket.socket] | None:
    """`localhost` means both loopback addresses: browsers try ::1 first, and another server there would answer."""
    wanted = ["127.0.0.1", "::1"] if host == "localhost" else [host]
    sockets: list[socket.socket] = []
    for address in wanted:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        try:
            item = socket.socket(family)
            item.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                item.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            item.bind((address, port or (sockets[0].getsockname()[1] if sockets else 0)))
            item.listen(1024)
        except OSError as error:
            if sockets and error.errno != errno.EADDRINUSE:  # no IPv6 on this machine
                continue
            for bound in sockets:
                bound.close()
            if error.errno != errno.EADDRINUSE:
                raise StartError(f"Cannot listen on {address}, port {port}: {error.strerror}") from error
            return None
        sockets.append(item)
    return sockets


@contextlib.contextmanager
def only_one(var: Path) -> Iterator[Path]:
    """A lock that the kernel drops with the process, so that a kill -9 leaves nothing to clean up."""
    path = var / "server.lock"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise StartError(f"It is already running: {file.read().strip() or 'starting'}") from error
        file.truncate(0)
        yield path


@contextlib.contextmanager
def socket_directory(var: Path) -> Iterator[Path]:
    """Under the temporary directory, because a socket's path may have 107 bytes; its name is kept to sweep it later."""
    note = var / "sockets"
    if note.exists():  # left by a kill -9
        shutil.rmtree(note.read_text(), ignore_errors=True)
    path = Path(tempfile.mkdtemp(prefix="lms-"))
    note.write_text(str(path))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        note.unlink(missing_ok=True)


def site_environment(var: Path, port: int, host: str) -> dict[str, str]:
    """Development runs like production, with DEBUG off, apart from a generated secret and visible mail."""
    environment = dict(os.environ)
    environment |= {"VAR_DIR": str(var), "PYTHONUNBUFFERED": "1", "DJANGO_SETTINGS_MODULE": "lms.settings"}
    if environment.get("DJANGO_ENV", "development") == "production":
        return environment
    environment.setdefault("DEBUG", "false")
    # Whoever reads the sent mail can sign in as anybody, so the page is only for people at this machine.
    environment.setdefault("SHOW_SENT_MAIL", "true" if host in LOOPBACK else "false")
    environment.setdefault("LOG_FORMAT", "text")
    environment.setdefault("SITE_URL", f"http://{'localhost' if host in {'localhost', '0.0.0.0'} else host}:{port}")
    if not environment.get("SECRET_KEY"):
        environment["SECRET_KEY"] = _kept_secret(var / "secret-key")
    return environment


def _kept_secret(path: Path) -> str:
    """Made once: another one at every start would sign everybody out."""
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(64))
    return path.read_text().strip()


def prepare(var: Path, environment: dict[str, str]) -> None:
    """Leaves a note of what it found in the end; the same state at the next start needs no preparation."""
    demo = environment.get("DEMO", "1") not in {"0", "false", "no"} and environment.get("DJANGO_ENV") != "production"
    note = var / "prepared"
    try:
        if note.exists() and note.read_text() == preparation.state(environment["DATABASE_URL"], demo=demo):
            return
        command = [sys.executable, "manage.py", "prepare", *(["--demo"] if demo else [])]
        if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode:
            raise StartError("The preparation failed; the lines above say why.")
        note.write_text(preparation.state(environment["DATABASE_URL"], demo=demo))
    except psycopg.Error as error:
        raise StartError(f"The database does not answer: {error}") from error


async def serve(
    supervisor: Supervisor, *, address: tuple[str, int], realtime: Path, url: str, var: Path, begun: float
) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, supervisor.ask_to_stop)
    try:
        supervisor.start({0, 1})
        await supervisor.wait_until_ready(address, realtime)
        if not supervisor.stopping.is_set():
            supervisor.start({2})
            announce(url, var, begun)
            await supervisor.stopping.wait()
    finally:
        say("Stopping …")
        await supervisor.stop()


def announce(url: str, var: Path, begun: float) -> None:
    sign_ins = var / "demo-sign-ins.txt"
    text = f"\n  Ready in {time.monotonic() - begun:.1f} s:  {url}/\n"
    if sign_ins.exists():  # written once, perhaps for another port
        lines = re.sub(r"https?://[^/\s]+", url, sign_ins.read_text(encoding="utf-8")).splitlines()
        text += "".join(f"  {line}\n" for line in lines)
    say(f"{text}  Ctrl-C stops it.\n")


def main() -> int:
    begun = time.monotonic()
    # Until the event loop takes the signals over, all raise KeyboardInterrupt and so run every `finally`.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    var = Path(os.environ.get("VAR_DIR") or ROOT / "var").expanduser().resolve()
    try:
        var.mkdir(parents=True, exist_ok=True)
        os.umask(0o077)  # sent mail, uploads and secrets are nobody else's; PostgreSQL's user only passes `var`
        with contextlib.ExitStack() as stack:
            run(var, stack, begun)
    except (StartError, EmbeddedError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def run(var: Path, stack: contextlib.ExitStack, begun: float) -> None:
    lock = stack.enter_context(only_one(var))
    host = os.environ.get("HOST", "localhost")
    sockets, port = bind_sockets(host, _number("PORT"))
    rtmp, rtmp_port = bind_rtmp(host, _number("RTMP_PORT"))
    environment = site_environment(var, port, host) | {"RTMP_PORT": str(rtmp_port)}
    url = environment.get("SITE_URL", f"http://{host}:{port}")
    lock.write_text(f"{url} (process {os.getpid()})\n")
    if not (environment.get("DATABASE_URL") and environment.get("REDIS_URL")):
        embedded = Embedded(var)
        stack.callback(embedded.stop)
        environment = embedded.start().environment() | {name: text for name, text in environment.items() if text}
    directory = stack.enter_context(socket_directory(var))
    prepare(var, environment)
    supervisor = Supervisor(programs(sockets, rtmp, directory, _number("TRUSTED_PROXIES") or 0), environment)
    asyncio.run(
        serve(
            supervisor,
            address=sockets[0].getsockname()[:2],
            realtime=directory / "realtime",
            url=url,
            var=var,
            begun=begun,
        )
    )


def _number(name: str) -> int | None:
    text = os.environ.get(name, "").strip()
    if not text:
        return None
    if not text.isdecimal() or int(text) > 65535:
        raise StartError(f"{name} must be a whole number up to 65535, not {text!r}.")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
