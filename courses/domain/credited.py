"""Where a doctor's credit for a lesson stands: the hook from the lesson's page up to the app that grants it.

Such an app registers one function from `AppConfig.ready()`:

    credited.register(credit_page_of)

It is asked on every page of a recording: one prepared query at most.
"""

from typing import Protocol

from courses.models import Lesson


class CreditPage(Protocol):
    def __call__(self, *, lesson: Lesson) -> str | None:
        """The address, or nothing where no authority grants anything for it now."""


_pages: list[CreditPage] = []


def register(page: CreditPage) -> None:
    if page not in _pages:
        _pages.append(page)


def credit_page_of(*, lesson: Lesson) -> str | None:
    return next((found for page in _pages if (found := page(lesson=lesson))), None)
