"""A doctor's pages of a test: what to expect, one question at a time, handing in, the result. No script is needed."""

from collections.abc import Sequence
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from assessments.domain.overview import overview_of, result_of
from assessments.domain.papers import PaperError
from assessments.domain.saving import SaveError, go_on, save_if_changed
from assessments.domain.sheet import Line, Sheet, sheet_of
from assessments.domain.starting import StartError, start_attempt
from assessments.domain.submitting import end_if_over, submit
from assessments.enums import AttemptState, EndedBy
from assessments.models import Attempt
from assessments.rules import get_attempt_for, get_quiz_for
from core.clock import now


@require_safe
@login_required
def quiz(request: HttpRequest, quiz_id: int) -> HttpResponse:
    overview = overview_of(quiz=get_quiz_for(request.user, quiz_id), user=_person(request), now=now())
    return render(request, "assessments/quiz.html", {"overview": overview, "quiz": overview.quiz})


@login_required
def start(request: HttpRequest, quiz_id: int) -> HttpResponse:
    """Answers with the first question itself: a thousand doctors begin in the same seconds, each with one request then.

    Sent once more, it goes on with the same attempt.
    """
    if request.method != "POST":
        return redirect("assessments:quiz", quiz_id)
    found = get_quiz_for(request.user, quiz_id)
    try:
        attempt, is_new = start_attempt(quiz=found, user=_person(request), number=_number(request), now=now())
    except StartError as refused:
        messages.error(request, str(refused.message))
        return redirect("assessments:quiz", found.pk)
    except PaperError as refused:
        messages.error(request, str(refused))
        return redirect("assessments:quiz", found.pk)
    return _show(request, sheet_of(attempt=attempt, is_new=is_new))


@require_safe
@login_required
def attempt(request: HttpRequest, attempt_id: int) -> HttpResponse:
    """One question. Without `at` it is where the doctor left off: the first one that is not answered."""
    found = _open_attempt(request, attempt_id)
    if found is None:
        return redirect("assessments:result", attempt_id)
    return _show(request, sheet_of(attempt=found), request.GET.get("at"))


@require_safe
@login_required
def questions(request: HttpRequest, attempt_id: int) -> HttpResponse:
    """All questions, as the page shows one: its script asks a little later, when not everybody is starting."""
    found = _open_attempt(request, attempt_id)
    if found is None:
        return redirect("assessments:result", attempt_id)
    if found.is_one_way:
        raise Http404
    sheet = sheet_of(attempt=found)
    return render(request, "assessments/_questions.html", _questions(sheet, sheet.lines))


@require_POST
@login_required
def answer(request: HttpRequest, attempt_id: int, position: int) -> HttpResponse:
    """The form of one question: save, and on to where the pressed button says."""
    found = _open_attempt(request, attempt_id)
    if found is None:
        return redirect("assessments:result", attempt_id)
    try:
        _save(request, found, position)
        target = _target(request, found, position)
    except SaveError as refused:
        messages.error(request, str(refused.message))
        target = position
    if target is None:
        return redirect("assessments:finish", attempt_id)
    response = redirect("assessments:attempt", attempt_id)
    response["Location"] += f"?at={target + 1}"
    return response


@login_required
def finish(request: HttpRequest, attempt_id: int) -> HttpResponse:
    """GET asks once more, and says what is not answered yet; POST hands in."""
    found = _open_attempt(request, attempt_id)
    if found is None:
        return redirect("assessments:result", attempt_id)
    if request.method == "POST":
        submit(attempt_id=found.pk, by=EndedBy.PERSON)
        return redirect("assessments:result", attempt_id)
    sheet = sheet_of(attempt=found)
    blank = [line for line in sheet.lines if not line.is_answered]
    flagged = [line for line in sheet.lines if line.is_flagged]
    context = {"sheet": sheet, "blank": blank, "flagged": flagged, "attempt": found, "quiz": found.quiz}
    return render(request, "assessments/finish.html", context)


@require_safe
@login_required
def result(request: HttpRequest, attempt_id: int) -> HttpResponse:
    found = get_attempt_for(request.user, attempt_id)
    if not end_if_over(attempt=found):
        return redirect("assessments:attempt", attempt_id)
    if found.state == AttemptState.OPEN:  # handed in by this very request
        found = get_attempt_for(request.user, attempt_id)
    context = {"result": result_of(attempt=found, user=_person(request), now=now()), "attempt": found}
    return render(request, "assessments/result.html", {**context, "quiz": found.quiz})


def _number(request: HttpRequest) -> int | None:
    """Of the attempt that the pressed button meant."""
    number = request.POST.get("number", "")
    return int(number) if number.isdecimal() and len(number) < 6 else None


def _show(request: HttpRequest, sheet: Sheet, at: str | None = None) -> HttpResponse:
    line = _line_at(sheet, at)
    context = _questions(sheet, [line]) | {"line": line, "config": _config(sheet)}
    return render(request, "assessments/attempt.html", context)


def _open_attempt(request: HttpRequest, attempt_id: int) -> Attempt | None:
    """None for one that is over."""
    found = get_attempt_for(request.user, attempt_id)
    return None if end_if_over(attempt=found) else found


def _line_at(sheet: Sheet, at: str | None) -> Line:
    """`at` counts from 1, as doctors do."""
    if sheet.attempt.is_one_way:
        return sheet.lines[sheet.attempt.reached]
    if at is None:
        return next((line for line in sheet.lines if not line.is_answered), sheet.lines[0])
    number = int(at) if at.isdecimal() and len(at) < 6 else 0
    if not 1 <= number <= len(sheet.lines):
        raise Http404
    return sheet.lines[number - 1]


def _save(request: HttpRequest, found: Attempt, position: int) -> None:
    """What stands in the form. Looking at a question is no answer."""
    saved = request.POST.get("saved", "")
    save_if_changed(
        attempt=found,
        position=position,
        form=request.POST.urlencode(),
        saved=int(saved) if saved.isdecimal() and len(saved) < 10 else 0,
        is_flagged="flag" in request.POST,
    )


def _target(request: HttpRequest, found: Attempt, position: int) -> int | None:
    """The position to show next; None to hand in."""
    go, last = request.POST.get("go", "next"), len(found.paper["items"]) - 1
    if go == "finish" or (go == "next" and position >= last):
        return None
    if go == "back":
        return max(0, position - 1)
    if go == "stay":
        return position
    return go_on(attempt=found, to=position + 1)


def _questions(sheet: Sheet, shown: Sequence[Line]) -> dict[str, Any]:
    attempt = sheet.attempt
    return {
        "sheet": sheet,
        "shown_lines": shown,
        "total": len(sheet.lines),
        "attempt": attempt,
        "quiz": attempt.quiz,
        "questions_url": reverse("assessments:questions", args=[attempt.pk]),
    }


def _config(sheet: Sheet) -> dict[str, Any]:
    """For the script: what it cannot read from the page."""
    return {
        "attempt": sheet.attempt.pk,
        "seconds_left": sheet.seconds_left,
        "held": bool(sheet.held),
        "one_way": sheet.attempt.is_one_way,
        "attempt_url": reverse("assessments:attempt", args=[sheet.attempt.pk]),
        "questions_url": "" if sheet.attempt.is_one_way else reverse("assessments:questions", args=[sheet.attempt.pk]),
        "result_url": reverse("assessments:result", args=[sheet.attempt.pk]),
    }


def _person(request: HttpRequest) -> User:
    return cast("User", request.user)
