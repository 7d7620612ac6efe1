"""A template and values in every channel: what is shown, and what a hostile value cannot do."""

from dataclasses import dataclass, field, replace
from email.headerregistry import HeaderRegistry
from html.parser import HTMLParser

import pytest

from reminders.enums import Channel, Kind
from reminders.rendering.frame import Frame
from reminders.rendering.placeholders import samples
from reminders.rendering.segments import Encoding
from reminders.rendering.words import Parts, render


@dataclass
class Template:
    subject: str = "{{ webinar.when }}: {{ webinar.title }}"
    preheader: str = "{{ webinar.length }}"
    body: str = "Dear {{ doctor.name }},\n\n{{ webinar.title }}\n{{ webinar.starts }}"
    button: str = "See it"
    approved_name: str = "day_before"
    approved_places: list[str] = field(default_factory=lambda: ["doctor.name", "webinar.presenters"])


URL = "https://rounds.example/s/abc?next=/webinars/3/&x=1"
FRAME = Frame(
    site_name="Rounds",
    sender_name="Fertility Office",
    programme_title="Fertility",
    url=URL,
    is_personal=True,
    address="meera@example.org",
    unsubscribe_url="https://rounds.example/u/tok/",
    preferences_url="https://rounds.example/account/messages/",
)
SMS_FRAME = replace(FRAME, unsubscribe_url="")
VALUES = samples(Kind.DAY_BEFORE)
HOSTILE = "</p><script>alert(1)</script>\r\nBcc: all@evil.example https://evil.example/{{ doctor.name }}"


class Reader(HTMLParser):
    """Tags and addresses of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        given = dict(attrs)
        if tag == "a":
            self.links.append(given.get("href") or "")
        self.loaded += [value for name in ("src", "background", "srcset") if (value := given.get(name))]
        if tag == "link":
            self.loaded.append(given.get("href") or "")

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def rendered(channel: Channel, template: Template | None = None, *, frame: Frame = FRAME, **values: str) -> Parts:
    given = {**VALUES, **{name.replace("__", "."): value for name, value in values.items()}}
    return render(channel, template or Template(), given, frame)


def letter(values: dict[str, str]) -> Parts:
    return render(Channel.EMAIL, Template(), {**VALUES, **values}, FRAME)


def test_an_email_has_words_a_button_and_the_reason_why_it_came() -> None:
    found = rendered(Channel.EMAIL)
    assert found.subject == "Tomorrow, 19:30 (Kolkata): Ovarian reserve in daily practice"
    assert found.text == (
        "Dear Dr Meera Nair,\n\n"
        "Ovarian reserve in daily practice\nThursday 26 November, 19:30 (Kolkata, UTC+5:30)\n\n"
        f"See it:\n{URL}\n\n"
        "This link is yours alone and signs you in once. Please do not forward this message.\n\n"
        "-- \nSent to meera@example.org because you take part in Fertility.\n"
        "Choose what you get: https://rounds.example/account/messages/\n"
        "No more of these e-mails: https://rounds.example/u/tok/\n"
    )


def test_sec_25_a_page_leads_nowhere_but_here_and_loads_nothing() -> None:
    page = Reader(rendered(Channel.EMAIL).html)
    assert page.links == [URL, FRAME.preferences_url, FRAME.unsubscribe_url]
    assert page.loaded == []
    assert page.tags.isdisjoint({"script", "img", "iframe", "form", "object", "link"})


def test_every_place_of_the_frame_is_filled() -> None:
    found = rendered(Channel.EMAIL).html
    assert "[[" not in found
    assert "]]" not in found


def test_without_an_address_to_go_to_there_is_no_button() -> None:
    bare = replace(FRAME, url="", is_personal=False, unsubscribe_url="", preferences_url="")
    found = rendered(Channel.EMAIL, frame=bare)
    assert Reader(found.html).links == []
    assert "See it" not in found.html
    assert "See it" not in found.text
    assert found.html.count("<table") == found.html.count("</table")


def test_a_button_without_words_says_open() -> None:
    assert rendered(Channel.EMAIL, Template(button="")).button == "Open"


def test_right_to_left_is_the_readers() -> None:
    found = rendered(Channel.EMAIL, frame=replace(FRAME, is_rtl=True, language="ar")).html
    assert '<html lang="ar" dir="rtl"' in found
    assert "direction:ltr" not in found
    assert "text-align:left" not in found
    assert rendered(Channel.EMAIL).html.count("direction:ltr") == found.count("direction:rtl") > 0


@pytest.mark.parametrize("name", ["doctor.name", "webinar.title", "webinar.starts"])
def test_sec_22_a_hostile_value_is_words_in_an_email(name: str) -> None:
    plain, found = letter({}), letter({name: HOSTILE})
    page = Reader(found.html)
    assert page.tags == Reader(plain.html).tags
    assert page.links == Reader(plain.html).links
    assert "https://evil" not in found.html + found.text + found.subject
    assert "evil.example" not in found.html + found.text + found.subject
    assert "\n" not in found.subject
    assert "\r" not in found.subject


def test_sec_22_a_hostile_title_or_sender_is_words_in_the_frame() -> None:
    frame = replace(FRAME, sender_name=HOSTILE, programme_title=HOSTILE)
    page = Reader(rendered(Channel.EMAIL, frame=frame).html)
    assert page.tags == Reader(rendered(Channel.EMAIL).html).tags
    assert page.links == [URL, FRAME.preferences_url, FRAME.unsubscribe_url]


def test_sec_25_a_subject_is_a_header_whatever_a_title_has() -> None:
    found = rendered(Channel.EMAIL, webinar__title="A\r\nBcc: x@y.example\u2028\u0085" + "b" * 500)
    header = HeaderRegistry()("subject", found.subject)
    assert list(header.defects) == []
    assert len(found.subject) <= 150


def test_sec_22_html_in_the_words_of_a_template_is_words() -> None:
    page = Reader(rendered(Channel.EMAIL, Template(body="<b>x</b> & <img src=y>", preheader="<i>", button="<u>")).html)
    assert page.tags.isdisjoint({"b", "img", "i", "u"})
    assert "<b>x</b> & <img src=y>" in page.text


def test_what_is_filled_in_cannot_open_a_place_of_the_frame() -> None:
    page = Reader(rendered(Channel.EMAIL, doctor__name="[[url]] [[#button]] [[why]]").html)
    assert "[[url]] [[#button]] [[why]]" in page.text


def test_an_sms_is_its_words_and_the_link() -> None:
    found = rendered(Channel.SMS, Template(body="{{ webinar.when }}: {{ webinar.title }}."), frame=SMS_FRAME)
    assert found.text == f"Tomorrow, 19:30 (Kolkata): Ovarian reserve in daily practice.\n{URL}"
    assert found.segments is not None
    assert (found.segments.encoding, found.segments.parts) == (Encoding.GSM7, 1)
    assert found.subject == found.html == ""


def test_an_sms_cuts_long_titles_and_stays_in_the_cheap_alphabet() -> None:
    words = Template(body="{{ webinar.title }}: {{ webinar.starts }}")
    found = rendered(Channel.SMS, words, frame=SMS_FRAME, webinar__title="“Long” – " * 30)
    assert found.segments is not None
    assert found.segments.encoding == Encoding.GSM7
    assert found.segments.parts <= 2
    assert found.text.endswith(URL)


def test_whatsapp_has_the_approved_name_and_its_places_in_order() -> None:
    found = rendered(Channel.WHATSAPP, webinar__presenters="")
    assert (found.template, found.places) == ("day_before", ("Dr Meera Nair", "–"))


def test_whatsapp_has_no_address_for_a_button_that_was_not_approved() -> None:
    assert rendered(Channel.WHATSAPP).url == URL
    assert rendered(Channel.WHATSAPP, Template(button=" ")).url == ""


@pytest.mark.parametrize(
    ("frame", "end"),
    [
        (SMS_FRAME, URL),
        (replace(SMS_FRAME, names_stop=True), f"{URL}\nAnswer STOP to end these SMS."),
        (FRAME, f"{URL}\nNo more SMS: {FRAME.unsubscribe_url}"),
    ],
)
def test_an_sms_says_how_to_end_them_in_the_way_its_frame_has(frame: Frame, end: str) -> None:
    found = rendered(Channel.SMS, Template(body="We are live."), frame=frame)
    assert found.text == f"We are live.\n{end}"
    assert found.segments is not None
    assert found.segments.units == len(found.text)  # they are paid as well


def test_places_of_whatsapp_have_no_line_breaks_tabs_or_runs_of_spaces() -> None:
    found = rendered(Channel.WHATSAPP, doctor__name="a\n\tb      c", webinar__presenters="x" * 900)
    assert found.places[0] == "a b c"
    assert len(found.places[1]) <= 200


def test_a_message_on_the_site_is_text() -> None:
    found = rendered(Channel.INBOX)
    assert found.text.split("\n\n")[0] == "Dear Dr Meera Nair,"
    assert (found.button, found.url, found.html) == ("See it", URL, "")


def test_a_notice_is_short() -> None:
    found = rendered(Channel.PUSH, Template(subject="{{ webinar.title }}", body="{{ webinar.title }}\n\n" * 9),
                     webinar__title="long " * 50)  # fmt: skip
    assert len(found.subject) <= 60
    assert len(found.text) <= 180
    assert "\n" not in found.text


@pytest.mark.parametrize("channel", Channel)
def test_sec_25_no_channel_lets_a_hostile_value_through(channel: Channel) -> None:
    found = rendered(channel, doctor__name=HOSTILE, webinar__title=HOSTILE, webinar__presenters=HOSTILE)
    shown = " ".join((found.subject, found.text, found.html, found.button, *found.places))
    assert "://evil" not in shown
    assert "evil.example" not in shown
    assert "<script" not in found.html
