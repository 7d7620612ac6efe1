"""The command line of `script/cluster`."""

import argparse
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from core.processes import stop_process, wait_until
from deploy.cluster import boss, control
from deploy.cluster.boss import say
from deploy.cluster.state import FILE, State, default_directory
from deploy.cluster.units import DEFAULTS, ROOT, TIERS, ClusterError, is_free
from lms.embedded import Embedded, EmbeddedError
from lms.supervisor import StartError

sys.path.insert(0, str(ROOT / "script"))
from system_packages import provide  # the path is set above

READY_SECONDS = 300.0
DOWN_SECONDS = 60.0
PROGRAMS = ("nginx", "pgbouncer")


def main() -> int:
    options = parser().parse_args()
    try:
        result: int = options.work(options)
    except (ClusterError, StartError, EmbeddedError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return result


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="script/cluster", description=__doc__.splitlines()[0])
    top.add_argument(
        "--directory", type=Path, default=default_directory(), help="its data; default: VAR_DIR, var/cluster"
    )
    commands = top.add_subparsers(required=True, metavar="command")
    up = commands.add_parser("up", help="start everything, and return when it is ready")
    for tier in TIERS:
        up.add_argument(f"--{tier}", type=int, default=DEFAULTS[tier], metavar="N", help=f"default: {DEFAULTS[tier]}")
    up.add_argument("--port", type=int, default=int(os.environ.get("PORT") or 0), help="of the balancer; default: PORT")
    up.add_argument("--foreground", action="store_true", help="stay, until Ctrl-C")
    up.set_defaults(work=start)
    commands.add_parser("status", help="a table of all processes").set_defaults(work=status)
    kill = commands.add_parser("kill", help="end processes without a word, as a failing machine does")
    kill.add_argument("names", nargs="+", metavar="name", help="web.2, or web for all of them")
    kill.add_argument("--signal", default="KILL", help="KILL (default), STOP, CONT, TERM …")
    kill.set_defaults(work=ask_to_kill)
    roll = commands.add_parser("roll", help="restart one after the other, without a refused request")
    roll.add_argument("names", nargs="*", metavar="name", help="default: all tiers but ingest")
    roll.set_defaults(work=ask_to_roll)
    command = commands.add_parser("run", help="run a command with the cluster's environment, past PgBouncer")
    command.add_argument("command", nargs=argparse.REMAINDER)
    command.set_defaults(work=run_command)
    commands.add_parser("down", help="stop everything; the data stays").set_defaults(work=stop)
    return top


def running(options: argparse.Namespace) -> State:
    state = State.read(options.directory)
    if state is None:
        raise ClusterError(f"No cluster runs in {options.directory}.")
    return state


def start(options: argparse.Namespace) -> int:
    if State.read(options.directory):
        raise ClusterError(f"A cluster runs in {options.directory} already: script/cluster status")
    for program in PROGRAMS:
        if not provide(program, program):
            raise ClusterError(f"{program} is needed and could not be installed.")
    port = options.port or next(port for port in range(8000, 8100) if is_free(port))
    if not is_free(port):
        raise ClusterError(f"Port {port} is taken. Choose another one: --port")
    counts = {tier: getattr(options, tier) for tier in TIERS}
    if options.foreground:
        boss.run(options.directory, port, counts)
        return 0
    return start_behind(options.directory, port, counts)


def start_behind(directory: Path, port: int, counts: dict[str, int]) -> int:
    """The same command in a session of its own; this one waits until it is ready, or says why not."""
    numbers = [f"--{tier}={count}" for tier, count in counts.items()]
    directory.joinpath("log").mkdir(parents=True, exist_ok=True)
    log = directory / "log" / "cluster.log"
    command = [sys.executable, "-m", "deploy.cluster", f"--directory={directory}", "up", "--foreground"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, f"--port={port}", *numbers],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    say(f"Starting; {log} tells how it goes.")

    def is_up() -> bool:
        state = State.read(directory)
        return process.poll() is not None or bool(state and state.ready)

    wait_until(is_up, seconds=READY_SECONDS, every=0.1)
    state = State.read(directory)
    if process.poll() is not None or state is None or not state.ready:
        process.terminate()
        lines = log.read_text(errors="replace").splitlines()[-20:]
        raise ClusterError("The cluster does not start:\n" + "\n".join(lines))
    print_table(control.ask(state.control, {"do": "status", "memory": True}))
    say(f"\n  {state.url}/\n\n  Stop it with: script/cluster down")
    return 0


def status(options: argparse.Namespace) -> int:
    """Exit code 3 when something is not as it should be: for scripts that wait."""
    state = running(options)
    rows = control.ask(state.control, {"do": "status", "memory": True})
    print_table(rows)
    return 0 if all(row["state"] in {"ready", "running"} for row in rows) else 3


def print_table(rows: list[dict[str, Any]]) -> None:
    say(f"{'NAME':<14}{'PID':>8}  {'STATE':<10}{'UPTIME':>9}{'MEMORY':>10}{'PORT':>7}{'SOCKETS':>9}{'RESTARTS':>10}")
    for row in rows:
        minutes, seconds = divmod(row["uptime"], 60)
        memory = f"{row['memory'] / 1_048_576:.0f} MiB" if row["memory"] else "–"
        port, sockets = (row["port"], row["connections"]) if row["port"] else ("–", "–")
        say(
            f"{row['name']:<14}{row['pid'] or '–':>8}  {row['state']:<10}{f'{minutes}:{seconds:02}':>9}{memory:>10}"
            f"{port:>7}{sockets:>9}{row['restarts']:>10}"
        )


def ask_to_kill(options: argparse.Namespace) -> int:
    if not hasattr(signal, f"SIG{options.signal.upper().removeprefix('SIG')}"):
        raise ClusterError(f"There is no signal {options.signal}.")
    request = {"do": "kill", "names": options.names, "signal": options.signal}
    control.ask(running(options).control, request, say=say)
    return 0


def ask_to_roll(options: argparse.Namespace) -> int:
    request = {"do": "roll", "names": options.names}
    control.ask(running(options).control, request, say=say)
    return 0


def run_command(options: argparse.Namespace) -> int:
    state = running(options)
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        raise ClusterError("Which command? script/cluster run manage.py check")
    if command[0] == "manage.py":
        command = [sys.executable, *command]
    return subprocess.run(command, cwd=ROOT, env=os.environ | state.direct, check=False).returncode


def stop(options: argparse.Namespace) -> int:
    state = State.read(options.directory)
    if state is not None:
        control.ask(state.control, {"do": "down"})
        if not wait_until(lambda: not state.supervisor.alive(), seconds=DOWN_SECONDS, every=0.05):
            stop_process(state.supervisor, signals=((signal.SIGKILL, 5.0),))
    # Of one that was killed: its children ended with it, but databases take their time.
    Embedded.adopt(options.directory).stop()
    note = options.directory / "sockets"
    if note.exists():
        shutil.rmtree(note.read_text(), ignore_errors=True)
        note.unlink()
    options.directory.joinpath(FILE).unlink(missing_ok=True)
    say("Nothing runs any more." if state else f"No cluster ran in {options.directory}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
