"""Files of other programs: what is kept, what is refused, and in which words."""

from assessments.domain.formats import FORMATS, Reading
from assessments.items.base import Draft
from tests.assessments.formats import golden


def read(name: str, text: str) -> Reading:
    return FORMATS[name].read(text.encode())


def named(reading: Reading, name: str) -> Draft:
    return next(one for one in reading.drafts if one.name == name)


def refused(reading: Reading) -> list[tuple[int, str, str]]:
    return [(one.place, one.name, one.text) for one in reading.errors]


class TestGift:
    def test_each_kind_is_told_by_its_answers(self) -> None:
        kinds = {one.name: one.kind.value for one in read("gift", golden.GIFT).drafts}

        assert kinds == {
            "Q1 T/F": "true_false",
            "Q2": "single",
            "Two aromatase inhibitors are _____ and no others.": "multiple",
            "Q4": "matching",
            "Q5": "short",
            "Q6": "numeric",
            "Q7": "numeric",
            "Q8": "essay",
        }

    def test_bad_ones_are_named_by_line_and_the_others_kept(self) -> None:
        assert refused(read("gift", golden.GIFT)) == [
            (30, "Q9", "This is only a text, without a question."),
            (32, "Q10", "The answers have no end: close them with }."),
            (34, "Q2", "Another question in this file has the same name: give this one another."),
        ]

    def test_feedbacks_are_rationales(self) -> None:
        found = read("gift", golden.GIFT)

        assert named(found, "Q1 T/F").key["rationales"] == {"true": "Yes.", "false": "Look again."}
        assert named(found, "Q2").key["rationales"] == {"a": "right: the surge", "b": "wrong"}
        assert named(found, "Q5").key["rationale"] == "In 1935."

    def test_weights_and_ranges(self) -> None:
        found = read("gift", golden.GIFT)
        inhibitors = next(one for one in found.drafts if one.kind == "multiple")

        assert (inhibitors.key["right"], inhibitors.key["rule"]) == (["a", "b"], "all")
        assert [one["share"] for one in named(found, "Q5").key["accepted"]] == ["1", "0.5"]
        answer = {"right": "3", "tolerance": "2", "by": "absolute", "share": "1"}
        assert named(found, "Q7").key["answers"] == [answer]


class TestAiken:
    def test_questions_and_refusals(self) -> None:
        found = read("aiken", golden.AIKEN)

        assert [(one.stem, one.key["right"]) for one in found.drafts] == [
            ("What is the correct answer to this question?", "b"),
            ("Which follicle ovulates?", "a"),
        ]
        assert [(place, name) for place, name, _text in refused(found)] == [
            (12, "No answer line"),
            (16, "Names none of them"),
            (21, "A gap"),
        ]

    def test_windows_text_is_read(self) -> None:
        text = "Is it 5 µg?\r\nA. Oui, évidemment\r\nB. Non\r\nANSWER: A\r\n"

        for encoding in ("cp1252", "utf-16", "utf-8-sig"):
            found = FORMATS["aiken"].read(text.encode(encoding))
            assert found.drafts[0].shown["options"][0]["text"] == "Oui, évidemment"
            assert found.drafts[0].name == "Is it 5 µg?"


class TestMoodle:
    def test_choice(self) -> None:
        choice = named(read("moodle", golden.MOODLE), "The Big Five")

        assert choice.stem == "<p>Pick <strong>two</strong></p>"
        assert choice.key["right"] == ["a", "b"]
        assert choice.key["rule"] == "minus"
        assert choice.key["rationale"] == "See the guideline."
        assert choice.key["rationales"] == {"a": "Yes."}
        assert (choice.tags, choice.difficulty) == (("reserve",), 2)

    def test_short_and_number(self) -> None:
        found = read("moodle", golden.MOODLE)

        assert named(found, "Short").stem == "Name it<br>again"
        assert named(found, "Short").key["accepted"] == [{"text": "hCG", "share": "1"}]
        assert "case" not in named(found, "Short").key["folds"]
        assert named(found, "Number").key["factors"] == {"W": "1", "kW": "1000"}
        assert named(found, "Number").key["answers"][0]["right"] == "5.5"

    def test_what_cannot_be_used_is_refused_by_number_and_name(self) -> None:
        assert refused(read("moodle", golden.MOODLE)) == [
            (4, "Cloze", "Questions of the type “cloze” cannot be used here."),
            (5, "Nothing right", "Say which one answer is right."),
        ]


class TestQti:
    def test_a_single_item(self) -> None:
        found = read("qti", golden.QTI_CHOICE)
        [item] = found.drafts

        assert item.name == "Unattended Luggage"
        assert item.stem == "<p>Look at the text in the picture.</p><p>What does it say?</p>"
        assert [one["id"] for one in item.shown["options"]] == ["a", "b"]
        assert item.key["right"] == "a"
        assert item.key["rationales"] == {"b": "No."}

    def test_a_mapping_says_the_rule(self) -> None:
        [item] = read("qti", golden.QTI_MAPPED).drafts

        assert item.kind == "multiple"
        assert (item.key["right"], item.key["rule"]) == (["a", "b"], "all")


class TestCsv:
    def test_typed_text_means_what_it_says(self) -> None:
        first = named(read("csv", golden.CSV), "First")

        assert first.stem == "p &lt; 0.05 means"
        assert first.key["rationales"] == {"b": "Never"}
        assert (first.tags, first.difficulty) == (("stats", "basics"), 2)

    def test_each_bad_row_by_its_line(self) -> None:
        errors = refused(read("csv", golden.CSV))

        assert [(place, name) for place, name, _text in errors] == [(5, ""), (6, "Fourth"), (7, "Fifth")]
        assert errors[0][2] == "It has no question text."
        assert "“guess” is no kind" in errors[1][2]

    def test_sec_24_no_cell_is_a_formula_and_all_come_back(self) -> None:
        text = "name,kind,question,option a,option b,right\n'=1,single,'=HYPERLINK(1),'+1,'-2,a\n"
        found = read("csv", text)

        written = FORMATS["csv"].write(found.drafts)

        assert found.drafts[0].stem == "=HYPERLINK(1)"
        assert b",=" not in written.data
        assert b"'=HYPERLINK(1)" in written.data
        assert FORMATS["csv"].read(written.data).drafts == found.drafts
