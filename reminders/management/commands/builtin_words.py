"""`manage.py builtin_words`"""

from typing import Any

from django.core.management.base import BaseCommand

from reminders.domain.builtin_words import renew


class Command(BaseCommand):
    help = (
        "Put the words of messages that come with the product into the database, after a release. What was sent stays "
        "as it was, and sets of your own are not touched. Running it again changes nothing."
    )

    def handle(self, *_: Any, **options: Any) -> None:
        written = renew()
        self.stdout.write(f"{written} built-in messages written." if written else "Nothing has changed.")
