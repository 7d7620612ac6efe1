"""Moodle XML (docs.moodle.org: Moodle XML format). `place` is the number of the question in the file.

Difficulty is a tag, references stand at the end of the general feedback, pictures are files in base64.
"""

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from html import escape, unescape
from urllib.parse import quote, unquote
from xml.etree.ElementTree import Element

from django.utils.translation import gettext as _

from assessments.domain.formats.base import MOST_IMAGE_BYTES, Format, FormatError, Reading, bounded, picture_name
from assessments.domain.formats.plain import Found, collect, flattened, has_plain
from assessments.domain.formats.xml import parsed
from assessments.items.base import Draft, ItemError
from assessments.items.exchange import Answer, Plain, number_of, percent_text
from assessments.items.markup import as_html, element, written
from core.richtext import clean_html, plain_text

_IMAGE = re.compile(r"<img\b[^<>]{0,2000}?src=\"@@PLUGINFILE@@/([^\"<>]{1,300})\"[^<>]{0,2000}>", re.IGNORECASE)
_ANY_IMAGE = re.compile(r"<img\b", re.IGNORECASE)
_KEPT_FIELDS = ("single", "usecase", "responseformat", "minwordlimit", "maxwordlimit", "gradingtype", "unitgradingtype")
_ALSO_KEPT = ("unitpenalty",)
_SETTING = "setting-"
"""What only we know of a question is in elements whose names begin so. Moodle passes over what it does not know."""


def read(data: bytes) -> Reading:
    root = parsed(data)
    if root.tag != "quiz":
        raise FormatError(_("This is no Moodle XML: it begins with “%(tag)s”.") % {"tag": str(root.tag)[:60]})
    reading = Reading()
    collect(_found(root, reading), reading)
    return reading


def pack(drafts: Sequence[Draft]) -> bytes:
    return written(element("quiz", None, *map(_question, flattened(drafts))))


MOODLE = Format("moodle", "Moodle XML", "xml", "application/xml", read, pack, has_plain)


def _found(root: Element, reading: Reading) -> Iterator[Found]:
    questions = [one for one in root.findall("question") if one.get("type") != "category"]
    for place, question in enumerate(questions, start=1):
        name = " ".join((question.findtext("name/text") or "").split())
        try:
            found = _one(question, place=place, name=name)
        except ItemError as problem:
            id_number = (question.findtext("idnumber") or "").strip()
            found = Found(place, name, "", Plain("broken"), id_number=id_number, problem=str(problem))
        shown = question.findtext("questiontext/text") or ""
        pictures = sum(len(_ANY_IMAGE.findall(one.text or "")) for one in question.iter("text"))
        if pictures > min(len(found.images), len(_ANY_IMAGE.findall(shown))):
            reading.note(
                _("Pictures that are not in the file, or not in the question itself, were left out."),
                place=place,
                name=name,
            )
        yield found


def _one(question: Element, *, place: int, name: str) -> Found:
    kind = question.get("type", "")
    text = question.find("questiontext")
    return Found(
        place=place,
        name=name,
        stem=clean_html(_html(text)),
        plain=Plain(
            "matching" if kind == "match" else kind,
            answers=_answers(question, kind),
            pairs=tuple(_pair(one) for one in question.findall("subquestion")),
            fields=_fields(question),
            units=tuple(_unit(one) for one in question.findall("units/unit")),
            zones=tuple(_zone(one) for one in question.findall("drop")),
        ),
        feedback=_html(question.find("generalfeedback")),
        tags=[one.text or "" for one in question.findall("tags/tag/text")],
        id_number=(question.findtext("idnumber") or "").strip(),
        images=_images(question, text),
    )


def _unit(source: Element) -> tuple[str, str]:
    return (source.findtext("unit_name") or "").strip(), (source.findtext("multiplier") or "1").strip()


def _zone(source: Element) -> tuple[str, str]:
    return (source.findtext("shape/text") or source.findtext("shape") or "").strip(), source.findtext("coords") or ""


def _images(question: Element, text: Element | None) -> dict[str, bytes]:
    """The background first, then those of the text in its order. Raises ItemError."""
    files = _files(text)
    words = bounded(text.findtext("text") or "") if text is not None else ""
    named = [unquote(unescape(name)) for name in _IMAGE.findall(words)]
    found = _files(question) | {name: files[name] for name in named if name in files}
    return {picture_name(name): data for name, data in found.items()}


def _fields(question: Element) -> dict[str, str]:
    found = {
        name: (question.findtext(name) or "").strip()
        for name in (*_KEPT_FIELDS, *_ALSO_KEPT)
        if question.find(name) is not None
    }
    found |= {str(one.tag)[len(_SETTING) :]: one.text or "" for one in question if str(one.tag).startswith(_SETTING)}
    grader = question.find("graderinfo")
    return found | ({"graderinfo": clean_html(_html(grader))} if grader is not None else {})


def _answers(question: Element, kind: str) -> tuple[Answer, ...]:
    answers = []
    for one in question.findall("answer"):
        is_plain = kind in {"shortanswer", "numerical", "truefalse"}
        text = (one.findtext("text") or "").strip() if is_plain else clean_html(_html(one))
        percent = number_of(one.get("fraction") or "0", field="fraction")
        text = escape(text, quote=False) if kind == "shortanswer" else text
        feedback = clean_html(_html(one.find("feedback")))
        answers.append(Answer(text, percent, feedback, (one.findtext("tolerance") or "").strip()))
    return tuple(answers)


def _pair(source: Element) -> tuple[str, str]:
    right = source.findtext("answer/text") or ""
    return clean_html(_html(source)), " ".join(right.split())


def _html(source: Element | None) -> str:
    if source is None:
        return ""
    text = bounded((source.findtext("text") or source.text or "").strip())
    return as_html(text) if source.get("format") in {"plain_text", "markdown"} else text


def _files(source: Element | None) -> dict[str, bytes]:
    """Those right under it. Raises ItemError."""
    found = {}
    for one in source.findall("file") if source is not None else ():
        name = one.get("name", "")
        if not name or one.get("encoding", "base64") != "base64":
            continue
        if len(one.text or "") > MOST_IMAGE_BYTES * 4 // 3 + 1000:
            raise ItemError(_("The picture “%(name)s” is too large.") % {"name": name[:100]})
        try:
            found[name] = b64decode("".join((one.text or "").split()), validate=True)
        except (binascii.Error, ValueError) as error:
            raise ItemError(_("The picture “%(name)s” is broken.") % {"name": name[:100]}) from error
    return found


def _question(found: Found) -> Element:
    plain = found.plain
    kind = "matching" if plain.type == "match" else plain.type
    root = element("question", {"type": kind}, _text("name", found.name, html=False))
    background = next(iter(found.images), "") if kind == "ddmarker" else ""
    others = {name: data for name, data in found.images.items() if name != background}
    text = _text("questiontext", found.stem + "".join(map(_drawn, others)))
    text.extend(_file(name, data) for name, data in others.items())
    root.append(text)
    if background:
        root.append(_file(background, found.images[background]))
    root.append(_text("generalfeedback", found.feedback))
    root.append(element("defaultgrade", text="1"))
    root.append(element("idnumber", text=found.id_number))
    if found.tags:
        root.append(element("tags", None, *(_text("tag", tag, html=None) for tag in found.tags)))
    root.extend(_setting(name, value) for name, value in plain.fields.items())
    root.extend(_answer(one, kind) for one in plain.answers)
    for left, right in plain.pairs:
        pair = _text("subquestion", left)
        pair.append(_text("answer", right, html=None))
        root.append(pair)
    root.extend(_markers(plain))
    if plain.units:
        root.append(element("units", None, *(_unit_element(*unit) for unit in plain.units)))
    return root


def _markers(plain: Plain) -> Iterator[Element]:
    """One marker for each zone, as Moodle wants it."""
    for number, (shape, coordinates) in enumerate(plain.zones, start=1):
        yield element("drag", None, element("no", text=str(number)), _text("text", f"✕{number}", html=None))
        parts = (element("no", text=str(number)), element("shape", text=shape), element("coords", text=coordinates))
        yield element("drop", None, *parts, element("choice", text=str(number)))


def _unit_element(name: str, multiplier: str) -> Element:
    return element("unit", None, element("multiplier", text=multiplier), element("unit_name", text=name))


def _drawn(name: str) -> str:
    alternative = escape(name.rpartition(".")[0])
    return f'<img src="@@PLUGINFILE@@/{quote(name)}" alt="{alternative}">'


def _setting(name: str, value: str) -> Element:
    if name == "graderinfo":
        return _text(name, value)
    return element(name if name in (*_KEPT_FIELDS, *_ALSO_KEPT) else f"{_SETTING}{name}", text=value)


def _answer(answer: Answer, kind: str) -> Element:
    is_plain = kind in {"shortanswer", "numerical", "truefalse"}
    made = element("answer", {"fraction": percent_text(answer.percent), "format": "plain_text" if is_plain else "html"})
    made.append(element("text", text=plain_text(answer.text) if kind == "shortanswer" else answer.text))
    made.append(_text("feedback", answer.feedback))
    if answer.tolerance:
        made.append(element("tolerance", text=answer.tolerance))
    return made


def _text(tag: str, text: str, *, html: bool | None = True) -> Element:
    return element(tag, {"format": "html"} if html else None, element("text", text=text))


def _file(name: str, data: bytes) -> Element:
    attributes = {"name": name, "path": "/", "encoding": "base64"}
    return element("file", attributes, text=b64encode(data).decode())
