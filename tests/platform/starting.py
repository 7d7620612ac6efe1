"""Many starts of the product, each in a child of one process that has read the libraries and nothing of ours.

A start that has to be refused takes a third of a second, nearly all of it for libraries that are the same each time.
"""

import json
import os
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = (  # that `lms.settings` reads
    "csp.constants", "django.conf.global_settings", "django.db.models", "django_stubs_ext", "redis", "structlog",
)  # fmt: skip


class Starts:
    def __init__(self, kept: dict[str, str]) -> None:
        """`kept` is what each child has in its environment besides what its test says."""
        self.kept = kept
        self.process = subprocess.Popen(
            [sys.executable, "-m", __spec__.name],
            cwd=ROOT, env=kept, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, code: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """What `python -c code` says in an environment of nothing else."""
        assert self.process.stdin
        assert self.process.stdout
        with tempfile.NamedTemporaryFile("r") as said, tempfile.NamedTemporaryFile("r") as complained:
            job = [code, self.kept | environment, said.name, complained.name]
            self.process.stdin.write(json.dumps(job) + "\n")
            self.process.stdin.flush()
            status = int(self.process.stdout.readline())
            return subprocess.CompletedProcess(code, status, said.read(), complained.read())

    def end(self) -> None:
        self.process.communicate()


def main() -> None:
    for name in LIBRARIES:
        import_module(name)
    ours = {name for name in sys.modules if (ROOT / name.partition(".")[0] / "apps.py").exists()}
    if ours:
        raise RuntimeError(f"No start would read these again: {ours}")
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            play(*json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def play(code: str, environment: dict[str, str], said: str, complained: str) -> None:
    status = 1
    try:
        for number, name in ((1, said), (2, complained)):
            os.dup2(os.open(name, os.O_WRONLY), number)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = ["-c"]
        exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})
        status = 0
    finally:
        if status:
            sys.excepthook(*sys.exc_info())
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
