"""GIFT, Moodle's text format (docs.moodle.org: GIFT format). Blank lines part questions; `place` is a line.

Written with `[html]` texts, and with tags, difficulty and ID numbers in the comments in which Moodle keeps them.
"""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from django.utils.translation import gettext as _

from assessments.domain.formats.base import Format, Reading, bounded
from assessments.domain.formats.plain import Found, collect, flattened, has_plain
from assessments.domain.formats.text import decoded
from assessments.items.base import Draft, ItemError
from assessments.items.exchange import RIGHT, Answer, Plain, number_of, percent_text
from assessments.items.markup import as_html
from core.richtext import clean_html, plain_text

_SPECIAL = "\\~=#{}:"
_HIDDEN = {char: chr(0xE000 + n) for n, char in enumerate(_SPECIAL)}
_SHOWN = {ord(hidden): char for char, hidden in _HIDDEN.items()} | {0xE008: "\n"}
_ESCAPED = re.compile(r"\\([\\~=#{}:n])")
_COMMENT = re.compile(r"\[(id|tag):((?:\\\]|[^\]\n]){1,300})\]")
_FORMAT = re.compile(r"\s*\[(html|moodle|plain|markdown)\]", re.IGNORECASE)
_WEIGHT = re.compile(r"\s*%(-?[0-9]{1,3}(?:\.[0-9]{1,10})?)%")
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,200}>")
_KINDS = {"multichoice", "truefalse", "matching", "shortanswer", "numerical", "essay", "description"}
_TRUTHS = {"t": True, "true": True, "f": False, "false": False}


def read(data: bytes) -> Reading:
    reading = Reading()
    collect(_found(decoded(data)), reading)
    return reading


def pack(drafts: Sequence[Draft]) -> bytes:
    return "\n\n".join(map(_question, flattened(drafts))).encode() + b"\n"


def can_carry(draft: Draft) -> bool:
    return has_plain(draft) and all(one.plain.type in _KINDS for one in flattened([draft]))


GIFT = Format("gift", "GIFT", "gift", "text/plain", read, pack, can_carry)


def _found(text: str) -> Iterator[Found]:
    for line, lines in _paragraphs(text):
        comments = "\n".join(one for one in lines if one.startswith("//"))
        body = "\n".join(one for one in lines if not one.startswith(("//", "$CATEGORY:"))).strip()
        if not body:
            continue
        name = ""
        try:
            hidden = _hide(body)
            name, hidden = _name(hidden)
            yield _parsed(hidden, name=name, line=line, comments=comments)
        except ItemError as problem:
            broken = Plain("broken")
            yield Found(line, name, "", broken, id_number=_id_number(comments), problem=str(problem))


def _paragraphs(text: str) -> Iterator[tuple[int, list[str]]]:
    """With the line of each, from 1."""
    begun, lines = 0, []
    for number, raw in enumerate([*text.split("\n"), ""], start=1):
        line = raw.strip()
        if line:
            begun = begun or number
            lines.append(line)
        elif lines:
            yield begun, lines
            begun, lines = 0, []


def _hide(text: str) -> str:
    """Escaped signs become private ones, so that what is left of the special ones is special."""
    clean = re.sub("[\ue000-\ue008]", "", text)
    return _ESCAPED.sub(lambda match: "\ue008" if match[1] == "n" else _HIDDEN[match[1]], clean)


def _show(text: str) -> str:
    return text.translate(_SHOWN)


def _name(hidden: str) -> tuple[str, str]:
    if not hidden.startswith("::"):
        return "", hidden
    name, closed, rest = hidden[2:].partition("::")
    if not closed:
        raise ItemError(_("Its name has no end: write ::name:: in front."))
    return _show(name).strip(), rest.strip()


def _parsed(hidden: str, *, name: str, line: int, comments: str) -> Found:
    style, hidden = _style(hidden, "moodle")
    before, opened, rest = hidden.partition("{")
    block, closed, after = rest.partition("}")
    if opened and not closed:
        raise ItemError(_("The answers have no end: close them with }."))
    if "{" in block + after or "}" in before + after:
        raise ItemError(_("Write one { } with the answers; a brace in a text gets a \\ in front."))
    stem = f"{before.strip()} _____ {after.strip()}" if after.strip() else before.strip()
    answers, _mark, feedback = block.partition("####")
    return Found(
        place=line,
        name=name,
        stem=_html(stem, style),
        plain=_answers(answers.strip(), style) if opened else Plain("description"),
        feedback=_html(feedback.strip(), style, raw=True),
        tags=[text.replace("\\]", "]") for kind, text in _COMMENT.findall(comments) if kind == "tag"],
        id_number=_id_number(comments),
    )


def _id_number(comments: str) -> str:
    return next((text.replace("\\]", "]") for kind, text in _COMMENT.findall(comments) if kind == "id"), "")


def _style(hidden: str, inherited: str) -> tuple[str, str]:
    match = _FORMAT.match(hidden)
    return (match[1].lower(), hidden[match.end() :].strip()) if match else (inherited, hidden)


def _html(hidden: str, inherited: str, *, raw: bool = False) -> str:
    """`raw`: as it stands, to be looked at before it is cleaned."""
    style, hidden = _style(hidden, inherited)
    text = bounded(_show(hidden).strip())
    if style == "html" or (style == "moodle" and _TAG.search(text)):
        return text if raw else clean_html(text)
    return as_html(text)


def _answers(body: str, style: str) -> Plain:
    if not body:
        return Plain("essay")
    if body.startswith("#"):
        return _numbers(body[1:])
    truth = _TRUTHS.get(body.partition("#")[0].strip().lower())
    if truth is not None:
        return _truth(body, truth, style)
    if body[0] not in "=~":
        raise ItemError(_("Each answer begins with = (right) or ~ (wrong)."))
    pieces = [(mark, text.strip()) for mark, text in re.findall(r"([=~])([^=~]*)", body)]
    if all(mark == "=" for mark, _text in pieces):
        if all("->" in text for _mark, text in pieces):
            return Plain("matching", pairs=tuple(_pair(text, style) for _mark, text in pieces))
        return Plain("shortanswer", tuple(_answer(text, style, RIGHT) for _mark, text in pieces))
    answers = tuple(_answer(text, style, RIGHT if mark == "=" else Decimal(0)) for mark, text in pieces)
    single = sum(mark == "=" for mark, _text in pieces) == 1
    return Plain("multichoice", answers, fields={"single": "true" if single else "false"})


def _answer(text: str, style: str, percent: Decimal) -> Answer:
    weight = _WEIGHT.match(text)
    if weight:
        percent, text = Decimal(weight[1]), text[weight.end() :]
    words, _mark, feedback = text.partition("#")
    return Answer(_html(words, style), percent, _html(feedback, style))


def _pair(text: str, style: str) -> tuple[str, str]:
    left, _arrow, right = text.partition("->")
    return _html(left, style), plain_text(_html(right.partition("#")[0], style))


def _truth(body: str, truth: bool, style: str) -> Plain:
    """The first feedback is for who is wrong, the second for who is right."""
    _word, *feedback = [_html(one, style) for one in body.split("#")]
    wrong, right, *_more = [*feedback, "", ""]
    answers = (
        Answer("true", RIGHT if truth else Decimal(0), right if truth else wrong),
        Answer("false", Decimal(0) if truth else RIGHT, wrong if truth else right),
    )
    return Plain("truefalse", answers)


def _numbers(body: str) -> Plain:
    """`value:tolerance`, `from..to`, or several with weights."""
    pieces = re.findall(r"[=~]([^=~]*)", body) or [body]
    answers = []
    for piece in pieces:
        weight = _WEIGHT.match(piece)
        percent = Decimal(weight[1]) if weight else RIGHT
        words, _mark, feedback = piece[weight.end() if weight else 0 :].partition("#")
        if "~" in body and not words.strip():
            continue  # only a feedback for everything else
        low, dots, high = words.partition("..")
        if dots:
            first, last = number_of(low), number_of(high)
            value, tolerance = str((first + last) / 2), str((last - first) / 2)
        else:
            value, _colon, tolerance = (part.strip() for part in words.partition(":"))
        answers.append(Answer(value, percent, _html(feedback, "moodle"), tolerance))
    return Plain("numerical", tuple(answers))


def _question(found: Found) -> str:
    marks = [f"[id:{_bracketed(found.id_number)}]"] if found.id_number else []
    marks += [f"[tag:{_bracketed(tag)}]" for tag in found.tags]
    head = f"// {' '.join(marks)}\n" if marks else ""
    start = f"{head}::{_escaped(found.name)}::[html]{_escaped(found.stem)}"
    if found.plain.type == "description":
        return start
    feedback = f"\n####{_escaped(found.feedback)}" if found.feedback else ""
    end = "\n" if found.plain.answers or found.plain.pairs else ""
    return f"{start} {{{_body(found.plain)}{feedback}{end}}}"


def _body(plain: Plain) -> str:
    if plain.type == "essay":
        return ""
    if plain.type == "truefalse":
        truth = plain.answers[0].percent == RIGHT
        right, wrong = plain.answers if truth else (plain.answers[1], plain.answers[0])
        return f"{'TRUE' if truth else 'FALSE'}#{_escaped(wrong.feedback)}#{_escaped(right.feedback)}"
    if plain.type == "matching":
        lines = [f"={_escaped(left)} -> {_escaped(right)}" for left, right in plain.pairs]
    elif plain.type == "numerical":
        lines = ["#", *(f"={_weight(one)}{one.text}:{one.tolerance or 0}{_why(one)}" for one in plain.answers)]
    elif plain.type == "shortanswer":
        lines = [f"={_weight(one)}{_escaped(one.text)}{_why(one)}" for one in plain.answers]
    else:
        single = plain.fields.get("single") == "true"
        lines = [_choice(one, single=single) for one in plain.answers]
    return "\n\t".join(["", *lines]).replace("\n\t#", "#", 1)


def _choice(answer: Answer, *, single: bool) -> str:
    if single and answer.percent == RIGHT:
        return f"={_escaped(answer.text)}{_why(answer)}"
    weight = f"%{percent_text(answer.percent)}%" if answer.percent or not single else ""
    return f"~{weight}{_escaped(answer.text)}{_why(answer)}"


def _weight(answer: Answer) -> str:
    return "" if answer.percent == RIGHT else f"%{percent_text(answer.percent)}%"


def _why(answer: Answer) -> str:
    return f"#{_escaped(answer.feedback)}" if answer.feedback else ""


def _escaped(text: str) -> str:
    return "".join(f"\\{char}" if char in _SPECIAL else "\\n" if char == "\n" else char for char in text)


def _bracketed(text: str) -> str:
    return text.replace("]", "\\]")
