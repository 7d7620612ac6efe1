"""What apps above say of a lesson on its pages in the office. Arrows point down: each registers its words here."""

from collections.abc import Callable

from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from courses.models import Lesson

Says = Callable[[Lesson], SafeString]
_says: list[Says] = []


def says_beside_lessons(says: Says) -> Says:
    """Empty where there is nothing to say."""
    _says.append(says)
    return says


def said_of(lesson: Lesson) -> SafeString:
    return format_html_join("", "{}", ((text,) for says in _says if (text := says(lesson))))
