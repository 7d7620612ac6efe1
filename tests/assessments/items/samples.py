"""One question of each kind, as an author gives it, and answers to it. All that a doctor must not see says SECRET."""

from typing import Any

Json = dict[str, Any]
WHY: Json = {"rationale": "<p>SECRET because</p>", "references": ["SECRET reference"]}


def options(names: str) -> list[Json]:
    return [{"id": name, "text": f"Option {name.upper()}"} for name in names]


DRAFTS: dict[str, tuple[Json, Json]] = {
    "single": (
        {"options": options("abcd"), "images": [4]},
        {"right": "b", "rationales": {"b": "SECRET b"}, **WHY},
    ),
    "multiple": (
        {"options": options("abcde"), "most": 3},
        {"right": ["a", "c"], "rule": "partial", "rationales": {"a": "SECRET a"}, **WHY},
    ),
    "true_false": ({}, {"right": True, "rationales": {"true": "SECRET true", "false": "SECRET false"}, **WHY}),
    "matching": (
        {
            "options": options("abcdef"),
            "stems": [{"id": "1", "text": "A woman of 30"}, {"id": "2", "text": "A man of 40", "most": 2}],
        },
        {"right": {"1": ["c"], "2": ["a", "b", "f"]}, "rationales": {"1": "SECRET 1"}, **WHY},
    ),
    "ordering": (
        {"entries": options("abcd")},
        {"right": ["c", "a", "d", "b"], "rule": "pairs", "rationales": {"c": "SECRET c"}, **WHY},
    ),
    "numeric": (
        {"units": ["mg", "g", "IU"], "needs_unit": True},
        {
            "answers": [
                {"right": "7919.5", "tolerance": "0.5"},
                {"right": "7919.5", "tolerance": "5", "by": "percent", "share": "0.5"},
            ],
            "factors": {"mg": "1", "g": "1000"},
            **WHY,
        },
    ),
    "short": (
        {},
        {
            "accepted": [{"text": "SECRET oocyte pick-up"}, {"text": "SECRET retriev*", "share": "0.5"}],
            "sure": "0.8",
            "unsure": "0.5",
            **WHY,
        },
    ),
    "essay": (
        {"least_words": 3, "most_words": 8},
        {
            "rubric": [
                {"id": "a", "text": "SECRET names the dose", "points": "2"},
                {"id": "b", "text": "SECRET is brief"},
            ],
            "model": "<p>SECRET model</p>",
            **WHY,
        },
    ),
    "hotspot": (
        {"image": 7, "size": [800, 600], "points": 2, "grid": [8, 6]},
        {
            "areas": [
                {"shape": "rect", "at": ["0", "0", "0.25", "0.25"]},
                {"shape": "circle", "at": ["0.5", "0.5", "0.2"]},
                {"shape": "poly", "at": ["0.75", "0.75", "1", "0.75", "1", "1", "0.75", "1"]},
            ],
            "scale": "share",
            "rule": "minus",
            "rationales": {"1": "SECRET area"},
            **WHY,
        },
    ),
    "vignette": ({"images": [1, 2]}, {**WHY}),
}
