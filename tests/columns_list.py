"""Keeps the definitions in docs/numbers.md. Run `python -m tests.columns_list` after changing a dataset."""

import os
import re
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "numbers.md"
LIST = re.compile(r"(?<=<!-- datasets -->\n).*?(?=<!-- /datasets -->)", re.DOTALL)


def rendered(text: str) -> str:
    """The words around the list are people's."""
    from analytics.domain.exporting.definitions import as_markdown

    made = as_markdown()
    return LIST.sub(lambda _: made, text)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lms.settings")
    import django

    django.setup()
    DOCUMENT.write_text(rendered(DOCUMENT.read_text()))
