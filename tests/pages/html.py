"""Reading a page as a browser would: its text, its links, and what the content security policy forbids."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise

VOID = frozenset({"meta", "link", "input", "br", "hr", "img", "wbr"})


@dataclass
class Element:
    tag: str
    attrs: dict[str, str]
    text: str = ""

    def has_class(self, name: str) -> bool:
        return name in self.attrs.get("class", "").split()


@dataclass
class Page(HTMLParser):
    """`elements` in order, each with all the text inside it, white space collapsed."""

    source: str
    elements: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[Element] = []
        self.feed(self.source)
        self.close()
        for element in self.elements:
            element.text = re.sub(r"\s+", " ", element.text).strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        assert self._open, f"</{tag}> closes nothing"
        opened = self._open.pop()
        assert opened.tag == tag, f"</{tag}> closes <{opened.tag}>"

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, tag: str, css_class: str = "") -> list[Element]:
        found = [element for element in self.elements if element.tag == tag]
        return [element for element in found if element.has_class(css_class)] if css_class else found

    def one(self, tag: str, css_class: str = "") -> Element:
        found = self.all(tag, css_class)
        assert len(found) == 1, f"{len(found)} × <{tag} class={css_class}>"
        return found[0]

    @property
    def text(self) -> str:
        return self.one("main").text

    def links(self) -> dict[str, str]:
        return {link.text: link.attrs["href"] for link in self.all("a") if "href" in link.attrs}

    def forbidden(self) -> list[str]:
        """What the strict policy would block: inline styles, handlers and scripts."""
        problems = []
        for element in self.elements:
            names = [name for name in element.attrs if name == "style" or name.startswith("on")]
            problems += [f"<{element.tag} {name}>" for name in names]
            is_data = element.attrs.get("type") == "application/json"
            if element.tag == "style" or (element.tag == "script" and "src" not in element.attrs and not is_data):
                problems.append(f"<{element.tag}>")
            if element.attrs.get("href", "").strip().lower().startswith("javascript:"):
                problems.append("javascript: link")
        return problems

    def outline_problems(self) -> list[str]:
        """Headings in order, one h1, no id twice, every control with a name."""
        levels = [int(element.tag[1]) for element in self.elements if re.fullmatch("h[1-6]", element.tag)]
        problems = [] if levels.count(1) == 1 else [f"{levels.count(1)} h1"]
        problems += [f"h{after} after h{before}" for before, after in pairwise(levels) if after > before + 1]
        ids = [element.attrs["id"] for element in self.elements if "id" in element.attrs]
        problems += [f"id {name} twice" for name in {name for name in ids if ids.count(name) > 1}]
        labelled = [element.attrs["aria-labelledby"] for element in self.elements if "aria-labelledby" in element.attrs]
        problems += [f"no element {name}" for name in labelled if name not in ids]
        problems += [
            f"nameless <{element.tag}>"
            for element in self.elements
            if element.tag in {"a", "button", "summary"} and not (element.text or element.attrs.get("aria-label"))
        ]
        return problems
