"""Between the HTML of items and XML elements. Names are plain: namespaces are added and taken off with whole files."""

import re
from collections.abc import Iterator
from html import escape
from html.parser import HTMLParser
from xml.etree.ElementTree import Element, tostring

from core.richtext import TAGS, clean_html

UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What no XML file can have in it."""
_BLOCKS = {"p", "ul", "ol", "table", "div"}
_VOID = {"br"}


def element(tag: str, attributes: dict[str, str] | None = None, *children: Element, text: str = "") -> Element:
    made = Element(tag, {name: UNWRITABLE.sub("", value) for name, value in (attributes or {}).items()})
    made.text = UNWRITABLE.sub("", text) or None
    made.extend(children)
    return made


def with_html(tag: str, html: str, attributes: dict[str, str] | None = None) -> Element:
    """An element that has this sanitised HTML in it, as elements of its own."""
    made = element(tag, attributes)
    _Filler(made).run(UNWRITABLE.sub("", html))
    return made


def inner_html(source: Element, *, without: frozenset[str] = frozenset()) -> str:
    """What is in it, sanitised; elements of these names are left out with what they hold."""
    return clean_html("".join(_html_parts(source, without)))


def as_html(text: str) -> str:
    """A plain text of a file as HTML: its lines stay lines."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").strip().split("\n")
    return clean_html("<br>".join(escape(line, quote=False) for line in lines))


def has_blocks(html: str) -> bool:
    return any(f"<{tag}>" in html for tag in _BLOCKS)


def all_text(source: Element | None) -> str:
    return " ".join("".join(source.itertext()).split()) if source is not None else ""


def _html_parts(source: Element, without: frozenset[str]) -> Iterator[str]:
    yield escape(source.text or "", quote=False)
    for child in source:
        tag = str(child.tag)  # of comments and instructions it is a function
        if isinstance(child.tag, str) and tag not in without:  # type: ignore[redundant-expr]
            yield from _one(child, tag, without)
        yield escape(child.tail or "", quote=False)


def _one(child: Element, tag: str, without: frozenset[str]) -> Iterator[str]:
    if tag == "span" and child.get("class") == "u":
        tag = "u"
    elif tag == "div" and not any(under.tag in _BLOCKS for under in child):
        tag = "p" if child.get("class") not in {"stem", "html"} else ""
    shown = tag in TAGS or tag in {"b", "i"}
    if tag in _VOID:
        yield f"<{tag}>"
        return
    if shown:
        yield f"<{tag}>"
    yield from _html_parts(child, without)
    if shown:
        yield f"</{tag}>"


class _Filler(HTMLParser):
    """Sanitised HTML is balanced, except for `br`, which has no end."""

    def __init__(self, root: Element) -> None:
        super().__init__(convert_charrefs=True)
        self._open = [root]
        self._last: Element | None = None  # the element that has just ended: text goes behind it

    def run(self, html: str) -> None:
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = element("span", {"class": "u"}) if tag == "u" else element(tag)
        self._open[-1].append(made)
        if tag in _VOID:
            self._last = made
        else:
            self._open.append(made)
            self._last = None

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID and len(self._open) > 1:
            self._last = self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._last is not None:
            self._last.tail = (self._last.tail or "") + data
        else:
            self._open[-1].text = (self._open[-1].text or "") + data


def written(root: Element) -> bytes:
    body: bytes = tostring(root, encoding="utf-8")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + body
