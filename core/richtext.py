"""HTML that people write: a small, safe subset, cleaned when it is written."""

import re
from html import unescape

import nh3

TAGS = {"p", "br", "strong", "em", "u", "sub", "sup", "ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td"}
_ALIASES = {"<b>": "<strong>", "</b>": "</strong>", "<i>": "<em>", "</i>": "</em>"}


def clean_html(text: str) -> str:
    """Only tags of TAGS, no attribute at all, scripts and styles with their text taken out. Idempotent."""
    for alias, tag in _ALIASES.items():
        text = text.replace(alias, tag)
    return nh3.clean(text, tags=TAGS, attributes={}, clean_content_tags={"script", "style"}).strip()


def plain_text(html: str) -> str:
    """Its words, in one line: for lists, exports and whoever cannot show HTML. Not to be put into HTML unescaped."""
    spaced = html.replace("<br>", " ").replace("</p>", " ").replace("</li>", " ").replace("</td>", " ")
    return " ".join(unescape(nh3.clean(spaced, tags=set())).split())


# What people type who know no HTML: an empty line begins a paragraph, lines that begin with "- " or "1. " are a list,
# and the tags above may be used as they are.

_BLOCK = re.compile(r"</?(?:p|ul|ol|li|table|thead|tbody|tr|th|td)>")
_BLANKS = re.compile(r"[ \t\n\f]+")
_BULLET = re.compile(r"[-•*] +(?=\S)")
_NUMBER = re.compile(r"\d{1,2}[.)] +(?=\S)")
_PLAIN_LIST = re.compile(r"<(ul|ol)>\s*((?:<li>(?:(?!</?(?:li|ul|ol|p|table)>|<br>).)*</li>\s*)+)</\1>")
_ENTRY = re.compile(r"<li>(.*?)</li>")


def from_typed(text: str) -> str:
    """The HTML of a typed text, cleaned."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    chunks = [chunk.strip("\n") for chunk in re.split(r"\n[ \t]*\n\s*", text)]
    if len(chunks) == 1 and not _BLOCK.search(text) and not _list_in(chunks[0]):
        return clean_html("<br>".join(line.strip() for line in text.split("\n")))
    return clean_html("".join(_block(chunk) for chunk in chunks))


def as_typed(html: str) -> str:
    """How somebody would have typed it; the HTML itself where no typed text makes the same of it."""
    html = _BLANKS.sub(" ", html)
    text = _PLAIN_LIST.sub(_typed_list, html)
    text = re.sub(r"\s*<br>\s*", "\n", text)
    text = re.sub(r"\n{3,}", "\n\n", re.sub(r"</?p>", "\n\n", text)).strip()
    text = re.sub(r"&lt;(?![A-Za-z/!?])", "<", text).replace("&gt;", ">").replace("&nbsp;", "\xa0")
    text = re.sub(r"&amp;(?![A-Za-z#])", "&", text)
    return text if is_same_text(from_typed(text), html) else html


def is_same_text(one: str, other: str) -> bool:
    """Whether both look the same: how many blanks does not count, nor does a single paragraph around it all."""
    return _bare(one) == _bare(other)


def _bare(html: str) -> str:
    bare = re.sub(r" ?(</?(?:p|ul|ol|li|table|thead|tbody|tr|th|td|br)>) ?", r"\1", _BLANKS.sub(" ", html)).strip(" ")
    inside = bare.removeprefix("<p>").removesuffix("</p>")
    return inside if bare.startswith("<p>") and bare.endswith("</p>") and not _BLOCK.search(inside) else bare


def _block(chunk: str) -> str:
    if _BLOCK.search(chunk):
        return chunk
    lines = [line.strip() for line in chunk.split("\n")]
    if sign := _list_in(chunk):
        tag = "ul" if sign is _BULLET else "ol"
        entries = "".join(f"<li>{sign.sub('', line, count=1)}</li>" for line in lines)
        return f"<{tag}>{entries}</{tag}>"
    return f"<p>{'<br>'.join(lines)}</p>"


def _list_in(chunk: str) -> re.Pattern[str] | None:
    """A chunk is a list if each of its lines is an entry. One line alone is a sentence: “1. trimester”."""
    lines = [line.strip() for line in chunk.split("\n")]
    for sign in (_BULLET, _NUMBER):
        if len(lines) > 1 and all(sign.match(line) for line in lines):
            return sign
    return None


def _typed_list(found: re.Match[str]) -> str:
    entries = _ENTRY.findall(found[2])
    sign = "- {1}" if found[1] == "ul" else "{0}. {1}"
    return "\n\n" + "\n".join(sign.format(number, entry.strip()) for number, entry in enumerate(entries, 1)) + "\n\n"
