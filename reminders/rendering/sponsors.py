"""Names of those who pay, found in words however they are written, and the line that says plainly who supports."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

from django.utils.text import get_text_list
from django.utils.translation import gettext as _

SHORTEST = 2  # letters of a name that is looked for
# What a company is called in its register and not in a sentence.
LEGAL_FORMS = frozenset({
    "ab", "ag", "as", "asa", "bv", "co", "company", "corp", "corporation", "gmbh", "inc", "incorporated", "kg", "kgaa",
    "limited", "llc", "llp", "ltd", "nv", "oy", "oyj", "plc", "private", "pte", "pty", "pvt", "sa", "sarl", "sas", "se",
    "spa", "srl",
})  # fmt: skip
# What is written where there is no name to give.
NO_NAMES = frozenset({"no", "none", "na", "n a", "nil", "nothing", "not applicable", "self", "self employed"})


def _plain(text: str) -> str:
    """Small letters and digits between single spaces: 'North-Light®' and 'NÖRTH light' become the same words. Marks and
    characters that nobody sees are left out.
    """
    kept = []
    for sign in unicodedata.normalize("NFKD", text.casefold()):
        kind = unicodedata.category(sign)
        if kind[0] in "LN":
            kept.append(sign)
        elif kind not in {"Mn", "Me", "Cf"}:
            kept.append(" ")
    return " ".join("".join(kept).split())


def sought(name: str) -> str:
    """What to look for; empty for what is no name."""
    words = _plain(name).split()
    while len(words) > 1 and words[-1] in LEGAL_FORMS:
        words.pop()
    found = " ".join(words)
    return found if len(found) >= SHORTEST and found not in NO_NAMES | LEGAL_FORMS else ""


def named_in(texts: Iterable[str], names: Iterable[str]) -> list[str]:
    """Those of the names that one of the texts says, as whole words, also written in one word or in several."""
    plain = [_plain(text) for text in texts if text]
    found = []
    for name in names:
        wanted = sought(name)
        if wanted and any(_pattern(wanted).search(text) for text in plain):
            found.append(name)
    return found


def _pattern(wanted: str) -> re.Pattern[str]:
    """Scripts that write no spaces between words have no edges to look for."""
    letters = r" ?".join(re.escape(sign) for sign in wanted if sign != " ") if len(wanted) > 5 else re.escape(wanted)
    before = "" if _has_no_case(wanted[0]) else r"(?<![^\W_])"
    after = "" if _has_no_case(wanted[-1]) else r"(?![^\W_])"
    return re.compile(before + letters + after)


def _has_no_case(sign: str) -> bool:
    return unicodedata.category(sign) == "Lo"


def label_of(names: Sequence[str]) -> str:
    """In the language that is on; empty without names."""
    return _("Supported by %(names)s.") % {"names": get_text_list(list(names), _("and"))} if names else ""
