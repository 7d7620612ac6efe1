"""Finds the words on a page, or in a mail, that did not come through gettext.

The data of these tests is Greek, and brackets mark what was translated; so every Latin letter that stands outside of
them and is no address, zone or brand is a word somebody wrote into a template or into the code.
"""

import re
from html.parser import HTMLParser

OPEN, CLOSE = "⟦", "⟧"
VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
SILENT = frozenset({"script", "style", "kbd"})
SPOKEN = ("aria-label", "aria-valuetext", "aria-description", "title", "placeholder", "alt")
DATA_CLASSES = frozenset({"secret", "codes", "link", "code", "quiz-letter"})  # keys to copy, A to D; never sentences
ICONS = "material-symbols-outlined"  # a font that draws a picture for "arrow_back"
DATA_FIELDS = frozenset({"timezone", "language"})  # names of the tz database; languages by their own names
BUTTONS = frozenset({"submit", "button", "reset"})
DATA = re.compile(
    r"""[\w.+•-]+@[\w.-]+            # e-mail addresses
    | https?://\S*                     # also only the beginning of one, in an empty field
    | \bRounds\b                      # the brand
    | \bUTC(?:[+−]\d+(?::\d\d)?)?
    | \b\d+p\b                        # heights of pictures
    """,
    re.VERBOSE,
)
LETTER = re.compile(r"[A-Za-z]")


def outside(text: str, depth: int = 0) -> tuple[str, int]:
    """What of `text` stands outside of brackets, and how deep inside of them it ends."""
    plain = []
    for sign in text:
        if sign == OPEN:
            depth += 1
        elif sign == CLOSE:
            depth -= 1
        elif depth == 0:
            plain.append(sign)
    return "".join(plain), depth


def untranslated_text(text: str) -> list[str]:
    """Line by line, for mails in plain text."""
    found, depth = [], 0
    for line in text.splitlines():
        plain, depth = outside(line, depth)
        if LETTER.search(DATA.sub("", plain)):
            found.append(plain.strip())
    return found if depth == 0 else [*found, f"{depth} brackets left open"]


class Reader(HTMLParser):
    """Follows the brackets through the page: a message may hold elements, and an element several messages."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.depth = 0
        self.silent: list[bool] = [False]  # for each open element, whether what it holds is not for reading

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        silent = self.silent[-1] or self._is_data(tag, values)
        if not silent:
            self._read_attributes(tag, values)
        if tag not in VOID:
            self.silent.append(silent)

    def _is_data(self, tag: str, values: dict[str, str]) -> bool:
        classes = set(values.get("class", "").split())
        is_field = tag == "select" and values.get("name") in DATA_FIELDS
        is_foreign = tag != "html" and "lang" in values
        is_icon = ICONS in classes and values.get("aria-hidden") == "true"
        is_copied = tag != "input" and bool(classes & DATA_CLASSES)
        return tag in SILENT or is_field or is_foreign or is_icon or is_copied

    def _read_attributes(self, tag: str, values: dict[str, str]) -> None:
        names = [name for name in values if name in SPOKEN or name.startswith(("data-label", "data-text"))]
        if tag == "input" and values.get("type") in BUTTONS:
            names.append("value")
        for name in names:
            plain, depth = outside(values[name])
            if depth or LETTER.search(DATA.sub("", plain)):
                self.found.append(f"{name}={plain.strip()}")

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            self.silent.pop()

    def handle_data(self, data: str) -> None:
        plain, self.depth = outside(data, self.depth)
        if not self.silent[-1] and LETTER.search(DATA.sub("", plain)):
            self.found.append(" ".join(plain.split()))


def untranslated(html: str) -> list[str]:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader.found if reader.depth == 0 else [*reader.found, f"{reader.depth} brackets left open"]
