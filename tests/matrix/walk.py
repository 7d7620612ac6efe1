"""All routes, read from the URLconf itself: what is not found here cannot be reached."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern, RoutePattern

PARAMETER = re.compile(r"<(?:[^>:]+:)?(?P<name>[^>]+)>")


@dataclass(frozen=True, slots=True, order=True)
class Route:
    """`path` is the route as it is written in the URLconf, includes joined; a regular expression keeps its signs."""

    path: str
    is_regex: bool

    def parameters(self) -> list[str]:
        return [] if self.is_regex else PARAMETER.findall(self.path)

    def fill(self, values: dict[str, str]) -> str:
        return "/" + PARAMETER.sub(lambda found: values[found["name"]], self.path)


def all_routes(urlconf: object | None = None) -> list[Route]:
    """Sorted, each once: the same route may be written twice (the admin's for popups)."""
    return sorted(set(_walk(get_resolver(urlconf).url_patterns, "", is_regex=False)))


def _walk(patterns: Iterable[URLPattern | URLResolver], prefix: str, *, is_regex: bool) -> Iterator[Route]:
    for entry in patterns:
        pattern = entry.pattern
        if not isinstance(pattern, RoutePattern | RegexPattern):
            raise TypeError(f"{entry!r}: teach the walk this kind of pattern")
        regex = is_regex or (isinstance(pattern, RegexPattern) and str(pattern) != "")
        path = prefix + str(pattern)
        if isinstance(entry, URLResolver):
            yield from _walk(entry.url_patterns, path, is_regex=regex)
        else:
            yield Route(path, regex)
