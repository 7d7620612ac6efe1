"""What can be on a certificate at all, and that it is kept without loss."""

import json
from dataclasses import replace
from datetime import date

import pytest

from certification.printing.facts import (
    CertificateFacts,
    Credit,
    FactError,
    Labels,
    Look,
    Signatory,
    contrast_with_white,
    freeze,
    thaw_facts,
    thaw_look,
)  # fmt: skip
from tests.certification.printing.samples import FACTS, SAMPLES, drawn


class TestFacts:
    @pytest.mark.parametrize("name", ["holder", "title", "number", "verify_address"])
    @pytest.mark.parametrize("nothing", ["", "  ", "\u202e\u200b"])
    def test_what_a_certificate_cannot_be_without(self, name: str, nothing: str) -> None:
        with pytest.raises(FactError) as error:
            replace(FACTS, **{name: nothing})  # type: ignore[arg-type]

        assert error.value.field == name

    def test_there_is_room_for_four_signatures_and_six_credits(self) -> None:
        four, six = (Signatory("A"),) * 4, (Credit("1", "hour"),) * 6
        assert replace(FACTS, signatories=four, credits=six).signatories == four

        with pytest.raises(FactError, match="4 signatures"):
            replace(FACTS, signatories=(*four, Signatory("B")))
        with pytest.raises(FactError, match="6 kinds"):
            replace(FACTS, credits=(*six, Credit("1", "hour")))


class TestLook:
    @pytest.mark.parametrize("colour", ["red", "#fff", "#12345", "#1234567", "#12345g", 'x"); #panic(', ""])
    def test_a_colour_has_six_digits(self, colour: str) -> None:
        with pytest.raises(FactError) as error:
            Look(accent=colour)

        assert error.value.field == "accent"

    def test_a_colour_must_be_readable_on_white(self) -> None:
        assert contrast_with_white("#000000") == pytest.approx(21)
        assert contrast_with_white("#767676") == pytest.approx(4.54, abs=0.01)
        with pytest.raises(FactError, match="too light"):
            Look(accent="#ffe680")

    @pytest.mark.parametrize(
        ("field", "value"), [("paper", "a3"), ("direction", "up"), ("language", "English"), ("language", "en_GB")]
    )
    def test_other_values_are_refused(self, field: str, value: str) -> None:
        with pytest.raises(FactError) as error:
            Look(**{field: value})  # type: ignore[arg-type]

        assert error.value.field == field

    @pytest.mark.parametrize(
        ("language", "direction", "is_right_to_left"),
        [
            ("ar", "auto", True),
            ("fa-IR", "auto", True),
            ("en", "auto", False),
            ("ar", "ltr", False),
            ("en", "rtl", True),
        ],
    )
    def test_direction_follows_the_language_unless_said(
        self, language: str, direction: str, is_right_to_left: bool
    ) -> None:
        assert Look(language=language, direction=direction).is_right_to_left is is_right_to_left  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        "picture",
        [
            b"no picture", b"<svg xmlns='http://www.w3.org/2000/svg'/>", drawn(60, 60)[:100], drawn(60, 60, kind="GIF"),
            drawn(60, 60, kind="JPEG", mode="CMYK"), drawn(60, 60, mode="I;16"), drawn(4001, 20),
            b"\x89PNG" + bytes(2_000_001),
        ],
        ids=["text", "svg", "cut off", "gif", "four colours", "16 bits", "too wide", "too large"],
    )  # fmt: skip
    def test_pictures_that_cannot_stand_on_the_page(self, picture: bytes) -> None:
        with pytest.raises(FactError) as logo:
            Look(logo=picture)
        with pytest.raises(FactError) as signature:
            Look(signatures=(drawn(60, 60), picture))

        assert (logo.value.field, signature.value.field) == ("logo", "signatures")

    def test_a_year_has_twelve_months(self) -> None:
        with pytest.raises(FactError):
            Labels(months=("January",))


class TestKeeping:
    @pytest.mark.parametrize("name", SAMPLES)
    def test_json_and_back(self, name: str) -> None:
        facts, look = SAMPLES[name]

        assert thaw_facts(json.loads(json.dumps(freeze(facts)))) == facts
        assert thaw_look(json.loads(json.dumps(freeze(look)))) == look

    def test_older_and_newer_json_can_be_read(self) -> None:
        older = {name: value for name, value in freeze(FACTS).items() if name not in ("place", "edition", "replaces")}

        assert thaw_facts(older | {"invented_later": 1}) == FACTS
        assert thaw_look({"accent": "#123456", "invented_later": 1}) == Look(accent="#123456")

    def test_dates_are_iso(self) -> None:
        assert freeze(FACTS)["issued_on"] == "2026-11-22"
        assert thaw_facts(freeze(FACTS)).issued_on == date(2026, 11, 22)
        assert isinstance(thaw_facts(freeze(FACTS)), CertificateFacts)
