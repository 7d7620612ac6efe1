"""The tags of the design system."""

import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django import forms
from django.conf import settings
from django.template import Context, Template
from django.utils import timezone, translation

from core.templatetags import ui
from tests.pages.html import Page

EVIL = "<script>alert(1)</script>\"'>"


@pytest.mark.parametrize(
    ("seconds", "done", "left"),
    [
        (0, "0 min", "0 min"),
        (None, "0 min", "0 min"),
        (45, "45 s", "45 s"),
        (59.9, "59 s", "1 min"),
        (60, "1 min", "1 min"),
        (1450, "24 min", "25 min"),
        (3600, "1 h", "1 h"),
        (4200, "1 h 10 min", "1 h 10 min"),
        (4201, "1 h 10 min", "1 h 11 min"),
    ],
)
def test_lengths_round_down_when_done_and_up_when_left(seconds: float | None, done: str, left: str) -> None:
    assert (ui.duration(seconds), ui.duration_left(seconds)) == (done, left)


def test_an_address_breaks_between_its_parts_only_and_stays_text() -> None:
    assert ui.breakable("meera.nair@rounds.example") == "meera.<wbr>nair@<wbr>rounds.<wbr>example"
    assert "<script>" not in ui.breakable(EVIL)


def test_seen_and_unseen_make_the_whole() -> None:
    assert (ui.duration(1450), ui.duration_left(3600 - 1450)) == ("24 min", "36 min")


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0:00"), (1450.9, "24:10"), (3723, "1:02:03"), (None, "0:00")])
def test_positions_read_like_the_player(seconds: float | None, shown: str) -> None:
    assert ui.clock(seconds) == shown


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Dr Meera Nair", "MN"),
        ("Prof. Lars Holm", "LH"),
        ("Meera", "M"),
        ("meera.nair@example.org", "M"),
        ("Мария Иванова", "МИ"),
        ("", ""),
        ("<b> <i>", ""),
    ],
)
def test_initials(name: str, expected: str) -> None:
    assert ui.initials(name) == expected


def test_coverage_bar_draws_each_seen_part_and_says_it() -> None:
    page = Page(ui.coverage_bar(((0, 1446), (2460, 2640), (3590, 9000)), 3600))
    svg, background, *seen = page.elements
    assert svg.attrs["viewbox"] == "0 0 3600 10"
    assert svg.attrs["aria-label"] == "27 min seen, 33 min still unseen"
    assert background.attrs["width"] == "3600"
    assert [(part.attrs["x"], part.attrs["width"]) for part in seen] == [("0", "1446"), ("2460", "180"), ("3590", "10")]


def test_coverage_bar_without_a_length_or_coverage_is_empty_and_can_be_decoration() -> None:
    page = Page(ui.coverage_bar(None, None, decorative=True))
    assert [element.tag for element in page.elements] == ["svg", "rect"]
    assert page.elements[0].attrs["aria-hidden"] == "true"
    assert "role" not in page.elements[0].attrs


def test_coverage_bar_escapes_its_label() -> None:
    page = Page(ui.coverage_bar((), 10, EVIL))
    assert page.elements[0].attrs["aria-label"] == EVIL
    assert page.all("script") == []


@pytest.mark.parametrize(("done", "total", "arcs"), [(0, 10, 0), (7, 10, 1), (10, 10, 1), (0, 0, 0), (3, 2, 1)])
def test_ring_shows_its_figures_and_an_arc_only_when_there_is_something_to_show(
    done: int, total: int, arcs: int
) -> None:
    page = Page(ui.ring(done, total))
    assert page.one("text").text == f"{done} / {total}"
    assert len(page.all("circle", "arc")) == arcs
    assert page.one("svg").attrs["aria-label"] == f"{done} of {total} done"


def test_ring_arc_has_the_length_of_the_share() -> None:
    dash, _, _gap = Page(ui.ring(7, 10)).one("circle", "arc").attrs["stroke-dasharray"].partition(" ")
    assert float(dash) == pytest.approx(0.7 * 326.7, abs=0.1)


@pytest.mark.parametrize(
    ("key", "month", "expected"),
    [
        ("Asia/Kolkata", 11, "Kolkata, UTC+5:30"),
        ("Europe/Berlin", 1, "Berlin, UTC+1"),
        ("Europe/Berlin", 7, "Berlin, UTC+2"),
        ("America/Argentina/Buenos_Aires", 7, "Buenos Aires, UTC−3"),
        ("America/St_Johns", 1, "St Johns, UTC−3:30"),
        ("UTC", 1, "UTC"),
        ("Etc/GMT+5", 1, "UTC−5"),
    ],
)
def test_zone_is_named_with_the_offset_of_that_day(key: str, month: int, expected: str) -> None:
    assert ui.zone_name(ZoneInfo(key), datetime(2026, month, 15, 12, tzinfo=UTC)) == expected


def test_datetime_is_written_in_the_current_zone_with_its_name() -> None:
    year = timezone.now().year
    with timezone.override(ZoneInfo("Asia/Kolkata")):
        page = Page(ui.local_datetime(datetime(year, 3, 3, 18, 45, tzinfo=UTC)))
        other_year = Page(ui.local_datetime(datetime(year + 1, 3, 3, 18, 45, tzinfo=UTC)))
    assert page.one("time").text.endswith("4 March, 00:15 (Kolkata, UTC+5:30)")
    assert page.one("time").attrs["datetime"] == f"{year}-03-03T18:45:00+00:00"
    assert f"4 March {year + 1}, 00:15" in other_year.one("time").text
    assert ui.local_datetime(None) == ""
    assert ui.local_date(None) == ""


def test_every_icon_draws() -> None:
    for name in ui.ICONS:
        assert Page(ui.icon(name)).one("svg").attrs["aria-hidden"] == "true"


class SampleForm(forms.Form):
    email = forms.EmailField(label="Your e-mail", help_text="We send the link there.")
    note = forms.CharField(required=False, widget=forms.Textarea)
    agree = forms.BooleanField(label="I agree")
    channel = forms.ChoiceField(choices=[("a", "E-mail"), ("b", "SMS")], widget=forms.RadioSelect)
    token = forms.CharField(widget=forms.HiddenInput)


def render_form(form: forms.Form) -> Page:
    template = Template("{% load ui %}{% for bound in form %}{% field bound %}{% endfor %}")
    return Page(template.render(Context({"form": form})))


def test_fields_have_labels_help_and_no_errors_at_first() -> None:
    page = render_form(SampleForm())
    assert [label.attrs["for"] for label in page.all("label")][:3] == ["id_email", "id_note", "id_agree"]
    assert page.one("p", "help").attrs["id"] == "id_email_helptext"
    assert page.one("legend").text == "Channel"
    assert page.one("span", "optional").text == "(optional)"
    assert page.all("ul", "errors") == []
    assert [field.attrs["type"] for field in page.all("input")] == ["email", "checkbox", "radio", "radio", "hidden"]


def test_errors_stand_beside_their_field_and_are_announced_with_it() -> None:
    page = render_form(SampleForm({"email": EVIL, "channel": "c"}))
    email = page.all("input")[0]
    assert email.attrs["aria-invalid"] == "true"
    assert email.attrs["aria-describedby"] == "id_email_helptext id_email_error"
    assert email.attrs["value"] == EVIL
    errors = {error.attrs["id"]: error.text for error in page.all("ul", "errors")}
    assert errors["id_email_error"] == "Enter a valid email address."
    assert set(errors) == {"id_email_error", "id_agree_error", "id_channel_error"}
    assert page.forbidden() == []


def test_pagination_shows_only_where_there_are_pages() -> None:
    from django.core.paginator import Paginator

    template = Template('{% include "components/pagination.html" %}')
    pages = Paginator(range(45), 20)
    middle = Page(template.render(Context({"page": pages.page(2)})))
    assert middle.links() == {"Previous": "?page=1", "Next": "?page=3"}
    assert "Page 2 of 3" in middle.one("nav").text
    assert Page(template.render(Context({"page": Paginator([1], 20).page(1)}))).elements == []


def test_components_escape_what_they_are_given() -> None:
    context = Context({"title": EVIL, "text": EVIL, "lead": EVIL, "eyebrow": EVIL, "kind": "error"})
    for name in ("alert", "empty", "page_header"):
        page = Page(Template(f'{{% include "components/{name}.html" %}}').render(context))
        assert page.all("script") == []
        assert EVIL in "".join(element.text for element in page.elements if element.tag in {"h1", "h2", "p", "strong"})


def test_words_follow_the_language() -> None:
    with translation.override("fr"):
        assert ui.local_day(datetime(timezone.now().year, 3, 3, 12, tzinfo=UTC)) == "3 mars"


def test_what_is_the_same_for_all_is_made_once_for_every_language() -> None:
    part = Template('{% load ui %}{% same_for_all "webinars/_player_words.html" %}')
    whole = Template('{% include "webinars/_player_words.html" %}')
    ui._made.cache_clear()
    for language in ("en", "ar", "en", "ar"):
        with translation.override(language):
            assert part.render(Context({"user": EVIL})) == whole.render(Context())
    assert ui._made.cache_info().misses == 2


def test_nothing_that_is_shared_shows_a_person_or_a_page() -> None:
    """With no context every variable would be empty."""
    templates = Path(settings.BASE_DIR) / "templates"
    shared = {
        name
        for path in templates.rglob("*.html")
        for name in re.findall(r'{% same_for_all "(\S+)" %}', path.read_text())
    }
    assert "webinars/_player_words.html" in shared
    for name in shared:
        assert "{{" not in (templates / name).read_text(), name
