"""When each doctor comes. An open loop: nobody waits for those before, however slow the site has become."""

import math
import random

from operations.domain.crowd.plan import CrowdPlan, Shape


def moment(share: float, shape: Shape) -> float:
    """When this share of all has come, as a share of the time: the triangle's cumulated density, turned round.

    The density rises from `2 - peak` to `peak` in the middle and falls again; both ends have a mean of 1.
    """
    if share > 0.5:
        return 1.0 - moment(1.0 - share, shape)
    slope = 4 * (shape.peak - 1)  # density: base + slope·x for x up to one half
    base = 2 - shape.peak
    if slope == 0:
        return share
    return (math.sqrt(base * base + 2 * slope * share) - base) / slope


def arrival_seconds(plan: CrowdPlan) -> list[float]:
    """Seconds after the start, in order, one for each doctor of the plan: a Poisson process given its number."""
    draw = random.Random(plan.seed)  # noqa: S311 - the same crowd again, not a secret
    length = plan.minutes * 60
    return sorted(length * moment(draw.random(), plan.shape) for _ in range(plan.doctors))
