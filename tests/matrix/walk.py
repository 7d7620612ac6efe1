"""All routes, read from the URLconf itself: what is not found here cannot be reached."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern, RoutePattern
from django.views.generic import RedirectView

PARAMETER = re.compile(r"<(?:[^>:]+:)?(?P<name>[^>]+)>")
ALTERNATIVES = re.compile(r"\(\?P<app_label>[^)]*\)")
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True, slots=True, order=True)
class Route:
    """`path` is the route as it is written in the URLconf, includes joined; a regular expression keeps its signs."""

    path: str
    is_regex: bool = False
    view: Callable[..., Any] | None = field(default=None, compare=False)

    def fill(self, value_of: Callable[[str], str]) -> str:
        return "/" + PARAMETER.sub(lambda found: value_of(found["name"]), self.path)

    def methods(self) -> tuple[str, ...]:
        """GET and POST always; the other unsafe ones where a class-based view has them."""
        view_class = getattr(self.view, "view_class", getattr(self.view, "cls", None))
        if view_class is RedirectView:  # answers every method with the same redirect
            return ("GET", "POST")
        handlers = [method for method in UNSAFE if hasattr(view_class, method.lower())]
        return tuple(dict.fromkeys(("GET", "POST", *handlers)))


def all_routes(urlconf: str | None = None) -> list[Route]:
    """Sorted, each once: the first of two equal routes is the one that Django finds."""
    found: dict[str, Route] = {}
    for route in _walk(get_resolver(urlconf).url_patterns, "", is_regex=False):
        found.setdefault(route.path, route)
    return [found[path] for path in sorted(found)]


def _walk(patterns: Iterable[URLPattern | URLResolver], prefix: str, *, is_regex: bool) -> Iterator[Route]:
    for entry in patterns:
        pattern = entry.pattern
        if not isinstance(pattern, RoutePattern | RegexPattern):
            raise TypeError(f"{entry!r}: teach the walk this kind of pattern")
        regex = is_regex or isinstance(pattern, RegexPattern)
        path = prefix + ALTERNATIVES.sub("(app)", str(pattern))
        if isinstance(entry, URLResolver):
            yield from _walk(entry.url_patterns, path, is_regex=regex)
        else:
            yield Route(path, regex, entry.callback)
