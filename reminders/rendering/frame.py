"""What stands around a message's own words, and the one HTML page in which every e-mail is sent.

`frame.html` is what MJML makes of `frame.mjml`: `script/mail-frame` writes it, a test compares. `[[name]]` in it is a
place, `[[#name]] … [[/name]]` a part that is only there when its place has something.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_MARK = re.compile(r"\[\[([#/]?)([a-z]+)\]\]")
FRAME = Path(__file__).with_name("frame.html")


@dataclass(frozen=True, slots=True)
class Frame:
    """`url`: where the message leads, on this site and nowhere else; empty: nowhere. `is_personal`: it signs in.

    `address`: to which it goes, for the line that says why. `language`: in which the frame's own words are.
    `names_stop`: an SMS that says how to end them, by answering. `supporters`: named in a line of its own, apart from
    the message.
    """

    site_name: str
    sender_name: str
    programme_title: str
    url: str = ""
    is_personal: bool = False
    address: str = ""
    unsubscribe_url: str = ""
    names_stop: bool = False
    preferences_url: str = ""
    supporters: tuple[str, ...] = ()
    language: str = "en"
    is_rtl: bool = False


@cache
def _pieces() -> tuple[tuple[str, str], ...]:
    """(kind, text): "" is HTML as it stands, "=" a place, "#" and "/" begin and end a part."""
    source = FRAME.read_text(encoding="utf-8")
    pieces: list[tuple[str, str]] = []
    at = 0
    for mark in _MARK.finditer(source):
        pieces += [("", source[at : mark.start()]), (mark[1] or "=", mark[2])]
        at = mark.end()
    return (*pieces, ("", source[at:]))


def page(places: Mapping[str, str]) -> str:
    """`places` are HTML already: whoever fills one has escaped it. What is filled in is not looked through again."""
    written: list[str] = []
    missing = ""
    for kind, text in _pieces():
        if kind == "/" and text == missing:
            missing = ""
        elif missing:
            continue
        elif kind == "#" and not places.get(text):
            missing = text
        elif kind == "=":
            written.append(places[text])
        elif not kind:
            written.append(text)
    return "".join(written)
