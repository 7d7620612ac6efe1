"""Figures of tests for their authors: how the questions behave, and what to look at. A report is made by a worker."""

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe
from unfold.decorators import display

from assessments.domain.analysis.due import ask_for_report
from assessments.domain.analysis.flags import Flag
from assessments.models import AnalysisReport
from core.clock import now
from core.time import when
from courses.admin.base import ScopedAdmin

WIDTH, HEIGHT = 100, 40  # of the picture of a question's answers


class Line(NamedTuple):
    """One answer's share of each fifth, weakest first, as points of a picture; and its row of the table."""

    choice: dict[str, Any]
    points: str
    dash: int  # lines are told apart by more than their colour


class Shown(NamedTuple):
    item: dict[str, Any]
    advice: list[Flag]
    lines: list[Line]

    @property
    def has_curves(self) -> bool:
        """Not where all doctors are in one fifth."""
        return any(" " in line.points for line in self.lines)


@admin.register(AnalysisReport)
class AnalysisReportAdmin(ScopedAdmin):
    """A row comes by itself with the first result of a test. Nothing here can be changed."""

    programme_path = "quiz__lesson__course__programme"
    list_display = ("title", "programme", "people", "urgent", "made", "figures_link")
    list_filter = (("quiz__lesson__course__programme", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("quiz__lesson__course__programme",)
    search_fields = ("quiz__lesson__title", "quiz__lesson__course__title")
    ordering = ("-pk",)
    fields = ("title", "programme", "people", "made", "figures_link")
    readonly_fields: ClassVar[tuple[str, ...]] = fields
    list_display_links = None

    def get_urls(self) -> list[URLPattern]:
        page, again = require_safe(self.figures), require_POST(self.again)
        return [
            path("<path:object_id>/figures/", self.admin_site.admin_view(page), name="assessments_figures"),
            path("<path:object_id>/again/", self.admin_site.admin_view(again), name="assessments_figures_again"),
            *super().get_urls(),
        ]

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description=_("Test"), ordering="quiz__lesson__title")
    def title(self, report: AnalysisReport) -> str:
        return report.quiz.lesson.title

    @display(description=_("Programme"))
    def programme(self, report: AnalysisReport) -> str:
        return report.quiz.lesson.course.programme.title

    @display(description=_("Doctors"))
    def people(self, report: AnalysisReport) -> int:
        return int(report.report.get("people", 0))

    @display(description=_("Questions to check now"))
    def urgent(self, report: AnalysisReport) -> int:
        return sum(any(flag.is_urgent for flag in advice_of(item)) for item in report.report.get("items", ()))

    @display(description=_("As of"), ordering="made_at")
    def made(self, report: AnalysisReport) -> str:
        return when(report.made_at)

    @display(description=_("Figures"))
    def figures_link(self, report: AnalysisReport) -> SafeString:
        address = reverse("admin:assessments_figures", args=(report.pk,))
        return format_html('<a class="underline" href="{}">{}</a>', address, _("Show"))

    def figures(self, request: HttpRequest, object_id: str) -> HttpResponse:
        kept = self.object_or_404(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Figures"),
            "opts": self.opts,
            "kept": kept,
            "report": kept.report,
            "shown": [shown_of(item) for item in kept.report.get("items", ())],
        }
        return TemplateResponse(request, "admin/assessments/analysisreport/figures.html", context)

    def again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        kept = self.object_or_404(request, object_id)
        ask_for_report(quiz_id=kept.pk, now=now())
        messages.success(request, _("The figures are being worked out. Please reload this page in a minute."))
        return HttpResponseRedirect(reverse("admin:assessments_figures", args=(kept.pk,)))


def advice_of(item: dict[str, Any]) -> list[Flag]:
    return [Flag(flag["code"], flag["values"]) for flag in item["flags"]]


def shown_of(item: dict[str, Any]) -> Shown:
    """Without curves of answers that nobody chose: they lie on the axis."""
    lines = [Line(choice, _points(choice["curve"]), number % 4 + 1) for number, choice in enumerate(item["choices"])]
    return Shown(item, advice_of(item), lines)


def _points(curve: Sequence[float | None]) -> str:
    """Of a polyline; fifths without anybody are left out."""
    step = WIDTH / max(1, len(curve) - 1)
    return " ".join(
        f"{at * step:.1f},{(1 - share) * HEIGHT:.1f}" for at, share in enumerate(curve) if share is not None
    )
