"""One good draft of each kind, and Hypothesis strategies for more of them."""

from dataclasses import replace
from io import BytesIO
from typing import Any

from hypothesis import strategies as st
from PIL import Image

from assessments.domain.formats.base import finished
from assessments.enums import ItemKind
from assessments.items.base import Draft


def picture(width: int = 40, height: int = 30, colour: tuple[int, int, int] = (200, 30, 30)) -> bytes:
    file = BytesIO()
    Image.new("RGB", (width, height), colour).save(file, "PNG")
    return file.getvalue()


PICTURE = picture()
OTHER_PICTURE = picture(colour=(1, 90, 1))
EXPLAINED = {"rationale": "<p>Because <em>so</em> &amp; so.</p>", "references": ["NEJM 2024; 390:1–9", "a < b & c"]}
OPTIONS = [
    {"id": "a", "text": "Ovary"},
    {"id": "b", "text": "<strong>Tube</strong>"},
    {"id": "c", "text": "p &lt; 0.05"},
]
FILED = {"tags": ("fertility", "IVF {x} = ~ # : ]"), "difficulty": 4}


def draft(kind: str, shown: dict[str, Any], key: dict[str, Any], **more: Any) -> Draft:
    fields: dict[str, Any] = {"name": f"The {kind} one", "stem": f"<p>What is it ({kind})?</p><ul><li>one</li></ul>"}
    return finished(
        Draft(kind=ItemKind(kind), shown=shown, key={**EXPLAINED, **key}, **{**fields, **FILED, **more}),
    )


WHY = {"a": "It is <sub>not</sub>.", "b": "<p>It is.</p>"}
EXAMPLES: dict[str, Draft] = {
    "single": draft("single", {"options": OPTIONS}, {"right": "b", "rationales": WHY}),
    "multiple": draft("multiple", {"options": OPTIONS}, {"right": ["a", "b"], "rule": "minus", "rationales": WHY}),
    "true_false": draft("true_false", {}, {"right": False, "rationales": {"true": "No.", "false": "Yes."}}),
    "matching": draft(
        "matching",
        {
            "options": [{"id": "a", "text": "Asthma"}, {"id": "b", "text": "COPD"}, {"id": "c", "text": "Fibrosis"}],
            "stems": [{"id": "a", "text": "A <em>boy</em> of 6"}, {"id": "b", "text": "A smoker of 60"}],
        },
        {"right": {"a": ["a"], "b": ["b"]}, "rationales": {"b": "He <em>smokes</em>."}},
    ),
    "ordering": draft(
        "ordering",
        {"entries": [{"id": "a", "text": "First"}, {"id": "b", "text": "Second"}, {"id": "c", "text": "Third"}]},
        {"right": ["a", "b", "c"], "rule": "pairs"},
    ),
    "numeric": draft(
        "numeric",
        {"units": ["mmol/l", "mg/dl"], "needs_unit": True},
        {
            "answers": [{"right": "5.5", "tolerance": "0.25"}, {"right": "5", "tolerance": "1", "share": "0.5"}],
            "factors": {"mmol/l": "1", "mg/dl": "0.05"},
        },
    ),
    "short": draft(
        "short",
        {},
        {"accepted": [{"text": "letrozole"}, {"text": "aromatase*", "share": "0.5"}], "sure": "0.8", "unsure": "0.5"},
    ),
    "essay": draft(
        "essay",
        {"least_words": 50, "most_words": 300},
        {
            "model": "<p>One <em>good</em> answer.</p>",
            "rubric": [{"id": "a", "text": "Names it", "points": "2"}, {"id": "b", "text": "Why", "points": "0.5"}],
            "rationales": {"a": "It has to."},
        },
    ),
    "hotspot": draft(
        "hotspot",
        {"size": [40, 30], "points": 1, "grid": [8, 6]},
        {
            "areas": [{"shape": "rect", "at": [0, 0, 20, 15]}, {"shape": "circle", "at": [30, 20, 8]}],
            "rule": "partial",
        },
        images={"Ultrasound.png": PICTURE},
    ),
}
EXAMPLES["vignette"] = draft(
    "vignette",
    {},
    {},
    parts=(
        replace(EXAMPLES["single"], name="First of it"),
        replace(EXAMPLES["true_false"], name="Second of it", images={"Scan of her.png": OTHER_PICTURE}),
    ),
    images={"Her X-ray.png": picture(colour=(0, 0, 160))},
)

# Sanitised text keeps what it says: no control characters, and no blanks at its ends, which readers take off.
SIGNS = st.sampled_from("~=#{}:\\%-+@'\"<>&;,|*[]/\n\t .$é√中ع")
WORDS = st.text(SIGNS | st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=25)
HTML = st.one_of(WORDS.map(lambda text: text.replace("<", "&lt;")), WORDS.map(lambda text: f"<p><em>{text}</em></p>"))
IDS = st.integers(2, 5).map(lambda number: list("abcde"[:number]))


@st.composite
def singles(pull: st.DrawFn) -> Draft | None:
    """None for what no author could save either."""
    from assessments.items.base import ItemError

    names = pull(IDS)
    options = [{"id": name, "text": pull(HTML)} for name in names]
    many = pull(st.booleans())
    right: Any = (
        pull(st.lists(st.sampled_from(names), min_size=1, unique=True)) if many else pull(st.sampled_from(names))
    )
    key = {
        "right": right,
        "rule": pull(st.sampled_from(["all", "minus", "each"])),
        "rationale": pull(HTML),
        "rationales": {name: pull(HTML) for name in names if pull(st.booleans())},
        "references": pull(st.lists(WORDS, max_size=2)),
    }
    try:
        return finished(
            Draft(
                kind=ItemKind.MULTIPLE if many else ItemKind.SINGLE,
                name=pull(WORDS),
                stem=pull(HTML),
                shown={"options": options},
                key=key,
                tags=tuple(pull(st.lists(WORDS.map(lambda text: text.replace(",", "")), max_size=2))),
                difficulty=pull(st.sampled_from([None, 1, 5])),
            )
        )
    except ItemError:
        return None
