"""Steps of credit, by whole seconds and exact decimals: no float, no division that leaves a rest."""

from decimal import Decimal

HOUR = 3600
DOWN, NEAREST = "down", "nearest"


def plain(number: Decimal) -> str:
    """'0.75', '1', '10': as a person writes it, without exponents or noughts at the end."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def to_step(number: Decimal, step: Decimal) -> Decimal:
    """The greatest multiple of the step that is not above."""
    return number // step * step


def to_nearest(number: Decimal, step: Decimal) -> Decimal:
    """The nearest multiple of the step; exactly half a step is rounded up."""
    return (2 * number + step) // (2 * step) * step


def hours(seconds: int, step: Decimal, way: str = DOWN) -> Decimal:
    """Credit for this time at one an hour, in steps: 53 minutes in quarters are 0.75 down, and 1 to the nearest."""
    length = step * HOUR
    count = (2 * seconds + length) // (2 * length) if way == NEAREST else seconds // length
    return count * step


def ceil_of(number: Decimal, part: Decimal) -> int:
    """How many parts hold the number. (`//` of decimals cuts towards nought, so `-(-a // b)` would be wrong.)"""
    count = number // part
    return int(count) + (count * part < number)


def seconds_for(credit: Decimal, step: Decimal, way: str = DOWN) -> int:
    """The least time that `hours` gives this credit for. The credit is a multiple of the step."""
    exact = credit * HOUR - (step * HOUR / 2 if way == NEAREST else 0)
    return ceil_of(exact, Decimal(1))
