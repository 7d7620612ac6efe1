"""Zip files that others made: names that stay inside, no links, bounded counts, sizes and ratios."""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping
from posixpath import normpath

from django.utils.translation import gettext as _

from assessments.domain.formats.base import FormatError
from assessments.domain.formats.text import check_size

MOST_ENTRIES = 12_000
MOST_UNPACKED_BYTES = 150_000_000
MOST_XML_BYTES = 40_000_000
MOST_RATIO = 200
FREE_OF_RATIO_BYTES = 1_000_000
_BROKEN = (zipfile.BadZipFile, zipfile.LargeZipFile, OSError, ValueError, RuntimeError, EOFError, zlib.error)
_ALSO_BROKEN = (struct.error, KeyError, OverflowError, NotImplementedError, IndexError)
_EPOCH = (1980, 1, 1, 0, 0, 0)


class Package:
    """Sizes that the file claims are checked at once, those that are real while reading."""

    def __init__(self, data: bytes) -> None:
        check_size(data)
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(data))
            self._entries = {_checked(info): info for info in self._archive.infolist() if not info.is_dir()}
            number = sum(not info.is_dir() for info in self._archive.infolist())
        except (*_BROKEN, *_ALSO_BROKEN) as error:
            if isinstance(error, FormatError):
                raise
            raise FormatError(_("This is no complete zip file.")) from error
        if number > MOST_ENTRIES or number != len(self._entries):
            raise FormatError(_("The zip file has too many files, or two of one name."))
        if sum(info.file_size for info in self._entries.values()) > MOST_UNPACKED_BYTES:
            raise FormatError(_("The zip file unpacks to too much."))
        self._left = MOST_UNPACKED_BYTES
        self._left_xml = MOST_XML_BYTES

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def read_xml(self, name: str, *, most: int) -> bytes:
        """Less than of pictures: taking XML apart costs a hundred times as much as unpacking it."""
        data = self.read(name, most=min(most, self._left_xml))
        self._left_xml -= len(data)
        return data

    def read(self, name: str, *, most: int) -> bytes:
        """Raises FormatError, also for a name that is not there."""
        info = self._entries.get(name)
        if info is None:
            raise FormatError(_("“%(name)s” is not in the package.") % {"name": name[:100]})
        most = min(most, self._left)
        try:
            with self._archive.open(info) as file:
                data = file.read(most + 1)
        except (*_BROKEN, *_ALSO_BROKEN) as error:
            raise FormatError(_("“%(name)s” in the package is broken.") % {"name": name[:100]}) from error
        if len(data) > most:
            raise FormatError(_("“%(name)s” in the package is too large.") % {"name": name[:100]})
        self._left -= len(data)
        return data


def _checked(info: zipfile.ZipInfo) -> str:
    name = info.filename
    parts = name.split("/")
    if name.startswith("/") or "\\" in name or ":" in parts[0] or ".." in parts or len(name) > 500:
        raise FormatError(_("The zip file has names that lead out of it."))
    if stat.S_ISLNK(info.external_attr >> 16):
        raise FormatError(_("The zip file has links in it."))
    if info.flag_bits & 1 or info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise FormatError(_("The zip file is encrypted or compressed in a way that is not known here."))
    if info.file_size > FREE_OF_RATIO_BYTES and info.file_size > MOST_RATIO * max(info.compress_size, 1):
        raise FormatError(_("The zip file unpacks to too much."))
    return normpath(name)


def packed(files: Mapping[str, bytes]) -> bytes:
    """The same files are the same bytes, whenever they are packed."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, _EPOCH)
            info.external_attr = 0o644 << 16
            archive.writestr(info, data, zipfile.ZIP_DEFLATED)
    return memory.getvalue()
