"""Every word of every page and mail comes through gettext, so that a catalogue is all a new language needs."""

from pathlib import Path

import pytest
from django.conf import settings
from django.template import Context, Template
from django.utils import translation

from tests.i18n.assessment_stops import ASSESSMENT_STOPS
from tests.i18n.catalogue import CODE
from tests.i18n.certificate_stops import CERTIFICATE_STOPS
from tests.i18n.certification_stops import CERTIFICATION_STOPS
from tests.i18n.credit_stops import CREDIT_STOPS
from tests.i18n.item_stops import ITEM_STOPS
from tests.i18n.live_stops import LIVE_STOPS
from tests.i18n.marking_stops import MARKING_STOPS
from tests.i18n.message_stops import MESSAGE_STOPS
from tests.i18n.reader import untranslated, untranslated_text
from tests.i18n.report_stops import REPORT_STOPS
from tests.i18n.status_stops import STATUS_STOPS
from tests.i18n.stops import STOPS
from tests.i18n.tour import Tour

pytestmark = [pytest.mark.usefixtures("made_up_language"), pytest.mark.long]
TEMPLATES = Path(settings.BASE_DIR) / "templates"
# For staff and developers, whose pages are checked by the words in their sources only.
NOT_FOR_DOCTORS = ("admin/", "unfold/", "api/", "dev_mail.html")
ALL_STOPS = (
    *STOPS, *LIVE_STOPS, *STATUS_STOPS, *ASSESSMENT_STOPS, *ITEM_STOPS, *MARKING_STOPS, *CERTIFICATE_STOPS,
    *CERTIFICATION_STOPS, *CREDIT_STOPS, *MESSAGE_STOPS, *REPORT_STOPS,
)  # fmt: skip


def for_doctors() -> set[str]:
    names = {str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*") if path.suffix in {".html", ".txt"}}
    return {name for name in names if not name.startswith(NOT_FOR_DOCTORS)}


@pytest.mark.django_db
def test_every_word_of_every_page_and_mail_can_be_translated() -> None:
    tour = Tour()
    with tour.watching_templates():
        for stop in ALL_STOPS:
            stop(tour)
    assert tour.found == {}
    assert for_doctors() - tour.templates == set(), "pages that the tour does not show"


PLANTED = """{% load i18n %}<html lang="io"><title>{% translate "Sign in" %} · Rounds</title>
<p title="Left in an attribute">{% translate "Sign in" %}</p><p>Left <b>behind</b> 12</p>
<p>{% blocktranslate %}Welcome back, {{ name }}{% endblocktranslate %}</p>
<p>eleni@example.org · UTC+5:30 · 24:10 · Ελένη · 720p</p><button aria-label="{% translate 'Sign in' %}"></button>
<input type="submit" value="Send"><input type="text" name="city" value="Athens" placeholder="Your city">
<span class="material-symbols-outlined" aria-hidden="true">arrow_back</span>
<span class="material-symbols-outlined">read_aloud</span>
<script>const words = "not shown";</script></html>"""


def test_a_word_left_in_a_template_is_found() -> None:
    with translation.override(CODE):
        page = Template(PLANTED).render(Context({"name": "Ελένη"}))
    assert "⟦Welcome back, Ελένη⟧" in page
    assert untranslated(page) == [
        "title=Left in an attribute", "Left", "behind", "value=Send", "placeholder=Your city", "read_aloud",
    ]  # fmt: skip
    assert untranslated("<p>⟦One message <b>with</b> elements⟧ and more</p>") == ["and more"]
    assert untranslated("<p>⟦A message cut short</p><p>hides what follows</p>") == ["1 brackets left open"]
    assert untranslated_text("⟦Dear Ελένη,⟧\n\nCome in: https://rounds.example.org/x\n") == [
        "Come in: https://rounds.example.org/x"
    ]
