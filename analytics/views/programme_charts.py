"""A programme's numbers as the charts take them, with the pages where something can be done about them."""

from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analytics.domain.operating.report import ProgrammeReport
from analytics.domain.operating.spot import of_all
from analytics.enums import DataCheck
from analytics.rendering.data import Bar, FunnelStep
from courses.models import Programme

# Where staff mend what a check finds; the rest is mended by the doctors themselves.
PLACES = {
    DataCheck.COMPLETED_UNSEEN: ("admin:courses_enrolment_changelist", "programme__id__exact"),
    DataCheck.NO_CERTIFICATE: ("admin:courses_enrolment_changelist", "programme__id__exact"),
    DataCheck.NO_RECORDING: ("admin:courses_lesson_changelist", "course__programme__id__exact"),
    DataCheck.NO_CONTENT: ("admin:courses_lesson_changelist", "course__programme__id__exact"),
}
# As the campaign desk calls the last step of who did not take the next one.
LAST_STEPS = ("invited", "joined", "attended", "completed")
DOCTORS = ("admin:courses_enrolment_changelist", "programme__id__exact")


def charts_of(report: ProgrammeReport) -> dict[str, Any]:
    """What `analytics/operating/_programme.html` asks for."""
    return {
        "report": report,
        "funnel": funnel(report),
        "hours": report.hours,
        "risks": risks(report),
        **spot(report),
        "checks": checks(report),
        "lessons": lessons(report),
    }


def funnel(report: ProgrammeReport) -> list[FunnelStep]:
    """Whoever stopped before a step can be written to: the campaign desk opens with these doctors chosen."""
    steps = report.funnel
    labels = (
        _("Invited"),
        _("Signed in"),
        _("Were at a lecture"),
        _("Completed the programme"),
        _("Have the certificate"),
    )
    values = (steps.invited, steps.joined, steps.attended, steps.completed, steps.certified)
    found = [FunnelStep(labels[0], values[0])]
    for label, value, last, left in zip(labels[1:], values[1:], LAST_STEPS, steps.stopped, strict=True):
        url = desk_for(report.programme, step=last) if left else ""
        told = ngettext("Write to %(number)s doctor", "Write to %(number)s doctors", left)
        told %= {"number": number_format(left, force_grouping=True)}
        found.append(FunnelStep(label, value, url, told))
    return found


def desk_for(programme: Programme, **whom: str) -> str:
    """The campaign desk about to write to these doctors of the programme."""
    return f"{reverse('admin:reminders_campaign_add')}?{urlencode({'programme': programme.pk, **whom})}"


def risks(report: ProgrammeReport) -> list[Bar]:
    page = reverse("analytics:risks", args=[report.programme.slug])
    return [
        Bar(str(reason.label), number, url=f"{page}?{urlencode({'reason': reason.value})}")
        for reason, number in report.risks.items()
    ]


def checks(report: ProgrammeReport) -> list[tuple[str, int, str]]:
    """(what, how many, where to mend it): what was found first."""
    found = [
        (str(check.label), number, _place(check, report.programme.pk) if number else "")
        for check, number in report.checks.items()
    ]
    return sorted(found, key=lambda one: one[1] == 0)


def _place(check: DataCheck, programme_id: int) -> str:
    name, field = PLACES.get(check, DOCTORS)
    return f"{reverse(name)}?{urlencode({field: programme_id})}"


def spot(report: ProgrammeReport) -> dict[str, Any]:
    """What `analytics/operating/_spot.html` asks for."""
    states = of_all(report.spot)
    return {
        "spot_asked": sum(states.values()),
        "spot_states": [Bar(str(state.label), number) for state, number in states.items()],
        "spot_webinars": [
            Bar(one.title, one.asked, url=reverse("analytics:lecture", args=[one.webinar_id])) for one in report.spot
        ],
    }


def lessons(report: ProgrammeReport) -> list[Bar]:
    return [Bar(label, number) for label, number in report.inventory.lessons]
