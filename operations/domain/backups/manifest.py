"""The sheet beside every dump: what it is, of when, and what must come out of it; signed."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.signing import BadSignature, Signer

from operations.domain.backups.contents import Contents
from operations.domain.backups.errors import NotABackupError

PRODUCT = "rounds-lms backup"
FORMAT = 1


@dataclass(frozen=True)
class Manifest:
    name: str
    made_at: str  # ISO 8601, UTC; the moment of the snapshot
    seconds: float
    site: str
    server_version: int  # as PostgreSQL counts: 180006 is 18.6
    dump_version: str
    bytes: int
    sha256: str
    migrations: list[str]
    rows: dict[str, int]
    checksums: dict[str, str]
    media: list[dict[str, Any]] = field(default_factory=list)
    product: str = PRODUCT
    format: int = FORMAT

    @property
    def at(self) -> datetime:
        return datetime.fromisoformat(self.made_at)

    @property
    def contents(self) -> Contents:
        return Contents(self.migrations, self.rows, self.checksums)

    def to_text(self) -> str:
        """The whole with a signature by SECRET_KEY: who can change a dump could change its checksum as well."""
        values = asdict(self)
        return json.dumps(values | {"signature": _signer().signature(_canonical(values))}, indent=1) + "\n"


def read_manifest(text: str, *, trusted: bool = False) -> Manifest:
    """Raises NotABackupError. `trusted`: made under another SECRET_KEY, and somebody vouches for it."""
    try:
        values = json.loads(text)
        signature = str(values.pop("signature", ""))
        manifest = Manifest(**values)
        _ = manifest.at
    except (ValueError, TypeError, AttributeError) as error:
        raise NotABackupError("The manifest cannot be read: it is cut off, or of something else.") from error
    if manifest.product != PRODUCT:
        raise NotABackupError("The manifest is not one of this product.")
    if manifest.format > FORMAT:
        raise NotABackupError("The backup was made by a newer release. Restore it with that one.")
    if not trusted:
        try:
            _signer().unsign(f"{_canonical(values)}:{signature}")
        except BadSignature as error:
            raise NotABackupError(
                "The manifest's signature is wrong: it was changed, or made under another SECRET_KEY. Set that key "
                "(or add it to SECRET_KEY_FALLBACKS); --unsigned restores it all the same."
            ) from error
    return manifest


def check_file(manifest: Manifest, dump: Path) -> None:
    """Raises NotABackupError unless the file is, byte for byte, the one that was made."""
    size = dump.stat().st_size
    if size != manifest.bytes:
        why = "cut off" if size < manifest.bytes else "longer than it was"
        raise NotABackupError(f"The dump is {why}: {size} of {manifest.bytes} bytes.")
    if sha256_of(dump) != manifest.sha256:
        raise NotABackupError("The dump was changed since it was made: its SHA-256 is another one.")


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def site_name() -> str:
    return str(settings.SITE_URL)


def _signer() -> Signer:
    return Signer(salt="operations.backups")


def _canonical(values: dict[str, Any]) -> str:
    return json.dumps(values, sort_keys=True, separators=(",", ":"))
