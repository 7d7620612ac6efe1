"""The words that come with the product: complete, valid, and short where shortness is paid for."""

from collections import Counter
from dataclasses import asdict

import pytest

from reminders.enums import Channel, Kind
from reminders.rendering.builtin import WRITTEN, Words, all_words
from reminders.rendering.frame import Frame
from reminders.rendering.placeholders import check, check_names, samples
from reminders.rendering.segments import Encoding
from reminders.rendering.words import render

WORDS = all_words()
# As long as a link of ours is on a site with an ordinary name.
LINK = "https://rounds.society.example/sign-in/link/" + "x" * 43 + "/"
FRAME = Frame(site_name="Rounds", sender_name="Office", programme_title="Programme", url=LINK)
by_name = pytest.mark.parametrize("words", WORDS, ids=lambda one: f"{one.kind}-{one.channel}-{one.language}")


def test_there_are_words_for_every_kind_and_channel_once() -> None:
    found = Counter((one.kind, one.channel) for one in WORDS if one.language == "en")
    assert found == Counter((kind, channel) for kind in Kind for channel in Channel if kind in WRITTEN)
    assert set(Kind) - set(WRITTEN) == {Kind.CAMPAIGN, Kind.TEST}


@by_name
def test_they_pass_the_check_that_everybody_elses_pass(words: Words) -> None:
    for text in (words.subject, words.preheader, words.body, words.button):
        assert check(text, words.kind) == []
    assert check_names(words.approved_places, words.kind) == []


@by_name
def test_each_channel_has_what_it_shows(words: Words) -> None:
    given = {name for name, value in asdict(words).items() if value} - {"kind", "channel", "language"}
    needed = {
        Channel.EMAIL: {"subject", "preheader", "body", "button"},
        Channel.INBOX: {"subject", "body", "button"},
        Channel.PUSH: {"subject", "body"},
        Channel.SMS: {"body"},
        Channel.WHATSAPP: {"body", "button", "approved_name", "approved_places"},
    }
    assert given == needed[Channel(words.channel)]


@pytest.mark.parametrize("words", [one for one in WORDS if one.channel == Channel.SMS], ids=lambda one: one.kind)
def test_an_sms_is_two_parts_at_most_in_the_cheap_alphabet(words: Words) -> None:
    found = render(Channel.SMS, words, samples(words.kind), FRAME)
    assert found.segments is not None
    assert found.segments.encoding == Encoding.GSM7
    assert found.segments.parts <= 2


@pytest.mark.parametrize("words", [one for one in WORDS if one.channel == Channel.WHATSAPP], ids=lambda one: one.kind)
def test_what_is_to_be_approved_has_words_at_both_ends_and_between_places(words: Words) -> None:
    """Anything else is refused there."""
    assert "}} {{" not in words.body
    assert not words.body.startswith("{{")
    assert not words.body.endswith("}}")


@by_name
def test_none_of_them_shouts_sells_or_flatters(words: Words) -> None:
    text = f"{words.subject} {words.preheader} {words.body} {words.button}"
    assert "!" not in text
    assert [word for word in text.split() if len(word) > 4 and word.isupper()] == []
    for said in ("hurry", "exclusive", "don't miss", "amazing", "sponsor", "for free", "click"):
        assert said not in text.lower()
