"""Cleaned questions of each kind with any rule, and answers to them, for Hypothesis."""

from typing import Any

from hypothesis import strategies as st

from assessments.items import type_of
from tests.assessments.items.samples import Json

KINDS = ("single", "multiple", "true_false", "matching", "ordering", "numeric", "short", "essay", "hotspot")
CLOSED = ("single", "multiple", "true_false", "matching", "ordering", "hotspot")
WORDS = st.sampled_from(["ovary", "follicle", "Follicles", "OHSS", "naïve", "day-3", "5 %", "x"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
# Texts that lie near to what each kind reads, so that more than the first check is tried.
NAMES = [
    "a",
    "b",
    "1",
    "2",
    "true",
    "mg",
    "1,234",
    "-",
    "",
    "\x00",
    "\ud800",
    "1e5",
    "٣",
    "3,5",
    " 5 mg",
    "9" * 50,
    "0,0",
]
FIELDS = ["choice", "choices", "places", "number", "unit", "text", "points"]
NEAR = st.recursive(
    st.sampled_from([*NAMES, 0, 1, 2, -1, True, None, 10**30, float("nan"), 1e300]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(FIELDS) | st.sampled_from(NAMES), inner, max_size=3)
    ),
    max_leaves=6,
)
RAW = JSON | NEAR | st.dictionaries(st.sampled_from(FIELDS), JSON | NEAR, min_size=1, max_size=3)


@st.composite
def named(draw: st.DrawFn, least: int = 2, most: int = 6) -> list[Json]:
    count = draw(st.integers(least, most))
    return [{"id": name, "text": f"{draw(WORDS)} {name}"} for name in "abcdefgh"[:count]]


def some_of(names: list[str], least: int = 1, most: int | None = None) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(names), min_size=least, max_size=most or len(names), unique=True)


@st.composite
def drafts(draw: st.DrawFn, kind: str) -> tuple[Json, Json]:
    """As authors write them: not cleaned yet."""
    made: tuple[Json, Json] = draw(_DRAFTS[kind]())
    return made


@st.composite
def items(draw: st.DrawFn, kind: str) -> tuple[Json, Json]:
    shown, key = draw(drafts(kind))
    return type_of(kind).clean(shown=shown, key=key)


@st.composite
def _single(draw: st.DrawFn) -> tuple[Json, Json]:
    options = draw(named())
    return {"options": options}, {"right": draw(st.sampled_from(options))["id"]}


@st.composite
def _multiple(draw: st.DrawFn) -> tuple[Json, Json]:
    options = draw(named())
    right = draw(some_of([one["id"] for one in options]))
    rule = draw(st.sampled_from(["all", "partial", "minus", "each"]))
    most = draw(st.integers(len(right), len(options)))
    return {"options": options, **({"most": most} if rule == "partial" else {})}, {"right": right, "rule": rule}


@st.composite
def _true_false(draw: st.DrawFn) -> tuple[Json, Json]:
    return {}, {"right": draw(st.booleans())}


@st.composite
def _matching(draw: st.DrawFn) -> tuple[Json, Json]:
    options, stems = draw(named()), draw(named(least=1, most=4))
    right = {stem["id"]: draw(some_of([one["id"] for one in options])) for stem in stems}
    stems = [{**stem, "most": draw(st.integers(1, len(right[stem["id"]])))} for stem in stems]
    return {"options": options, "stems": stems}, {"right": right}


@st.composite
def _ordering(draw: st.DrawFn) -> tuple[Json, Json]:
    entries = draw(named())
    right = draw(st.permutations([one["id"] for one in entries]))
    return {"entries": entries}, {"right": right, "rule": draw(st.sampled_from(["exact", "pairs", "places"]))}


DECIMALS = st.decimals(-10_000, 10_000, places=3)


@st.composite
def _numeric(draw: st.DrawFn) -> tuple[Json, Json]:
    answer = {"right": str(draw(DECIMALS)), "tolerance": str(abs(draw(DECIMALS)))}
    answer["by"] = draw(st.sampled_from(["absolute", "percent"]))
    half = {**answer, "tolerance": str(abs(draw(DECIMALS))), "share": "0.5"}
    shown = {"units": ["mg", "g", "IU"], "needs_unit": draw(st.booleans())}
    return shown, {"answers": [answer, half], "factors": {"mg": "1", "g": "1000"}}


@st.composite
def _short(draw: st.DrawFn) -> tuple[Json, Json]:
    accepted = [{"text": draw(WORDS)}, {"text": f"{draw(WORDS)}*", "share": draw(st.sampled_from(["1", "0.5", "0"]))}]
    sure, unsure = draw(st.sampled_from([(None, None), ("0.9", "0.2"), ("0.5", None), (None, "0.3")]))
    return {}, {"accepted": accepted, "sure": sure, "unsure": unsure}


@st.composite
def _essay(draw: st.DrawFn) -> tuple[Json, Json]:
    return {"most_words": draw(st.integers(1, 5))}, {"rubric": [{"id": "a", "text": draw(WORDS), "points": "2"}]}


@st.composite
def _hotspot(draw: st.DrawFn) -> tuple[Json, Json]:
    areas: list[Json] = []
    for _ in range(draw(st.integers(1, 4))):
        across, down = draw(st.integers(0, 3)), draw(st.integers(0, 3))
        circle = {"shape": "circle", "at": [across * 10 + 5, down * 10 + 5, draw(st.integers(0, 15))]}
        corners = [across * 10, down * 10, across * 10 + 10, down * 10, across * 10 + 10, down * 10 + 10, across * 10]
        poly = {"shape": "poly", "at": [*corners, down * 10 + 10]}
        rect = {"shape": "rect", "at": [across * 10, down * 10, across * 10 + 10, down * 10 + 10]}
        areas.append(draw(st.sampled_from([circle, poly, rect])))
    rule = draw(st.sampled_from(["all", "partial", "minus"]))
    points = draw(st.integers(1, len(areas)))
    return {"image": 1, "size": [40, 40], "grid": [4, 4], "points": points}, {"areas": areas, "rule": rule}


_DRAFTS: dict[str, Any] = {
    "single": _single,
    "multiple": _multiple,
    "true_false": _true_false,
    "matching": _matching,
    "ordering": _ordering,
    "numeric": _numeric,
    "short": _short,
    "essay": _essay,
    "hotspot": _hotspot,
}


@st.composite
def answers(draw: st.DrawFn, kind: str, shown: Json) -> Json | None:
    """Cleaned ones."""
    return type_of(kind).clean_answer(shown=shown, raw=draw(_raw(kind, shown)))


@st.composite
def _raw(draw: st.DrawFn, kind: str, shown: Json) -> Json:
    if kind == "single":
        return {"choice": draw(st.sampled_from(shown["options"]))["id"]}
    if kind == "multiple":
        names = [one["id"] for one in shown["options"]]
        return {"choices": draw(some_of(names, least=0, most=shown.get("most")))}
    if kind == "true_false":
        return {"choice": draw(st.booleans())}
    if kind == "matching":
        names = [one["id"] for one in shown["options"]]
        return {"choices": {one["id"]: draw(some_of(names, least=0, most=one["most"])) for one in shown["stems"]}}
    if kind == "ordering":
        names = [one["id"] for one in shown["entries"]]
        places = st.integers(1, len(names))
        return {"places": draw(st.dictionaries(st.sampled_from(names), places, max_size=len(names)))}
    if kind == "numeric":
        return {"number": str(draw(DECIMALS)), "unit": draw(st.sampled_from(["", *shown["units"]]))}
    if kind == "hotspot":
        within = st.integers(0, 40)
        return {"points": draw(st.lists(st.tuples(within, within).map(list), max_size=shown["points"]))}
    return {"text": " ".join(draw(st.lists(WORDS, max_size=8)))}
