"""What a template may name: an allow-list for each kind of message. There is no other language in a template."""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from reminders.enums import Kind

_NAME = r"[a-z_]+(?:\.[a-z_]+)*"
PLACE = re.compile(r"\{\{[ \t]*(" + _NAME + r")[ \t]*\}\}")
# What is left when the places are gone and looks as if it wanted to be one, or to be a program.
_BROKEN = re.compile(r"\{\{[^{}\n]*\}?\}?|\{%[^\n]*?%\}|\{[%#]|[%#]\}|\}\}|\{[ \t]*" + _NAME + r"[ \t]*\}")
_LINK = re.compile(r"(?i)\b(?:[a-z][a-z0-9+.-]*://|www\.|mailto:|tel:)\S*")
# What a mail program makes a link of by itself: "example.com/x", "a@example.com". "2.5 mg" and "i.e." are none, nor is
# the end of a sentence in a script that has no spaces.
_BARE = re.compile(r"[^\s(<\[\"'“”„«]{0,80}[^\W_](?:[.．](?=[^\W\d_]{2})|[。｡](?=[A-Za-z]{2}))[^\s)>\]\"'“”»,;]{0,200}")
# Pages and pictures: `<img …>`, `![…](…)`, `[…](…)`. In a message they would stand there as they are written.
_PAGE = re.compile(r"</?[A-Za-z!][^>\n]{0,200}>?|!?\[[^\]\n]{0,200}\]\([^)\n]{0,200}\)?")
# Signs that nobody sees, and that an address may be hidden with.
_HIDDEN = re.compile(r"[\u00ad\u180e\u200b\u2060-\u2064\ufeff]")


@dataclass(frozen=True, slots=True)
class Placeholder:
    """`sample`: for previews without a doctor."""

    name: str
    about: str | Promise
    sample: str


@dataclass(frozen=True, slots=True)
class Problem:
    """`line` from 1. `told` is for whoever edits."""

    line: int
    found: str
    told: str


_l = gettext_lazy
COMMON = (
    Placeholder("doctor.name", _l("Title and full name"), "Dr Meera Nair"),
    Placeholder("doctor.short_name", _l("Title and last name"), "Dr Nair"),
    Placeholder("programme.title", _l("The programme"), "Fertility Medicine 2026"),
    Placeholder("site.name", _l("This site"), "Rounds"),
)
WEBINAR = (
    Placeholder("webinar.title", _l("The webinar"), "Ovarian reserve in daily practice"),
    Placeholder("webinar.starts", _l("Day and hour"), "Thursday 26 November, 19:30 (Kolkata, UTC+5:30)"),
    Placeholder("webinar.when", _l("The same with “Today” or “Tomorrow”"), "Tomorrow, 19:30 (Kolkata)"),
    Placeholder("webinar.date", _l("The day alone"), "Thursday 26 November"),
    Placeholder("webinar.short", _l("Day and hour, short"), "26 Nov, 19:30 (Kolkata)"),
    Placeholder("webinar.starts_in", _l("Time until it starts"), "10 min"),
    Placeholder("webinar.length", _l("How long it takes"), "1 h"),
    Placeholder("webinar.presenters", _l("Who presents it"), "Prof. Ana Silva and Dr Jun Park"),
    Placeholder("course.title", _l("The course it belongs to"), "Assessment of the infertile couple"),
)
MOVED = (
    Placeholder("webinar.before", _l("When it was to be before"), "Wednesday 25 November, 19:30 (Kolkata, UTC+5:30)"),
)
RECORDING = (Placeholder("recording.length", _l("Length of the recording"), "58 min"),)
WATCHED = (
    Placeholder("watch.left_at", _l("Where the doctor stopped"), "24:10"),
    Placeholder("watch.to_go", _l("What is still unseen"), "36 min"),
)
PROGRESS = (
    Placeholder("progress.done", _l("Courses completed"), "7"),
    Placeholder("progress.needed", _l("Courses needed"), "10"),
    Placeholder("progress.left", _l("Courses still to complete"), "3"),
    Placeholder("progress.time_left", _l("Watching time until the certificate"), "2 h 10 min"),
)
COURSE = (Placeholder("course.title", _l("The course"), "Assessment of the infertile couple"),)
EVALUATION = (Placeholder("evaluation.about", _l("What the feedback is about"), "Ovarian reserve in daily practice"),)
CERTIFICATE = (
    Placeholder("certificate.title", _l("What it is for"), "Fertility Medicine 2026"),
    Placeholder("certificate.number", _l("Its number"), "FM26-000123"),
)
CLOSING = (
    Placeholder("programme.closes", _l("When it closes"), "Monday 30 November, 23:59 (Kolkata, UTC+5:30)"),
    Placeholder("programme.days_left", _l("Days until then"), "6 days"),
)
GROUPS: Mapping[str, tuple[Placeholder, ...]] = {
    Kind.REGISTERED: WEBINAR,
    Kind.WEEK_BEFORE: WEBINAR,
    Kind.DAY_BEFORE: WEBINAR,
    Kind.HOUR_BEFORE: WEBINAR,
    Kind.SOON: WEBINAR,
    Kind.LIVE: WEBINAR,
    Kind.MOVED: WEBINAR + MOVED,
    Kind.CANCELLED: WEBINAR,
    Kind.RECORDING_READY: WEBINAR + RECORDING,
    Kind.LEFT_EARLY: WEBINAR + RECORDING + WATCHED,
    Kind.EVALUATION: EVALUATION + COURSE,
    Kind.COURSE_COMPLETED: COURSE + PROGRESS,
    Kind.WEEKLY_PROGRESS: PROGRESS,
    Kind.CERTIFICATE_READY: CERTIFICATE + PROGRESS,
    Kind.PROGRAMME_CLOSING: CLOSING + PROGRESS,
    Kind.CAMPAIGN: PROGRESS,
}


@lru_cache(maxsize=len(Kind))
def allowed(kind: str) -> dict[str, Placeholder]:
    """By name, in the order in which they are offered."""
    return {one.name: one for one in (*COMMON, *GROUPS.get(kind, ()))}


def samples(kind: str) -> dict[str, str]:
    return {name: one.sample for name, one in allowed(kind).items()}


def named_in(text: str) -> list[str]:
    """In order of their first appearance."""
    return list(dict.fromkeys(PLACE.findall(text)))


def check(text: str, kind: str) -> list[Problem]:
    """Everything that is wrong with a template's text, by line. Nothing of this can be saved."""
    known = allowed(kind)
    return [problem for number, line in enumerate(text.split("\n"), 1) for problem in _wrong(line, number, known)]


def check_names(names: Iterable[object], kind: str) -> list[Problem]:
    """The numbered places of an approved template."""
    known = allowed(kind)
    return [_unknown(str(name), place, known) for place, name in enumerate(names, 1) if str(name) not in known]


def _wrong(line: str, number: int, known: Mapping[str, Placeholder]) -> Iterable[Problem]:
    for name in PLACE.findall(line):
        if name not in known:
            yield _unknown(name, number, known)
    rest = PLACE.sub(" ", line)
    for found in _PAGE.findall(rest):
        told = _("Line %(line)d: please leave out “%(found)s”. A message is plain words, without pictures.")
        yield Problem(number, found, told % {"line": number, "found": found})
    for found in _BROKEN.findall(rest):
        yield Problem(number, found, _("Line %(line)d: a placeholder is written like this: %(example)s.") % {
            "line": number, "example": "{{ doctor.name }}",
        })  # fmt: skip
    for link in _LINK.findall(rest):
        told = _("Line %(line)d: please leave out “%(link)s”. Messages lead to this site only, by their button.")
        yield Problem(number, link, told % {"line": number, "link": link})
    bare = _HIDDEN.sub("", PLACE.sub("x", line))
    for found_already in (_BROKEN, _PAGE, _LINK):
        bare = found_already.sub(" ", bare)
    for link in _BARE.findall(bare):
        told = _(
            "Line %(line)d: mail programs make a link of “%(link)s”. Put a space after the full stop, or leave it out:"
            " messages lead to this site only, by their button."
        )
        yield Problem(number, link, told % {"line": number, "link": link})


def _unknown(name: str, number: int, known: Mapping[str, Placeholder]) -> Problem:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if near:
        told = _("Line %(line)d: there is no “%(name)s” in this message. Is it “%(near)s”?")
        return Problem(number, name, told % {"line": number, "name": name, "near": near[0]})
    told = _("Line %(line)d: there is no “%(name)s” in this message.")
    return Problem(number, name, told % {"line": number, "name": name})


def told(problems: Iterable[Problem], *, most: int = 5) -> list[str]:
    """For a form: the first few, and how many more."""
    texts = [one.told for one in problems]
    more = len(texts) - most
    if more <= 0:
        return texts
    return [*texts[:most], ngettext("And %(count)d more.", "And %(count)d more.", more) % {"count": more}]


@dataclass(frozen=True, slots=True)
class _Line:
    """`words` is one longer than `names`: words, value, words, value, words."""

    words: tuple[str, ...]
    names: tuple[str, ...]


@lru_cache(maxsize=4_096)
def _parsed(text: str) -> tuple[_Line, ...]:
    lines = []
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        pieces = PLACE.split(line.strip())
        lines.append(_Line(tuple(pieces[::2]), tuple(pieces[1::2])))
    return tuple(lines)


def paragraphs(
    text: str,
    values: Mapping[str, str],
    *,
    words: Callable[[str], str] = str,
    value: Callable[[str], str] = str,
) -> list[list[str]]:
    """Filled in: paragraphs of lines. A line that names something of which nothing is known is left out.

    `words` and `value` write the template's own words and the values; a value is never looked through for more places.
    """
    found: list[list[str]] = [[]]
    for line in _parsed(text):
        if not any(line.words) and not line.names:
            found.append([])
        elif all(values.get(name) for name in line.names):
            found[-1].append(_filled(line, values, words, value))
    return [paragraph for paragraph in found if paragraph]


def fill(text: str, values: Mapping[str, str]) -> str:
    """Into one line, for a subject or a button. What is not known is left empty."""
    return " ".join(" ".join(_filled(line, values, str, str) for line in _parsed(text)).split())


def _filled(line: _Line, values: Mapping[str, str], words: Callable[[str], str], value: Callable[[str], str]) -> str:
    pieces = [words(line.words[0])]
    for name, after in zip(line.names, line.words[1:], strict=True):
        given = values.get(name, "")
        pieces += [value(given) if given else "", words(after)]
    return "".join(pieces)
