"""What a person reads on a page."""

from typing import Any

from tests.pages.html import Page


def text_of(response: Any) -> str:
    """Of the whole page: the admin's has no main part."""
    return Page(response.content.decode()).one("body").text
