"""What was written is read again as it was; what a format cannot carry, its writer says."""

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from assessments.domain.formats import FORMATS, guess
from assessments.domain.formats.base import finished
from assessments.enums import ItemKind
from assessments.items.base import Draft
from tests.assessments.formats.drafts import EXAMPLES, picture, singles
from tests.assessments.items.strategies import KINDS
from tests.assessments.items.strategies import drafts as drafts_of_kind

NO_TABLE = ("csv", "hotspot")
SQUARE = picture(40, 40)
WHOLE = [
    *(("gift", kind) for kind in ("single", "multiple_minus", "true_false")),
    *(("moodle", kind) for kind in EXAMPLES),
    *(("qti", kind) for kind in EXAMPLES),
    *(("csv", kind) for kind in EXAMPLES if kind not in {"hotspot", "vignette"}),
]
NOT_AT_ALL = {
    "gift": {"ordering", "hotspot"},
    "aiken": set(EXAMPLES) - {"single"},
    "moodle": set(),
    "qti": set(),
    "csv": {"hotspot"},
}
few = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))


def kind_of(name: str) -> Draft:
    return EXAMPLES[name.partition("_minus")[0]]


@pytest.mark.parametrize(("name", "kind"), WHOLE)
def test_nothing_is_lost(name: str, kind: str) -> None:
    draft = kind_of(kind)

    written = FORMATS[name].write([draft])
    back = FORMATS[name].read(written.data)

    assert back.errors == []
    assert back.drafts == [draft]


@pytest.mark.parametrize(("name", "kind"), WHOLE)
def test_nothing_is_said_to_be_lost_where_nothing_is(name: str, kind: str) -> None:
    losses = FORMATS[name].write([kind_of(kind)]).losses

    assert [one for one in losses if (name, kind) != ("gift", "multiple_minus") or "rule" not in one.text] == []


@pytest.mark.parametrize("name", FORMATS)
def test_what_it_cannot_carry_is_said_and_the_rest_is_written(name: str) -> None:
    written = FORMATS[name].write(list(EXAMPLES.values()))
    back = FORMATS[name].read(written.data)

    assert {one.name for one in written.losses if "Left out" in one.text} == {
        EXAMPLES[kind].name for kind in NOT_AT_ALL[name]
    }
    assert back.errors == []
    assert [one.kind for one in back.drafts] == [kind for kind in EXAMPLES if kind not in NOT_AT_ALL[name]]


def test_losses_are_said_in_words() -> None:
    said = {name: [str(one) for one in FORMATS[name].write([EXAMPLES["essay"]]).losses] for name in ("gift", "csv")}

    assert said["csv"] == []
    assert len(said["gift"]) == 1
    assert "“The essay one”: Not carried" in said["gift"][0]
    assert "“rubric”" in said["gift"][0]


def test_pictures_come_back_byte_by_byte() -> None:
    vignette = EXAMPLES["vignette"]

    for name in ("moodle", "qti"):
        back = FORMATS[name].read(FORMATS[name].write([vignette]).data).drafts[0]
        assert dict(back.images) == dict(vignette.images)
        assert dict(back.parts[1].images) == dict(vignette.parts[1].images)


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_questions_are_the_same_bytes(name: str) -> None:
    drafts = list(EXAMPLES.values())

    assert FORMATS[name].write(drafts).data == FORMATS[name].write(drafts).data


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_tells_by_itself_what_it_is(name: str) -> None:
    form = FORMATS[name]
    data = form.write(list(EXAMPLES.values())).data

    assert guess(f"questions.{form.extension}", data) is form


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "aiken"])
@given(drafts=st.lists(singles(), min_size=1, max_size=3))
@few
def test_any_choice_comes_back_or_is_reported(name: str, drafts: list[Draft | None]) -> None:
    """Whatever signs stand in it, and whatever stands beside it: no question harms another one."""
    good = [one for one in drafts if one is not None]
    assume(good and len({one.name.casefold() for one in good}) == len(good))

    written = FORMATS[name].write(good)
    back = FORMATS[name].read(written.data)

    told = {one.name: one.text for one in written.losses}
    assert back.errors == []
    assert [one.name for one in back.drafts] == [one.name for one in good if "Left out" not in told.get(one.name, "")]
    assert [one for one in back.drafts if one.name not in told] == [one for one in good if one.name not in told]
    assert name == "gift" or told == {}


@pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for name in ("moodle", "qti", "csv") for kind in KINDS if (name, kind) != NO_TABLE]
)
@given(data=st.data())
@few
def test_any_rule_of_any_kind_comes_back(name: str, kind: str, data: st.DataObject) -> None:
    shown, key = data.draw(drafts_of_kind(kind))
    images = {"Scan.png": SQUARE} if kind == "hotspot" else {}
    draft = finished(Draft(ItemKind(kind), "One", "<p>Which?</p>", shown, key, images=images))

    written = FORMATS[name].write([draft])
    back = FORMATS[name].read(written.data)

    assert back.errors == []
    assert [one.kind for one in back.drafts] == [draft.kind]
    assert (back.drafts == [draft]) is (written.losses == [])
    if (name, kind) != ("moodle", "matching"):  # several right options for one stem
        assert [str(one) for one in written.losses] == []
