"""The transcript: every text is on it, on as many pages as it takes, and nothing of it is a program."""

import json
from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pypdfium2
import pytest
import zxingcpp

from certification.printing import transcript
from certification.printing.facts import FactError
from certification.printing.transcript import Bar, Line, Position, Section, TranscriptFacts, engine, render
from tests.certification.printing.samples import page_text, pages, rastered, squeezed

ADDRESS = "https://learn.example.org/verify/"
HEAD = "0123456789abcdef" * 4


def line(number: int, **values: Any) -> Line:
    made = Line(
        on=date(2026, 1 + number % 12, 1 + number % 28),
        title=f"Heart failure in primary care, evening {number}",
        format="Live" if number % 2 else "Recording",
        amount="0.75",
        approval_code="ACCME-0042",
        certificate=f"CARD-2026-{number:06}",
    )
    return replace(made, **values)


ACCME = Section(
    "AMA PRA Category 1 (ACCME)",
    "1.5",
    "AMA PRA Category 1 Credits™",
    (Bar("2026", "1.5", Decimal(1)),),
    (line(1), line(2)),
)
INDIA = Section(
    "State medical council (India) · Gujarat",
    "37.5",
    "credit hours",
    (
        Bar("1 January 2024 – 31 December 2028", "37.5 of 150", Decimal("0.25"), "112.5 still missing"),
        Bar("1 January 2019 – 31 December 2023", "150 of 150", Decimal(1), "Reached", is_reached=True),
    ),
    (line(3, amount="37.5", certificate=""),),
)
FACTS = TranscriptFacts(
    holder="Dr. Amelia Okonkwo-Hartmann",
    made_on=date(2026, 11, 22),
    verify_address=ADDRESS,
    council="General Medical Council",
    registration_number="GMC 7412589",
    site="Rounds",
    sections=(ACCME, INDIA),
    positions=(Position("Cardiology for General Practice 2026", 1234, HEAD),),
)


def with_lines(*lines: Line) -> TranscriptFacts:
    return replace(FACTS, sections=(replace(ACCME, lines=lines),))


def all_text(pdf: bytes) -> str:
    return squeezed("".join(page_text(pdf, page=page) for page in range(pages(pdf))))


class TestPages:
    def test_every_fact_is_on_the_page(self) -> None:
        text = all_text(render(FACTS))
        wanted = [
            "Transcript of credits", FACTS.holder, FACTS.council, FACTS.registration_number, ACCME.title, ACCME.unit,
            INDIA.title, "37.5 of 150", "112.5 still missing", "Reached", "1 January 2019 – 31 December 2023",
            "Heart failure in primary care, evening 2", "3 March 2026", "Recording · ACCME-0042", "CARD-2026-000001",
            "Made on 22 November 2026 from the ledger", f"line 1234, head {HEAD}", "Page 1 of 1", ADDRESS,
        ]  # fmt: skip

        assert [words for words in wanted if squeezed(words) not in text] == []

    def test_a_career_takes_several_pages_that_all_say_whose_they_are(self) -> None:
        pdf = render(with_lines(*(line(number) for number in range(60))))
        texts = [squeezed(page_text(pdf, page=page)) for page in range(pages(pdf))]

        assert 3 <= len(texts) <= 6
        for number, text in enumerate(texts, 1):
            assert squeezed(f"Page {number} of {len(texts)}") in text
            assert squeezed(FACTS.holder) in text
        assert [squeezed("Activity") in text for text in texts] == [True] * len(texts)
        assert all(squeezed(f"CARD-2026-{number:06}") in "".join(texts) for number in range(60))

    def test_who_has_no_credit_is_told_so(self) -> None:
        text = all_text(render(replace(FACTS, sections=(), positions=(), council="", registration_number="")))

        assert squeezed("There are no credits yet.") in text
        assert squeezed("Medical council") not in text

    def test_a_bar_is_as_long_as_its_share(self) -> None:
        """Pixels of the accent, and of the empty rest, in the row of the first bar of a quarter."""
        image = rastered(render(replace(FACTS, sections=(replace(INDIA, lines=()),))))
        accent, rest = (0x0A, 0x6B, 0x5E), (0xE6, 0xEB, 0xE8)
        wide = range(image.width)
        rows = [Counter(image.getpixel((x, y)) for x in wide) for y in range(100, image.height)]
        found = [row[accent] / (row[accent] + row[rest]) for row in rows if row[rest] > 300]

        assert found
        assert sorted(found)[len(found) // 2] == pytest.approx(0.25, abs=0.01)

    def test_revoked_credit_is_struck_and_says_that_there_is_a_reason(self) -> None:
        remark = "Revoked; the reason is on record"
        revoked = render(with_lines(line(1, is_revoked=True, remark=remark)))
        plain = render(with_lines(line(1, remark=remark)))

        assert squeezed(remark) in all_text(revoked)
        assert strokes(revoked) > strokes(plain)

    def test_nothing_leaves_the_paper(self) -> None:
        words = "Pneumonoultramicroscopicsilicovolcanoconiosis-" * 4
        pdf = render(with_lines(line(1, title=words, approval_code="X" * 80, certificate="ABCDEFGH1234-2026-000001")))
        page = pypdfium2.PdfDocument(pdf)[0]
        width, _height = page.get_size()
        boxes = [entry.get_bounds() for entry in page.get_objects(filter=[1], max_depth=5)]

        assert len(boxes) > 10
        assert [box for box in boxes if box[0] < 50 or box[2] > width - 50] == []


def strokes(pdf: bytes) -> int:
    return len(list(pypdfium2.PdfDocument(pdf)[0].get_objects(filter=[2], max_depth=5)))


class TestTexts:
    @pytest.mark.parametrize(
        ("name", "language"),
        [
            ("د. فاطمة الزهراء القحطاني", "ar"),
            ("ד״ר רחל בן־דוד", "he"),
            ("डॉ. लक्ष्मीबाई क्षीरसागर", "hi"),
            ("王鑫喆", "zh"),
            ("中村 直樹", "ja"),
            ("Nguyễn Thị Phương-Ánh", "vi"),
        ],
    )
    def test_names_in_every_script(self, name: str, language: str) -> None:
        """Letters are compared: extraction turns words of right-to-left pages around."""
        pdf = render(replace(FACTS, holder=name, language=language, sections=(replace(ACCME, title=name),)))
        letters = set(squeezed(name)) - set("״־.")

        assert "\ufffd" not in page_text(pdf)
        assert letters - set(all_text(pdf)) <= {"क्"}

    @pytest.mark.parametrize("text", ['#read("/etc/passwd")', "*Bold* $x^2$", "= Heading", '"); #panic()', "</svg>"])
    def test_markup_prints_as_it_stands(self, text: str) -> None:
        hostile = line(1, title=text, format=text, approval_code=text, certificate=text, remark=text)
        facts = replace(with_lines(hostile), holder=text, council=text, site=text)

        assert all_text(render(facts)).count(squeezed(text)) >= 7

    def test_what_no_font_has_prints_as_a_sign(self) -> None:
        assert "Dr.\ufffd" in all_text(render(replace(FACTS, holder="Dr. 🏆"))).replace("dr.", "Dr.")

    def test_a_transcript_is_somebodys(self) -> None:
        with pytest.raises(FactError, match="must not be empty"):
            replace(FACTS, holder=" \u200b")


class TestBytes:
    def test_the_same_facts_give_the_same_bytes(self) -> None:
        assert render(FACTS) == render(FACTS)

    def test_another_head_gives_other_bytes(self) -> None:
        assert render(replace(FACTS, positions=(Position("Cardiology", 1235, HEAD),))) != render(FACTS)

    def test_dates_and_title(self) -> None:
        found = pypdfium2.PdfDocument(render(FACTS)).get_metadata_dict()

        assert found["Title"] == "Transcript of credits: Dr. Amelia Okonkwo-Hartmann"
        assert found["CreationDate"].startswith("D:20261122")

    def test_the_engine_is_not_that_of_certificates(self) -> None:
        assert engine().startswith("typst 0.15")
        assert json.loads(transcript.inputs(FACTS)["data"])["meta"]["author"] == "Rounds"


def test_a_camera_reads_the_address() -> None:
    found = zxingcpp.read_barcodes(rastered(render(FACTS), scale=3))

    assert [code.text for code in found] == [ADDRESS]
