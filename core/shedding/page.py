"""The waiting room: one answer without database, files or further requests; strings that are put together once."""

import base64
import hashlib
import math
import random
import re
from functools import cache, lru_cache
from pathlib import Path

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext, ngettext

STATIC = Path(settings.BASE_DIR) / "static"
REFRESH = "@seconds@"
ADDRESS = "/waiting-room/"
CONTENT_TYPE = "text/html; charset=utf-8"


def after(seconds: float) -> int:
    """When to ask again: soon at the head of the line, seldom far behind; never all at once."""
    return round(min(20.0, max(3.0, seconds / 3)) * random.uniform(0.8, 1.2)) or 1  # noqa: S311  # not a secret


def words_for_people(ahead: int) -> str:
    if ahead <= 0:
        return gettext("You are next.")
    shown = rounded(ahead)
    return ngettext("%(n)d person is ahead of you.", "%(n)d people are ahead of you.", shown) % {"n": shown}


def words_for_time(seconds: float) -> str:
    if seconds < 45:
        return gettext("Less than a minute")
    minutes = max(1, math.ceil(seconds / 60 - 0.25))
    if minutes > 60:
        return gettext("More than an hour")
    return ngettext("About %(n)d minute", "About %(n)d minutes", minutes) % {"n": minutes}


def rounded(ahead: int) -> int:
    """An exact 1,234 would be out of date before it is read; and every number would be a page to put together."""
    step = 1 if ahead < 20 else 10 if ahead < 1_000 else 100
    return round(ahead / step) * step


def waiting_room(language: str, *, ahead: int | None, seconds: float, refresh: int) -> str:
    """`ahead` None: nobody keeps the order, and there is nothing to say about a place."""
    place = None if ahead is None else rounded(ahead)
    bucket = seconds if seconds < 60 else math.ceil(seconds / 15) * 15
    return _page(language, place, 0 if bucket < 45 else int(bucket)).replace(REFRESH, str(refresh))


@cache
def policy() -> str:
    """The page brings its own style and script; only what has these very hashes runs."""
    style, script = (_hash(text) for text in (_style(), _script()))
    return (
        f"default-src 'none'; style-src {style}; script-src {script}; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )


@lru_cache(maxsize=2048)
def _page(language: str, ahead: int | None, seconds: int) -> str:
    with translation.override(language):
        context = {
            "people": None if ahead is None else words_for_people(ahead),
            "time": words_for_time(seconds),
            "style": _style(),
            "script": _script(),
            "refresh": REFRESH,
            "address": ADDRESS,
            "site_name": settings.SITE_NAME,
        }
        return render_to_string("core/waiting_room.html", context)


@cache
def _style() -> str:
    """The tokens without the fonts, which would be requests more, and the page's own rules."""
    text = (STATIC / "css/tokens.css").read_text() + (STATIC / "css/pages/waiting.css").read_text()
    text = re.sub(r"/\*.*?\*/|@font-face \{[^}]*\}", "", text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", text).strip()


@cache
def _script() -> str:
    return (STATIC / "js/waiting.js").read_text()


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
