"""The shared figures as a table: who took it, when and of what stands in every row and on every printed page."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django_countries import countries

from accounts.domain import audit
from accounts.models import User
from analytics.domain.sharing.consent import NamedDoctor
from analytics.domain.sharing.figures import SharedFigures
from analytics.domain.sharing.suppression import Cells
from certification.printing.summary import Summary, Table, render
from core.exports import Cell
from core.exports import Table as Rows
from courses.models import Programme

FORMS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}


def record_look(
    action: str, *, reader: User, programme: Programme | None, form: str = "", request: HttpRequest, now: datetime
) -> None:
    """Every page and every file: sponsors are told of doctors, so doctors can be told of sponsors."""
    details = {"form": form} if form else {}
    audit.record(action, actor=reader, subject=programme, request=request, details=details, now=now)


def watermark(*, reader: User, programme: Programme, now: datetime) -> str:
    return _("For %(reader)s (%(email)s) · %(day)s · %(programme)s") % {
        "reader": reader.get_full_name(),
        "email": reader.email,
        "day": f"{now.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
        "programme": programme.title,
    }


def step_words() -> dict[str, str]:
    return {
        "invited": _("Invited"),
        "joined": _("Came to the site"),
        "attended": _("Watched a lecture"),
        "completed": _("Completed the programme"),
        "certified": _("Have the certificate"),
    }


def table_of(figures: SharedFigures, names: Sequence[NamedDoctor], *, mark: str) -> Rows:
    """A number that may not be shown is written as "fewer than 5", never left to be taken for nothing."""
    yield (mark,)
    yield _("Part"), _("What"), _("Doctors"), _("Feedback, of 5"), _("Made for")
    for row in _rows(figures):
        yield *row, mark
    for one in names:
        said = [countries.name(one.country), one.specialty, _("%(number)d lectures") % {"number": one.lectures}]
        said += [_("completed")] if one.is_completed else []
        yield _("Doctors who agreed to be named"), one.name, "", " · ".join(filter(None, said)), mark


def pdf_of(figures: SharedFigures, names: Sequence[NamedDoctor], *, mark: str, now: datetime) -> bytes:
    """Some 50 ms, in the request: sponsors and auditors are a handful. The mark stands on every page."""
    _mark, head, *rows = ([str(cell) for cell in row] for row in table_of(figures, names, mark=mark))
    parts = dict.fromkeys(row[0] for row in rows)
    tables = [Table(part, (5, 2, 2), head[1:4], [row[1:4] for row in rows if row[0] == part]) for part in parts]
    until = figures.last_day.isoformat() if figures.last_day else ""
    return render(
        Summary(
            heading=_("Figures"),
            title=figures.programme.title,
            facts=[(_("Until the end of (UTC)"), until), (_("For"), mark)],
            tables=tables,
            note=_("Numbers are rounded to fives; groups of fewer than five are shown together."),
            at=now,
            header=mark,
        )
    )


def _rows(figures: SharedFigures) -> Iterator[tuple[Cell, ...]]:
    words = step_words()
    for step, number in figures.funnel:
        yield _("Funnel"), words[step], number_or_words(number), ""
    for title, cells, is_country in (
        (_("By country"), figures.countries, True),
        (_("By specialty"), figures.specialties, False),
    ):
        for name, number in lines_of(cells, is_country=is_country):
            yield title, name, number_or_words(number), ""
    for one in figures.lectures:
        title = one.webinar.lesson.title
        yield _("Live"), title, number_or_words(one.live), "" if one.mean is None else one.mean
        yield _("Recording"), title, number_or_words(one.recorded), ""
    for mean in figures.means:
        yield _("Feedback"), mean.label, mean.people, mean.value


def lines_of(cells: Cells, *, is_country: bool) -> list[tuple[str, int | None]]:
    found: list[tuple[str, int | None]] = [
        (str(countries.name(name) or name) if is_country else name, number) for name, number in cells.groups
    ]
    return found if cells.others is None else [*found, (_("Others and not stated"), cells.others)]


def number_or_words(number: int | None) -> Cell:
    return _("fewer than 5") if number is None else number
