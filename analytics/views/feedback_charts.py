"""What doctors thought, as the charts take it."""

from collections.abc import Iterable, Mapping

from django.utils.translation import gettext as _

from analytics.domain.presenting.feedback import Comparison, Feedback
from analytics.domain.presenting.overview import Overview
from analytics.domain.presenting.report import WebinarReport
from analytics.rendering.data import Bar, Mark, Series, Stack
from analytics.templatetags.chart_words import mean
from assessments.domain.evaluation_results import DimensionResult, EvaluationResults
from assessments.enums import Dimension, QuestionKind

STEPS = 5
MOST_EARLIER = 12
FIVE_STEPS = {QuestionKind.LIKERT, QuestionKind.STARS}


def answers() -> list[str]:
    """From the lowest to the highest step."""
    return [_("1 (lowest)"), "2", "3", "4", _("5 (highest)")]


def feedback(report: WebinarReport) -> list[Stack]:
    """One row for each dimension that has questions of five steps, over all forms that ask about this lecture."""
    compared = {one.dimension: one for one in report.feedback.comparisons}
    return [stack for results in report.feedback.results for stack in _stacks(results, compared)]


def _stacks(results: EvaluationResults, compared: Mapping[str, Comparison]) -> Iterable[Stack]:
    for one in results.dimensions:
        counts = _counts(one)
        if counts is not None:
            average = float(one.mean) if one.mean is not None else None
            beside = compared.get(one.dimension)
            earlier = beside.earlier[-MOST_EARLIER:] if beside else ()
            yield Stack(one.label, counts, average, history=earlier, notes=_beside(beside))


def _counts(dimension: DimensionResult) -> list[int] | None:
    """None where the dimension has no such question, or too few have answered."""
    found = [
        one for one in dimension.questions if one.question.kind in FIVE_STEPS and one.answered and not one.is_suppressed
    ]
    return [sum(one.shares[step].count for one in found) for step in range(STEPS)] if found else None


def _beside(one: Comparison | None) -> list[str]:
    notes = []
    if one is not None and one.theirs is not None:
        notes.append(_("other lectures %(mean)s") % {"mean": mean(one.theirs)})
    if one is not None and one.programme is not None:
        notes.append(_("programme %(mean)s") % {"mean": mean(one.programme)})
    return notes


def dimensions(means: Iterable[tuple[str, float]]) -> list[Bar]:
    return [Bar(str(Dimension(one).label), value) for one, value in means]


def trend_of_lectures(overview: Overview) -> list[Series]:
    """The mean of each of one's lectures that has been held, from two on."""
    held = [
        (line.webinar.starts_at.timestamp(), line.mean)
        for line in reversed(overview.lectures)
        if line.webinar and line.webinar.starts_at and line.mean is not None
    ]
    return [Series(_("Lectures"), _spread(held))] if len(held) > 1 else []


def trend(found: Feedback) -> list[Series]:
    """The mean of each lecture at its date, from two lectures on; the programme's average as a level beside them."""
    points = _apart(found)
    if len(points) < 2:
        return []
    series = [Series(_("Lectures"), points)]
    if found.programme is not None:
        series.append(Series(_("Programme"), [(points[0][0], found.programme), (points[-1][0], found.programme)]))
    return series


def _apart(found: Feedback) -> list[tuple[float, float]]:
    return _spread((one.at.timestamp(), one.mean) for one in found.trend)


def _spread(means: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Two lectures of one moment stand a second apart: a curve has one value at a time."""
    points: list[tuple[float, float]] = []
    for at, one in means:
        points.append((max(at, points[-1][0] + 1) if points else at, one))
    return points


def trend_marks(found: Feedback) -> list[Mark]:
    """Which of the points is this lecture."""
    points = _apart(found)
    return [
        Mark(points[place][0], _("this lecture"), weight=1, note=mean(one.mean))
        for place, one in enumerate(found.trend)
        if one.is_here
    ]
