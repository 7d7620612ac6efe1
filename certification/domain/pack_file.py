"""The ZIP of an evidence pack: written piece by piece, sealed with hashes, looked over later by anybody.

The same pieces give the same bytes: files stand in the order in which they are given, with one fixed time and the same
rights. `manifest.json` names every other file with SHA-256 and size; `SHA256SUMS` says the same, and the manifest's own
hash, in the form that `sha256sum --check` reads.
"""

import hashlib
import json
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import IO, Any

from core.exports import Cell, csv_lines

MANIFEST, SUMS = "manifest.json", "SHA256SUMS"
FORMAT = 1
NO_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a ZIP can say
BLOCK = 1 << 20
MOST_MANIFEST_BYTES = 10_000_000
Row = Sequence[Cell]
# What Python says of a damaged, encrypted or strange file within a ZIP.
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError)


@dataclass(frozen=True, slots=True)
class Part:
    """One file. `count`: about how many chunks there will be, for a progress bar."""

    name: str
    count: int
    chunks: Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with a file of a pack; `what` is a code: missing, extra, twice, size, content, unreadable, sums."""

    name: str
    what: str


class NoPackError(Exception):
    """The file is no evidence pack; the text is for a person."""


def write_pack(
    to: IO[bytes], parts: Sequence[Part], *, facts: dict[str, Any], progress: Callable[[int, int], None] | None = None
) -> None:
    """`facts` go into the manifest beside the list of files. `progress` is told chunks done, and of how many."""
    total, done = sum(part.count for part in parts), 0
    files: list[dict[str, Any]] = []
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in parts:
            digest, size = hashlib.sha256(), 0
            with archive.open(_named(part.name), "w", force_zip64=True) as file:
                for chunk in part.chunks():
                    file.write(chunk)
                    digest.update(chunk)
                    size += len(chunk)
                    done += 1
                    if progress is not None and done % 100 == 0:
                        progress(min(done, total), total)
            files.append({"name": part.name, "sha256": digest.hexdigest(), "size": size})
        manifest = as_json({**facts, "format": FORMAT, "files": files})
        archive.writestr(_named(MANIFEST), manifest)
        files.append({"name": MANIFEST, "sha256": hashlib.sha256(manifest).hexdigest()})
        archive.writestr(_named(SUMS), "".join(f"{one['sha256']}  {one['name']}\n" for one in files))
    if progress is not None:
        progress(total, total)


def as_json(data: Any) -> bytes:
    """For people and machines: one form only."""
    return (json.dumps(data, sort_keys=True, indent=1, ensure_ascii=False) + "\n").encode()


def table(name: str, count: int, rows: Callable[[], Iterator[Row]]) -> Part:
    """As CSV. `count` is without the headings, which `rows` gives first."""
    return Part(name, count + 2, lambda: csv_lines(rows()))


def line(data: dict[str, Any]) -> bytes:
    """One line of a file of JSON lines."""
    return (json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n").encode()


def moment(at: datetime | date | None) -> str:
    """UTC, to the second; empty for never."""
    return "" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if isinstance(at, datetime) else f"{at}"


def _named(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, NO_TIME)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.create_system = 3  # Unix, wherever it was made
    info.external_attr = 0o600 << 16
    return info


# Looking one over


def check_pack(file: IO[bytes]) -> tuple[dict[str, Any], list[Flaw]]:
    """The manifest, and what differs from it: the files alone, which `pack_check` looks into. Raises NoPackError.

    Whoever writes a pack can write its manifest: that nothing was changed since says the hash of the whole file, which
    the site keeps, and that the ledger's lines are the true ones says the published head of their chain.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            manifest = manifest_of(archive)
            return manifest, list(flaws_of(archive, manifest))
    except zipfile.BadZipFile as broken:
        raise NoPackError(f"This is no ZIP file that can be read: {broken}") from None


def manifest_of(archive: zipfile.ZipFile) -> dict[str, Any]:
    try:
        with archive.open(MANIFEST) as file:
            found = json.loads(file.read(MOST_MANIFEST_BYTES))
        if found["format"] != FORMAT:
            raise NoPackError(f"This pack is of format {found['format']}; this program reads {FORMAT}.")
        for one in found["files"]:
            str(one["name"]), str(one["sha256"]), int(one["size"])
    except KeyError as missing:
        raise NoPackError(f"This is no evidence pack: {missing} is missing.") from None
    except (TypeError, *BROKEN):
        raise NoPackError(f"This is no evidence pack: {MANIFEST} cannot be read.") from None
    return dict(found)


def flaws_of(archive: zipfile.ZipFile, manifest: dict[str, Any]) -> Iterator[Flaw]:
    names = Counter(archive.namelist())
    said = {one["name"]: one for one in manifest["files"]}
    for name in sorted(one for one, times in names.items() if times > 1):
        yield Flaw(name, "twice")
    for name in sorted(set(names) - set(said) - {MANIFEST, SUMS}):
        yield Flaw(name, "extra")
    for name, one in said.items():
        what = "missing" if name not in names else _differs(archive, one)
        if what:
            yield Flaw(name, what)
    if SUMS not in names:
        yield Flaw(SUMS, "missing")
    elif not _sums_agree(archive, manifest["files"]):
        yield Flaw(SUMS, "sums")


def _differs(archive: zipfile.ZipFile, said: dict[str, Any]) -> str | None:
    """Reads no more than was said: a file that unpacks to a thousand times as much costs nothing."""
    if archive.getinfo(said["name"]).file_size != said["size"]:
        return "size"
    try:
        digest = _digest(archive, said["name"])
    except BROKEN:
        return "unreadable"
    return None if digest == said["sha256"] else "content"


def _digest(archive: zipfile.ZipFile, name: str) -> str:
    digest, left = hashlib.sha256(), archive.getinfo(name).file_size
    with archive.open(name) as file:
        while left > 0 and (block := file.read(min(BLOCK, left))):
            digest.update(block)
            left -= len(block)
        file.read(1)  # to the end: that is where the ZIP's own checksum is compared
    return digest.hexdigest()


def _sums_agree(archive: zipfile.ZipFile, files: Iterable[dict[str, Any]]) -> bool:
    try:
        wanted = [f"{one['sha256']}  {one['name']}" for one in files]
        wanted.append(f"{_digest(archive, MANIFEST)}  {MANIFEST}")
        with archive.open(SUMS) as file:
            return file.read(MOST_MANIFEST_BYTES).decode().splitlines() == wanted
    except BROKEN:
        return False
