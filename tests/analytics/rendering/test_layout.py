"""No pin, label or line covers another one, in a picture of any width."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from analytics.rendering.layout import MOST_PINS, NARROW_LANES, WIDE_LANES, Place, Wish, choose, label
from analytics.rendering.text import shorten, width

NARROW, WIDE, MARGIN = 190, 560, 12
WISHES = st.lists(
    st.builds(Wish, share=st.floats(0, 100), text=st.text(min_size=1, max_size=60), weight=st.floats(0.1, 9)),
    max_size=25,
)


def collisions(places: list[Place], room: float) -> list[tuple[Place, Place]]:
    found = []
    for one, other in combinations(places, 2):
        low, high = sorted((one, other), key=lambda place: place.lane)
        (a, b), (c, d) = low.box(room), high.box(room)
        if low.lane == high.lane and a < d and c < b:
            found.append((one, other))
        if low.lane < high.lane and a < high.share * room / 100 < b:
            found.append((one, other))
    return found


@given(WISHES, st.floats(1, 5))
def test_nothing_collides_at_the_least_width_or_any_greater_one(wishes: list[Wish], wider: float) -> None:
    pins = choose(wishes, NARROW)
    assert len(pins) <= MOST_PINS
    assert bool(pins) == bool(wishes)
    assert all(place.lane < NARROW_LANES and not place.text for place in pins)
    assert collisions(pins, NARROW * wider) == []

    labelled = label(pins, wishes, WIDE, MARGIN)
    assert [place.wish for place in labelled] == [place.wish for place in pins], "no pin is lost, the numbers stay"
    assert all(place.lane < WIDE_LANES for place in labelled)
    assert collisions(labelled, WIDE * wider) == []
    for place in labelled:
        start, end = place.box(WIDE * wider)
        assert start >= -MARGIN - 1e-6
        assert end <= WIDE * wider + MARGIN + 1e-6
        assert place.is_whole == (place.text == wishes[place.wish].text and bool(place.text))


def test_the_heaviest_get_their_pin_and_label_first() -> None:
    crowd = [Wish(50 + n / 10, f"Moment {n}", 1 + n) for n in range(8)]
    (only,) = label(choose(crowd, NARROW), crowd, WIDE, MARGIN)
    assert crowd[only.wish].text == "Moment 7"
    assert only.text == "Moment 7"


def test_a_label_that_is_cut_says_so_and_never_breaks_a_letter() -> None:
    assert shorten("Endometriosis", 500) == "Endometriosis"
    cut = shorten("Endometriosis and fertility", 90)
    assert cut.endswith("…")
    assert width(cut) <= 90
    assert (
        shorten("e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301", 70)
        .removesuffix("…")
        .endswith("e\u0301")
    )
    assert shorten("Endometriosis", 20) == "", "no stump of two letters"


@given(st.text(max_size=80), st.floats(0, 400))
def test_what_is_cut_fits(text: str, room: float) -> None:
    kept = shorten(text, room)
    assert kept in {text, ""} or (kept.endswith("…") and text.startswith(kept[:-1]) and width(kept) <= room)
