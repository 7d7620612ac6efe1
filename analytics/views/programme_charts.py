"""A programme's numbers as the charts take them, with the pages where something can be done about them."""

from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from analytics.domain.operating.report import ProgrammeReport
from analytics.enums import DataCheck
from analytics.rendering.data import Bar, FunnelStep
from courses.enums import EnrolmentStatus

# Where staff mend what a check finds; the rest is mended by the doctors themselves.
PLACES = {
    DataCheck.COMPLETED_UNSEEN: ("admin:courses_enrolment_changelist", "programme__id__exact"),
    DataCheck.NO_CERTIFICATE: ("admin:courses_enrolment_changelist", "programme__id__exact"),
    DataCheck.NO_RECORDING: ("admin:courses_lesson_changelist", "course__programme__id__exact"),
    DataCheck.NO_CONTENT: ("admin:courses_lesson_changelist", "course__programme__id__exact"),
}
DOCTORS = ("admin:courses_enrolment_changelist", "programme__id__exact")


def funnel(report: ProgrammeReport) -> list[FunnelStep]:
    steps, programme = report.funnel, report.programme.pk
    asked = {"programme__id__exact": programme}
    doctors = reverse("admin:courses_enrolment_changelist")
    invited = f"{doctors}?{urlencode(asked | {'status__exact': EnrolmentStatus.INVITED.value})}"
    active = f"{doctors}?{urlencode(asked | {'status__exact': EnrolmentStatus.ACTIVE.value})}"
    return [
        FunnelStep(_("Invited"), steps.invited),
        FunnelStep(_("Signed in"), steps.joined, invited, _("Who has not signed in")),
        FunnelStep(_("Were at a lecture"), steps.attended),
        FunnelStep(_("Completed the programme"), steps.completed, active, _("Who is under way")),
        FunnelStep(_("Have the certificate"), steps.certified),
    ]


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


def spot(report: ProgrammeReport) -> list[Bar]:
    return [Bar(str(state.label), number) for state, number in report.spot.items()]


def lessons(report: ProgrammeReport) -> list[Bar]:
    return [Bar(label, number) for label, number in report.inventory.lessons]
