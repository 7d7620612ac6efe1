"""Words that only a look at the sources finds: in branches nobody took, and in scripts."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from tests.i18n.reader import untranslated

TEMPLATES = Path(settings.BASE_DIR) / "templates"
SPOKEN_FOR = re.compile(
    r"\{%\s*block (?:body_?class|tab_current)\b.*?endblock\s*%\}|"  # values of attributes that nobody reads
    r"\{%\s*(comment|blocktranslate|blocktrans)\b.*?\{%\s*end\1\s*%\}|\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}",
    re.DOTALL,
)


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_no_branch_of_a_template_has_words_outside_of_translate(path: Path) -> None:
    """The tour sees the branches it takes; this sees them all, without what they are filled with."""
    assert untranslated(SPOKEN_FOR.sub("", path.read_text())) == []


SENTENCE = re.compile(r"""(["'`])([A-Z][a-z]+(?: [a-z]+)+[^"'`]*)\1""")
NOT_SHOWN = re.compile(r"console\.|new \w*Error\(|throw |^\s*(?://|\*|/\*)")


def test_scripts_have_no_sentences_of_their_own() -> None:
    """What they say stands in the page, where the server has translated it."""
    found = [
        f"{path.name}: {match[2]}"
        for path in sorted((Path(settings.BASE_DIR) / "static/js").rglob("*.js"))
        for line in path.read_text().splitlines()
        for match in SENTENCE.finditer(line)
        if not NOT_SHOWN.search(line)
    ]
    assert found == []
    assert SENTENCE.search('say("Press play to go on")')
