"""Caption files in, WebVTT out. Only text and times survive: styles and mark-up of the source are dropped."""

import html
import re

import pysubs2
from django.utils.translation import gettext as _

from media.ffmpeg.stills import clock

MAX_CAPTION_BYTES = 5 * 1024 * 1024
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_VTT_HEADER = re.compile(r"^WEBVTT(?=[ \t\r\n]|$)")


class CaptionsRejected(Exception):  # noqa: N818 - named after what happens, like the other refusals
    """The file cannot become captions; the text says why, for the person who uploaded it."""


def decode_text(data: bytes) -> str:
    """UTF-8 where it is valid, UTF-16 by its mark or its zero bytes, else Western European where it reads like it.

    Old Cyrillic, Greek or Arabic code pages cannot be told apart from a short text: guessing would show doctors
    nonsense, so they are refused with the way out.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data.decode(encoding)
    if b"\x00" in data:
        return data.decode("utf-16-be" if data[:1] == b"\x00" else "utf-16-le")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        western = data.decode("cp1252")
    letters = sum(character.isalpha() for character in western)
    # Latin script has a few accents among many plain letters; Cyrillic or Greek misread would be mostly accents.
    if 4 * sum(ord(character) > 127 for character in western) > letters:
        raise UnicodeDecodeError("cp1252", data, 0, 1, "does not read like a Western language")
    return western


def to_webvtt(data: bytes) -> tuple[str, int]:
    """WebVTT and its number of cues from SubRip or WebVTT, told apart by content, not by file name."""
    if len(data) > MAX_CAPTION_BYTES:
        raise CaptionsRejected(_("The caption file is larger than 5 MB. Choose a .vtt or .srt file."))
    try:
        text = decode_text(data).replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    except UnicodeDecodeError as error:
        raise CaptionsRejected(_("The text encoding is not recognised. Save the file as UTF-8.")) from error
    is_vtt = bool(_VTT_HEADER.match(text))
    try:
        parsed = pysubs2.SSAFile.from_string(text, format_="vtt" if is_vtt else "srt")
    except (pysubs2.Pysubs2Error, ValueError, IndexError, OverflowError) as error:
        raise CaptionsRejected(_("The file cannot be read as captions. Choose a .vtt or .srt file.")) from error
    cues = []
    for event in sorted(parsed, key=lambda event: (event.start, event.end)):
        words = _cue_text(event.plaintext, is_vtt=is_vtt)
        if words and event.end > event.start >= 0:
            cues.append(f"{clock(event.start / 1000)} --> {clock(event.end / 1000)}\n{words}")
    if not cues:
        raise CaptionsRejected(_("No captions were found in the file. Choose a .vtt or .srt file with times and text."))
    return "\n\n".join(["WEBVTT", *cues]) + "\n", len(cues)


def _cue_text(text: str, *, is_vtt: bool) -> str:
    """Escaped, without blank lines (which would end the cue) and control characters."""
    plain = html.unescape(text) if is_vtt else text
    lines = (re.sub(r"[\x00-\x1f\x7f]", "", line).strip() for line in plain.split("\n"))
    return "\n".join(html.escape(line, quote=False) for line in lines if line)
