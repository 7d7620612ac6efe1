"""What the product itself says in a message is in the reader's language, also where the office wrote no words in it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from reminders.domain import moments
from reminders.domain.templates import problems_of
from reminders.enums import Channel, Kind
from reminders.rendering.builtin import Words
from reminders.rendering.frame import Frame
from reminders.rendering.placeholders import check
from reminders.rendering.words import render
from tests.i18n.catalogue import CODE

pytestmark = pytest.mark.usefixtures("made_up_language")
FRAME = Frame(
    site_name="Ελ",
    sender_name="Ελ",
    programme_title="Ελ",
    url="https://rounds.example/m/1/",
    is_personal=True,
    address="ελ@example.org",
    unsubscribe_url="https://rounds.example/u/1/",
    preferences_url="https://rounds.example/account/messages/",
    language=CODE,
)


def is_translated(told: object) -> bool:
    return str(told).startswith("⟦") and str(told).endswith("⟧")


def test_the_frame_speaks_to_its_reader() -> None:
    words = Words(kind=Kind.LIVE, channel=Channel.EMAIL, language="el", subject="Ελ", body="Ελ", button="")
    with translation.override("en"):
        found = render(Channel.EMAIL, words, {}, FRAME)
    rest = [line for line in found.text.splitlines() if line not in {"", "Ελ", "-- ", FRAME.url}]
    assert [line.startswith("⟦") for line in rest] == [True] * len(rest) != []
    assert is_translated(found.button)
    assert render(Channel.INBOX, words, {}, FRAME).button == found.button


def test_dates_are_in_the_language_that_is_switched_on() -> None:
    now = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
    zone = ZoneInfo("UTC")
    with translation.override(CODE):
        assert is_translated(moments.when(now + timedelta(days=1), zone=zone, now=now))
        assert "⟦" in moments.until(now + timedelta(minutes=10), now=now)


def test_what_is_wrong_with_words_is_told_in_the_language_of_the_office() -> None:
    with translation.override(CODE):
        told = [one.told for one in check("{{ a.b }} {{ doctor.nam }} {% x %} https://a.example", Kind.LIVE)]
        told += [what for _field, what in problems_of({}, kind=Kind.LIVE, channel=Channel.SMS)]
    assert [is_translated(one) for one in told] == [True] * 5
