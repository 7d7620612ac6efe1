"""The services that follow the calendar, and why something about them cannot be done."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from operations.domain.capacity.inputs import ELASTIC

_FORM = re.compile(r"(?P<tier>[a-z]+)=(?P<service>[A-Za-z0-9_-]+):(?P<low>\d+)-(?P<high>\d+)")


class AutoscaleError(Exception):
    """Nothing more was done; the text says why and what was done before."""


@dataclass(frozen=True, slots=True)
class Tier:
    """`low` and `high`: between them target tracking moves while no webinar is near."""

    name: str
    service: str
    low: int
    high: int


def read_tiers(words: Sequence[str]) -> tuple[Tier, ...]:
    """`web=rounds-web:2-20`: tier, name of the ECS service, fewest and most tasks."""
    found = []
    for word in words:
        match = _FORM.fullmatch(word)
        if not match or match["tier"] not in ELASTIC:
            raise AutoscaleError(f"AUTOSCALE_SERVICES: {word!r} is not like web=rounds-web:2-20 ({', '.join(ELASTIC)})")
        tier = Tier(match["tier"], match["service"], int(match["low"]), int(match["high"]))
        if not 1 <= tier.low <= tier.high:
            raise AutoscaleError(f"AUTOSCALE_SERVICES: {word!r} wants at least one task and no more than its most")
        found.append(tier)
    if len({tier.name for tier in found}) < len(found):
        raise AutoscaleError("AUTOSCALE_SERVICES names a tier twice")
    return tuple(found)
