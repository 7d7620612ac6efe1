"""Bytes of text files, from whatever program wrote them."""

from django.utils.translation import gettext as _

from assessments.domain.formats.base import MOST_BYTES, FormatError


def decoded(data: bytes) -> str:
    """UTF-8, UTF-16 with its mark, else Windows text; lines end with a newline only. Raises FormatError."""
    check_size(data)
    text = _text(data)
    if "\0" in text:
        raise FormatError(_("This is not a text file."))
    return text.replace("\r\n", "\n").replace("\r", "\n")


def check_size(data: bytes) -> None:
    if len(data) > MOST_BYTES:
        raise FormatError(_("The file is too large: at most %(most)d MB.") % {"most": MOST_BYTES // 1_000_000})
    if not data.strip():
        raise FormatError(_("The file is empty."))


def _text(data: bytes) -> str:
    try:
        if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
            return data.decode("utf-16")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            return data.decode("cp1252")
        except UnicodeDecodeError as error:
            raise FormatError(_("This is not a text file. Save it as UTF-8.")) from error
