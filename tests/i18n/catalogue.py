"""A made-up language: every message of the code, the templates and the libraries in ⟦brackets⟧, by GNU gettext.

Whatever a page shows outside of brackets did not come through gettext, and could not be translated.
"""

import os
import shutil
import struct
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

# Ido: Django knows the code, and hardly any library has words in it that could hide a missing one.
CODE = "io"
ROOT = Path(__file__).resolve().parents[2]
# The tree is copied, because makemessages writes beside what it reads, and several test runs may share one tree.
SOURCES = (
    "accounts",
    "analytics",
    "assessments",
    "certification",
    "core",
    "courses",
    "lms",
    "media",
    "operations",
    "reminders",
    "webinars",
    "templates",
)
LIBRARIES = {
    "django": ("conf", "contrib/auth", "contrib/humanize", "contrib/postgres"),
    "allauth": ("",),
    "django_countries": ("",),
}


def build(folder: Path) -> Path:
    """The directory for LOCALE_PATHS."""
    if shutil.which("msgfmt") is None:
        raise RuntimeError("GNU gettext is missing; script/test installs it.")
    for name in SOURCES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "locale"))
    made = folder / "locale" / CODE / "LC_MESSAGES"
    made.parent.parent.mkdir()
    _run(sys.executable, "-m", "django", "makemessages", f"--locale={CODE}", cwd=folder)
    own = made / "django.po"
    together, english = folder / "together.po", folder / "english.po"
    _run("msgcat", "--use-first", f"--output-file={together}", str(own), *map(str, _library_catalogues()), cwd=folder)
    _run("msgen", f"--output-file={english}", str(together), cwd=folder)
    _run("msgfmt", f"--output-file={folder / 'english.mo'}", str(english), cwd=folder)
    messages = read_mo((folder / "english.mo").read_bytes())
    (made / "django.mo").write_bytes(write_mo({key: mark(key, text) for key, text in messages.items()}))
    return folder / "locale"


def mark(key: bytes, text: bytes) -> bytes:
    """Each plural form for itself; the header stays as it is."""
    if not key:
        return text
    return b"\0".join("⟦".encode() + form + "⟧".encode() for form in text.split(b"\0"))


def _library_catalogues() -> list[Path]:
    found = []
    for package, places in LIBRARIES.items():
        spec = find_spec(package)
        assert spec, package
        assert spec.origin, package
        found += [Path(spec.origin).parent / place / "locale/en/LC_MESSAGES/django.po" for place in places]
    return found


def _run(*command: str, cwd: Path) -> None:
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "lms.settings"}
    done = subprocess.run(command, cwd=cwd, env=environment, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:4])} …\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def read_mo(data: bytes) -> dict[bytes, bytes]:
    """The format is in the gettext manual, "The Format of GNU MO Files": two tables of (length, place)."""
    magic, _revision, count, originals, translations = struct.unpack_from("<5I", data)
    assert magic == 0x950412DE

    def text(table: int, number: int) -> bytes:
        length, place = struct.unpack_from("<2I", data, table + 8 * number)
        return data[place : place + length]

    return {text(originals, number): text(translations, number) for number in range(count)}


def write_mo(messages: dict[bytes, bytes]) -> bytes:
    pairs = sorted(messages.items())
    texts = [key for key, _ in pairs] + [text for _, text in pairs]
    place = 28 + 16 * len(pairs)
    table = b""
    for text in texts:
        table += struct.pack("<2I", len(text), place)
        place += len(text) + 1
    head = struct.pack("<7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 28 + 16 * len(pairs))
    return head + table + b"".join(text + b"\0" for text in texts)
