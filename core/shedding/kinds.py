"""Whose request may wait. By path and method alone: this is asked before anything is known about the caller."""

import re
from enum import Enum

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# Files, grants for them, callbacks of our own programs and of those who carry messages, the staff who see to the
# overload, and what tells of it.
ALWAYS = ("/static/", "/media/", "/internal/", "/callbacks/", "/admin/", "/status/", "/status.json")
# Of people who are in: what they did is acknowledged here, or their right to the picture renewed.
WORK = re.compile(r"/(?:beats|play-sessions|keep-alive)/$")


class Kind(Enum):
    ALWAYS = "always"  # never shed, and says nothing about who is in
    WORK = "work"  # never shed
    SAVE = "save"  # what somebody sends: only of those who are not in, and late
    READ = "read"  # under /api/, and what players tell of themselves: late
    PAGE = "page"  # of those who are in late, of newcomers first


# How well it plays: for figures only, and the page says it again later.
TELLS = re.compile(r"/playback-reports/$")


def kind_of(method: str, path: str) -> Kind:
    if path.startswith(ALWAYS):
        return Kind.ALWAYS
    if WORK.search(path):
        return Kind.WORK
    if TELLS.search(path):
        return Kind.READ
    if method not in SAFE:
        return Kind.SAVE
    return Kind.READ if path.startswith("/api/") else Kind.PAGE
