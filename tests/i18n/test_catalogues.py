"""What is offered has a catalogue, and a catalogue is made by one command."""

from pathlib import Path
from typing import Any

import pytest
from django.utils.translation import gettext, ngettext, override, pgettext

from lms.checks import offered_languages_are_translated
from tests.i18n.catalogue import CODE, mark, read_mo, write_mo

pytestmark = pytest.mark.usefixtures("made_up_language")


def test_offering_a_language_nobody_translated_is_warned_of(settings: Any) -> None:
    assert offered_languages_are_translated() == []
    settings.LANGUAGES = [("en", "English"), ("fr", "French"), (CODE, "Ido"), ("pt-br", "Brazilian Portuguese")]
    (warning,) = offered_languages_are_translated()
    assert (warning.id, warning.msg) == ("lms.W002", "LANGUAGES offers fr, pt-br, which nobody has translated.")


def test_the_command_finds_code_templates_plurals_and_contexts(made_up_catalogue: Path) -> None:
    collected = (made_up_catalogue / CODE / "LC_MESSAGES/django.po").read_text()
    assert "#: accounts/forms.py\n" in collected
    assert "#: templates/accounts/sign_in.html\n" in collected
    assert "#: static/" not in collected
    assert "#: tests/" not in collected
    with override(CODE):
        assert gettext("Look in your mailbox") == "⟦Look in your mailbox⟧"
        assert [ngettext("%(count)d day", "%(count)d days", number) for number in (1, 2)] == [
            "⟦%(count)d day⟧", "⟦%(count)d days⟧",
        ]  # fmt: skip
        assert pgettext("number", "three") == "⟦three⟧"
        assert gettext("This field is required.") == "⟦This field is required.⟧", "of a library"


def test_compiled_files_are_read_and_written_alike() -> None:
    messages = {
        b"": b"Content-Type: text/plain; charset=UTF-8\n",
        b"day\0days": b"day\0days",
        b"Name": "Όνομα".encode(),
    }
    assert read_mo(write_mo(messages)) == messages
    assert mark(b"day\0days", b"day\0days").decode() == "⟦day⟧\0⟦days⟧"
    assert mark(b"", b"header") == b"header"
