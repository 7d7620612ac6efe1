"""The presenter's page as one sheet of paper: the same numbers, the curve, and the rest in short tables."""

import base64

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.domain.presenting.questions import QuestionFigures
from analytics.domain.presenting.report import WebinarReport, report_of
from analytics.rendering.data import Caption, Series
from analytics.rendering.one_page import Figure, Page, Picture, Table, render
from analytics.rendering.paper import curve_on_paper
from analytics.rules import get_reported_webinar
from analytics.templatetags import chart_words
from analytics.templatetags.chart_words import country_name, mean, number, percent
from analytics.views import coming_charts, webinar_charts
from core.cache import remember
from core.templatetags.ui import duration
from webinars.models import Webinar

FRESH_SECONDS = 60
WIDE_PX, HALF_PX = 900, 420
FONTS = "Noto Sans, Noto Naskh Arabic"
MOST_COUNTRIES, MOST_THEMES, MOST_DIMENSIONS, MOST_POLLS, MOST_ITEMS = 7, 6, 9, 3, 3


@require_safe
@login_required
def report_pdf(request: HttpRequest, webinar_id: int) -> HttpResponse:
    """Made once for all who read the same language in the same time zone; a tenth of a second, within the request."""
    found = get_reported_webinar(request.user, webinar_id)
    key = f"report-pdf:{found.pk}:{get_language()}:{timezone.get_current_timezone_name()}"
    made: str = remember(key, lambda: base64.b64encode(_paper(found)).decode(), seconds=FRESH_SECONDS, stale_seconds=0)
    headers = {"Content-Disposition": f'inline; filename="lecture-{found.pk}.pdf"'}
    return HttpResponse(base64.b64decode(made), content_type="application/pdf", headers=headers)


def _paper(webinar: Webinar) -> bytes:
    now = timezone.now()
    return render(page_of(report_of(webinar, now=now)))


def page_of(report: WebinarReport) -> Page:
    webinar = report.webinar
    lesson = webinar.lesson
    held = date_format(timezone.localtime(webinar.starts_at), "DATETIME_FORMAT") if webinar.starts_at else ""
    zone = timezone.get_current_timezone_name()
    made = date_format(timezone.localtime(report.made_at), "DATETIME_FORMAT")
    names = [" ".join(filter(None, (p.title, p.first_name, p.last_name))) for p in webinar.presenters.order_by("pk")]
    pictures = [_retention(report)]
    return Page(
        title=lesson.title,
        above=" · ".join(filter(None, (lesson.course.programme.title, held and f"{held} ({zone})"))),
        people=" · ".join(filter(None, names)),
        figures=_figures(report),
        wide=[one for one in pictures if one],
        narrow=_narrow(report),
        footer=_(
            "Counted %(at)s (%(zone)s). Who has a place in the programme counts, once in every number of doctors; "
            "presenters and staff without one do not. Who was there by minute counts everybody who had the lecture "
            "open."
        )
        % {"at": made, "zone": zone},
        at=report.made_at,
        site=settings.SITE_NAME,
        language=get_language() or "en",
    )


def _narrow(report: WebinarReport) -> list[Picture | Table]:
    live = _live(report)
    first: list[Picture | Table] = [live] if live else []
    asked = [one for one in (_polls(report), _items(report)) if one.rows]
    return [*first, _countries(report), _feedback(report), _themes(report), *asked]


def _figures(report: WebinarReport) -> list[Figure]:
    total, asked = report.audience.total, report.questions
    share = "–" if total.stayed_percent is None else percent(total.stayed_percent / 100)
    again = ngettext(
        "%(number)s of them was there live as well", "%(number)s of them were there live as well", total.continued
    )
    unique = ngettext(
        "%(number)s if what a doctor saw twice counts once",
        "%(number)s if what a doctor saw twice counts once",
        report.unique_minutes,
    )
    return [
        Figure(_("Watched live"), number(total.live), _("of %(number)s") % {"number": number(report.expected)}),
        Figure(_("Watched the recording"), number(total.recorded), again % {"number": number(total.continued)}),
        Figure(_("Stayed to the end"), share, _("of those who came live")),
        Figure(_("Minutes watched"), number(total.minutes), unique % {"number": number(report.unique_minutes)}),
        Figure(_("Questions"), number(asked.asked), _answers(asked)),
    ]


def _answers(asked: QuestionFigures) -> str:
    answered = ngettext("%(number)s answered", "%(number)s answered", asked.answered)
    said = answered % {"number": number(asked.answered)}
    if asked.answered_percent is not None:
        said += f" ({percent(asked.answered_percent / 100)})"
    if asked.answer_seconds is not None:
        said += " · " + _("%(time)s to answer") % {"time": duration(asked.answer_seconds)}
    return said


def _retention(report: WebinarReport) -> Picture | None:
    title = _("Who was watching, minute by minute")
    said = webinar_charts.retention_words(report)
    series, marks = webinar_charts.retention(report), webinar_charts.marks(report)
    drawing = curve_on_paper(
        Caption("retention", title, said), chart_words.words(), series, x=chart_words.axis("clock"),
        y=chart_words.axis("number"), marks=marks, width=WIDE_PX, fonts=FONTS,
    )  # fmt: skip
    return Picture(title, said, drawing) if drawing else None


def _live(report: WebinarReport) -> Picture | None:
    series = coming_charts.live(report)
    return _small(_("Live: who was there at the same time"), coming_charts.live_words(report.coming), series)


def _small(title: str, said: str, series: list[Series]) -> Picture | None:
    if not series:
        return None
    drawing = curve_on_paper(
        Caption("live", title, said), chart_words.words(), series, y=chart_words.axis("number"),
        x=chart_words.axis("time", near=series[0].points[0][0]), width=HALF_PX, fonts=FONTS,
    )  # fmt: skip
    return Picture(title, said, drawing) if drawing else None


def _countries(report: WebinarReport) -> Table:
    total = report.audience.total.people
    rows = [
        (country_name(one.name) if one.name else _("Not stated"), number(one.people), percent(one.people / total))
        for one in report.audience.countries[:MOST_COUNTRIES]
    ]
    rest = report.audience.countries[MOST_COUNTRIES:]
    if rest:
        people = sum(one.people for one in rest)
        label = ngettext("%(number)d more", "%(number)d more", len(rest)) % {"number": len(rest)}
        rows.append((label, number(people), percent(people / total)))
    head = (_("Country"), _("Doctors"), _("Share"))
    return Table(_("By country"), (5, 2, 2), head, rows, _("Nobody has watched yet."))


def _feedback(report: WebinarReport) -> Table:
    rows = [
        (one.label, *map(_mean, (one.here, one.theirs, one.programme)))
        for one in report.feedback.comparisons[:MOST_DIMENSIONS]
    ]
    head = (_("Average of 5"), _("here"), _("other lectures"), _("programme"))
    few = _("Results are shown from five answers on, so that nobody can be recognised.")
    return Table(
        _("What they thought"),
        (7, 2, 3, 3),
        head,
        rows if any(one.here is not None for one in report.feedback.comparisons) else (),
        few,
    )


def _mean(value: float | None) -> str:
    return "–" if value is None else mean(value)


def _themes(report: WebinarReport) -> Table:
    found = report.feedback.themes
    rows = [(one.words, number(one.people)) for one in found.themes[:MOST_THEMES]]
    return Table(
        _("What they wrote"), (4, 1), (_("Word or pair of words"), _("Doctors")), rows,
        _("No word comes up with three doctors or more."),
    )  # fmt: skip


def _polls(report: WebinarReport) -> Table:
    """The first ones that anybody voted in, each with what most chose."""
    charts = map(webinar_charts.poll_chart, report.polls)
    voted = [one for one in charts if one.votes and one.bars][:MOST_POLLS]
    most = [(one, max(one.bars, key=lambda bar: bar.value or 0)) for one in voted]
    rows = [(one.question, bar.label, percent((bar.value or 0) / one.votes)) for one, bar in most]
    return Table(_("Polls"), (6, 4, 2), (_("Question"), _("Most chose"), _("Share")), rows)


def _items(report: WebinarReport) -> Table:
    rows = [(one.name, percent(one.right_percent / 100)) for one in report.items[:MOST_ITEMS]]
    return Table(_("Hardest test questions"), (5, 1), (_("Question"), _("Right")), rows)
