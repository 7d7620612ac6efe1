"""A doctor's own numbers in one programme."""

import math
from collections.abc import Sequence
from decimal import Decimal

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_POST, require_safe

from accounts.domain.people import choose_comparison
from accounts.rules import person_of
from analytics.domain.learning import Cohort, Week, cohort_of, learning_of
from analytics.domain.progress import read_programme
from analytics.rendering.data import Bar
from analytics.rules import get_own_place
from certification.enums import AuthorityKey


@require_safe
@login_required
def progress(request: HttpRequest, slug: str) -> HttpResponse:
    user, now, zone = person_of(request), timezone.now(), timezone.get_current_timezone()
    enrolment = get_own_place(user, slug)
    programme = read_programme(programme=enrolment.programme, enrolment=enrolment, user=user, now=now)
    learning = learning_of(programme, user=user, now=now, zone=zone)
    cohort = cohort_of(enrolment) if user.compares_progress else None
    context = {
        "programme": programme,
        "learning": learning,
        "days_left": programme.days_left(now=now, zone=zone),
        "weeks": _weeks(learning.weeks),
        "credits": _credits(learning.credits),
        "group": enrolment.cohort,
        "cohort": cohort,
        "others": _others(cohort) if cohort else (),
        "half_have": math.ceil(cohort.median_courses) if cohort else 0,
    }
    return render(request, "analytics/progress.html", context)


@require_POST
@login_required
def comparison(request: HttpRequest, slug: str) -> HttpResponse:
    """Anything but a clear yes is a no."""
    user = person_of(request)
    get_own_place(user, slug)
    choose_comparison(user=user, wanted=request.POST.get("wanted") == "yes")
    return redirect(reverse("analytics:progress", args=[slug]) + "#comparison")


def _weeks(weeks: Sequence[Week]) -> list[Bar]:
    """The newest one first, by the Monday it began on."""
    shape = pgettext("date format on an axis", "j M")
    named = [Bar(date_format(week.begins, shape), week.seconds) for week in reversed(weeks)]
    return [Bar(_("This week"), named[0].value), *named[1:]]


def _credits(sums: Sequence[tuple[str, Decimal]]) -> list[tuple[str, float]]:
    return [(str(AuthorityKey(authority).label), float(amount)) for authority, amount in sums]


def _others(cohort: Cohort) -> list[Bar]:
    return [Bar(_("You"), cohort.mine), Bar(_("Middle of your colleagues"), cohort.median_courses)]
