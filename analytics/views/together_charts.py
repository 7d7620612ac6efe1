"""What all lectures of one presenter have in common, as the charts take it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from analytics.domain.presenting.common import CommonCurve
from analytics.domain.presenting.items import ItemFigures
from analytics.domain.presenting.together import Together
from analytics.rendering.data import Bar, Series
from analytics.templatetags.chart_words import percent
from analytics.views.webinar_charts import PollChart, place_of, poll_chart
from webinars.models import Webinar

MOST_ITEMS = 10
HALF = 0.5


@dataclass(frozen=True, slots=True)
class LecturePoll:
    webinar: Webinar
    chart: PollChart


def charts(together: Together, webinars: Sequence[Webinar]) -> dict[str, Any]:
    by_key = {one.pk: one for one in webinars}
    items = together.items[:MOST_ITEMS]
    return {
        "curve": together.curve,
        "retention": _retention(together.curve),
        "retention_words": retention_words(together.curve),
        "polls": [LecturePoll(by_key[one.webinar_id], poll_chart(one.asked)) for one in together.polls],
        "has_more_polls": together.polls_asked > len(together.polls),
        "items": _items(items, {one.lesson_id: one for one in webinars}),
        "has_more_items": len(together.items) > len(items),
        "themes": together.themes,
    }


def _retention(curve: CommonCurve) -> list[Series]:
    """Each part at its middle, and from the very beginning to the end as the curve of one lecture is drawn."""
    if not curve.shares:
        return []
    width = 1 / len(curve.shares)
    points = [((part + 0.5) * width, share) for part, share in enumerate(curve.shares)]
    return [Series(_("Viewers"), [(0.0, points[0][1]), *points, (1.0, points[-1][1])], is_area=True)]


def retention_words(curve: CommonCurve) -> str:
    """Where most were watching, and from where on fewer than half were."""
    if not curve.shares:
        return ""
    top = max(curve.shares)
    most = _("Most were watching at %(at)s of a lecture: %(share)s of its viewers.") % {
        "at": percent((curve.shares.index(top) + 0.5) / len(curve.shares)),
        "share": percent(top),
    }
    return f"{most} {_half(curve.shares)}"


def _half(shares: Sequence[float]) -> str:
    after = max((part + 1 for part, share in enumerate(shares) if share >= HALF), default=0)
    if after == len(shares):
        return _("Half of the viewers or more saw the end.")
    if not after:
        return _("No part was seen by half of the viewers.")
    return _("After %(at)s of a lecture fewer than half of them were watching.") % {"at": percent(after / len(shares))}


def _items(items: Sequence[ItemFigures], lectures: Mapping[int, Webinar]) -> list[Bar]:
    """The hardest first, as the domain gives them; each with its lecture, and where in it the answer is."""
    found = []
    for one in items:
        place = (lectures[one.lesson_id].lesson.title, place_of(one))
        found.append(Bar(one.name, one.right_percent / 100, " · ".join(filter(None, place))))
    return found
