"""Texts in which a doctor is named or can be reached: they are no examples to quote."""

import re
import unicodedata
from collections.abc import Collection

from django.db.models import Q
from django.db.models.functions import Lower

from core.replica import reading
from courses.models import Enrolment

TELLING_LETTERS = 4  # of a last name that stands alone
_CONTACT = re.compile(
    r"@|\bhttps?:|\bwww\.|\b[\w-]+\.[a-z]{2,}\b|\d(?:[\s().\-/]*\d){6,}",  # e-mail, address of a site, telephone
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+")
_ACCENTS = re.compile("[\u0300-\u036f]")


def has_contact(text: str) -> bool:
    """An e-mail address, a site or a telephone number, or what looks like one."""
    return bool(_CONTACT.search(text))


def naming(texts: Collection[str], *, programmes: Collection[int]) -> set[str]:
    """Those of `texts` with the name of somebody who has a place in one of these programmes. One query.

    A last name of four letters or more, or one of its words, or a shorter one with the first name. Large or small,
    with or without accents: "Garcia" is García López. Who presents there is public. A name that is a word of the
    language as well (Long, Best) counts: rather a text too few.
    """
    words = {text: _words(text) for text in texts}
    wanted = set[str]().union(*words.values())
    if not wanted:
        return set()
    # Names of one plain word are looked up as they are; the few others are compared here, where accents can go.
    people = (
        Enrolment.objects.using(reading())
        .filter(programme__in=programmes)
        .exclude(user__presented_webinars__lesson__course__programme__in=programmes)
        .annotate(name=Lower("user__last_name"))
        .filter(Q(name__in=wanted) | Q(name__regex="[^a-z]"))
        .values_list("user__first_name", "user__last_name")
        .distinct()
    )
    known = [(_words(first), found) for first, last in people if (found := _words(last) & wanted)]
    return {
        text for text, said in words.items() if any(_is_named(said, first=first, last=last) for first, last in known)
    }


def _is_named(said: frozenset[str], *, first: frozenset[str], last: frozenset[str]) -> bool:
    found = said & last
    return any(len(word) >= TELLING_LETTERS for word in found) or bool(found and said & first)


def _words(text: str) -> frozenset[str]:
    plain = text.casefold()
    if not plain.isascii():
        plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", plain))
    return frozenset(_WORD.findall(plain))
