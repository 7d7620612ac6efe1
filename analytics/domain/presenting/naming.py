"""Texts in which a doctor is named or can be reached: they are no examples to quote."""

import re
import unicodedata
from collections.abc import Collection

from django.db import connections

from core.replica import reading

TELLING_LETTERS = 4  # of a last name that stands alone
_CONTACT = re.compile(
    r"@|\bhttps?:|\bwww\.|\b[\w-]+\.[a-z]{2,}\b|\d(?:[\s().\-/]*\d){6,}",  # e-mail, address of a site, telephone
    re.IGNORECASE,
)
# Names of one plain word are looked up as they are; the few others are compared here, where accents can go. OFFSET
# holds PostgreSQL to looking up the people of these programmes: it would rather read everybody's names, to the last.
_PEOPLE = """
SELECT DISTINCT u.first_name, u.last_name
FROM courses_enrolment e
CROSS JOIN LATERAL (SELECT first_name, last_name FROM accounts_user WHERE id = e.user_id OFFSET 0) u
WHERE e.programme_id = ANY (%(programmes)s)
    AND (lower(u.last_name) = ANY (%(words)s) OR u.last_name ~ '[^A-Za-z]')
    AND e.user_id NOT IN (
        SELECT p.user_id FROM webinars_webinar_presenters p
        JOIN webinars_webinar w ON w.id = p.webinar_id
        JOIN courses_lesson l ON l.id = w.lesson_id
        JOIN courses_course c ON c.id = l.course_id
        WHERE c.programme_id = ANY (%(programmes)s)
    )
"""
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
    with connections[reading()].cursor() as cursor:
        cursor.execute(_PEOPLE, {"programmes": list(programmes), "words": list(wanted)})
        people = cursor.fetchall()
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
