"""Pages that compose several apps: home, the catalogue and the programme page."""

from datetime import datetime

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import User
from analytics.domain.progress import pick_first, read_home, read_programme
from analytics.enums import Standing
from assessments.domain.marking_desk import waiting_for
from assessments.rules import marked_quizzes_for, marks_answers
from courses import rules
from courses.domain.lesson_kinds import address_of

PER_PAGE = 20


class PersonRequest(HttpRequest):
    """What `login_required` lets through."""

    user: User


@require_safe
@login_required
def home(request: PersonRequest) -> HttpResponse:
    now = timezone.now()
    programmes = read_home(user=request.user, now=now)
    has_work = not programmes and rules.programmes_for(request.user).exists()
    first = pick_first(programmes)
    context = {
        "part_of_day": part_of_day(timezone.localtime(now)),
        "programme": first,
        "has_work": has_work,
        "marks_answers": has_work and marks_answers(request.user),
        "reads_reports": not programmes and not has_work and rules.reads_reports(request.user),
        "others": [programme for programme in programmes if programme is not first],
        "running": sum(programme.standing is Standing.RUNNING for programme in programmes),
        "days_left": first.days_left(now=now, zone=timezone.get_current_timezone()) if first else None,
    }
    return render(request, "home.html", context)


@require_safe
@login_required
def catalogue(request: PersonRequest) -> HttpResponse:
    """Their own programmes with progress; below, for presenters and staff, those they work on."""
    mine = read_home(user=request.user, now=timezone.now())
    others = rules.programmes_for(request.user).exclude(pk__in=[programme.id for programme in mine])
    page = Paginator(others, PER_PAGE).get_page(request.GET.get("page"))
    reads_reports = not mine and not page.object_list and rules.reads_reports(request.user)
    context = {"mine": mine, "page": page, "reads_reports": reads_reports}
    quizzes = marked_quizzes_for(request.user)
    to_mark = waiting_for(marker=request.user, quizzes=quizzes) if marks_answers(request.user) else 0
    return render(request, "courses/catalogue.html", {**context, "to_mark": to_mark})


@require_safe
@login_required
def programme(request: PersonRequest, slug: str) -> HttpResponse:
    now = timezone.now()
    found = rules.get_programme_for(request.user, slug)
    enrolment = rules.get_enrolment_for(request.user, found)
    progress = read_programme(programme=found, enrolment=enrolment, user=request.user, now=now)
    context = {
        "programme": progress,
        "is_preview": enrolment is None,
        "may_preview": enrolment is None and rules.may_preview(request.user, found),
        "days_left": progress.days_left(now=now, zone=timezone.get_current_timezone()),
    }
    return render(request, "courses/programme.html", context)


@require_safe
@login_required
def lesson(request: PersonRequest, lesson_id: int) -> HttpResponse:
    """On to the page of its kind, so that a list of lessons needs no query for what each of them is made of.

    `?at=`, a second of a lecture, goes along.
    """
    address = address_of(lesson=rules.get_lesson_for(request.user, lesson_id))
    if address is None:
        raise Http404
    at = request.GET.get("at", "")
    return redirect(f"{address}?at={at}" if at.isascii() and at.isdigit() and len(at) < 7 else address)


def part_of_day(local: datetime) -> str:
    """For the greeting: 'morning' from 5, 'afternoon' from 12, 'evening' from 18 o'clock, on the reader's clock."""
    if 5 <= local.hour < 12:
        return "morning"
    return "afternoon" if 12 <= local.hour < 18 else "evening"
