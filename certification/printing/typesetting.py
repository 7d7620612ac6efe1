"""typst and the fonts beside this file: one compiler a thread and template, what it said as an exception."""

import os
import threading
from functools import cache
from pathlib import Path
from typing import Any

import typst

FOLDER = Path(__file__).parent
FONTS = FOLDER / "fonts"
# Archivable and readable aloud: every glyph must exist, every picture needs words, reading order is marked.
STANDARDS = ["a-2a", "ua-1"]
JAPANESE, CHINESE = "Noto Serif CJK JP", "Noto Serif CJK SC"
OTHERS = [
    "Noto Naskh Arabic", *(f"Noto Serif {script}" for script in (
        "Hebrew", "Devanagari", "Bengali", "Tamil", "Telugu", "Kannada", "Malayalam", "Gujarati", "Gurmukhi", "Sinhala",
        "Thai", "Lao", "Khmer", "Myanmar", "Ethiopic", "Armenian", "Georgian",
    )),
]  # fmt: skip


class DocumentError(Exception):
    """The document could not be made; the text is for an operator."""


class _Compilers(threading.local):
    """A compiler must not be entered twice. The fonts, the larger part, are everybody's."""

    def __init__(self) -> None:
        self.by_template: dict[Path, typst.Compiler] = {}

    def of(self, template: Path) -> typst.Compiler:
        if template not in self.by_template:
            self.by_template[template] = typst.Compiler(input=template, root=template.parent, font_paths=_fonts())
        return self.by_template[template]


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[FONTS])


@cache
def _local() -> _Compilers:
    return _Compilers()


@cache
def _process() -> int:
    """The process that rendered first: its copies by fork have typst's locks, but none of its threads."""
    return os.getpid()


def typeset(template: Path, data: dict[str, str], **options: Any) -> bytes:
    """`data` is what the template finds in `sys.inputs`. Raises DocumentError, also for more than one picture."""
    if _process() != os.getpid():
        raise DocumentError("This process was forked from one that had rendered, and would wait for ever.")
    try:
        made, warnings = _local().of(template).compile_with_warnings(sys_inputs=data, **options)
    except typst.TypstError as error:
        raise DocumentError(f"{error.message} {' '.join(error.hints)}".strip()) from error
    if warnings:
        raise DocumentError("; ".join(warning.message for warning in warnings))
    if not isinstance(made, bytes):
        raise DocumentError("The document has more than one page.")
    return made


def families(*, is_japanese: bool) -> dict[str, list[str]]:
    """Fonts by voice, in the order in which they are asked for a glyph."""
    others = [*OTHERS, *([JAPANESE, CHINESE] if is_japanese else [CHINESE, JAPANESE])]
    return {
        "display": ["Noto Serif Display", "Noto Serif", *others],
        "serif": ["Noto Serif", *others],
        "sans": ["Noto Sans", "Noto Serif", *others],
    }
