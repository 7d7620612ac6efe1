"""The feedback form of a lesson: one page that needs no script. A reload after handing in shows the thanks again."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.models import User
from assessments.domain.evaluation_sheet import fields_of, name_of, read_posted
from assessments.domain.evaluations import (
    ChangedError,
    EvaluationError,
    IncompleteError,
    answer_evaluation,
    has_answered,
    standing_of,
)
from assessments.models import Evaluation, EvaluationQuestion
from assessments.rules import get_evaluation_for
from core.clock import now
from courses.rules import get_enrolment_for

Posted = Mapping[int, Sequence[str]]


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def evaluation(request: HttpRequest, evaluation_id: int) -> HttpResponse:
    found = get_evaluation_for(request.user, evaluation_id)
    questions = list(found.form.questions.order_by("position")) if found.form else []
    if request.method != "POST":
        return _page(request, found, questions)
    posted: Posted = {one.pk: request.POST.getlist(name_of(one)) for one in questions}
    given = read_posted(questions=questions, posted=posted)
    try:
        _check_terms(request, found)
        answer_evaluation(evaluation=found, user=_person(request), given=given, now=now())
    except IncompleteError as incomplete:
        return _page(request, found, questions, posted=posted, errors=incomplete.errors, problem=incomplete.message)
    except ChangedError as changed:
        found = get_evaluation_for(request.user, evaluation_id)
        questions = list(found.form.questions.order_by("position")) if found.form else []
        return _page(request, found, questions, posted=posted, problem=changed.message)
    except EvaluationError:
        pass  # the page that follows says how it stands: answered, not open, only looked at
    return redirect("assessments:evaluation", found.pk)


def _check_terms(request: HttpRequest, found: Evaluation) -> None:
    """The page said "anonymous" or "with your name", and which edition; that is what is handed in."""
    if request.POST.get("terms", terms_of(found)) != terms_of(found):
        raise ChangedError


def terms_of(found: Evaluation) -> str:
    return f"{found.form_id}-{'anonymous' if found.is_anonymous else 'named'}"


def _page(
    request: HttpRequest,
    found: Evaluation,
    questions: Sequence[EvaluationQuestion],
    *,
    posted: Posted | None = None,
    errors: Mapping[int, str] | None = None,
    problem: Any = "",
) -> HttpResponse:
    person = _person(request)
    context = {
        "evaluation": found,
        "lesson": found.lesson,
        "fields": fields_of(questions=questions, posted=posted, errors=errors),
        "problem": problem,
        "terms": terms_of(found),
        "availability": standing_of(evaluation=found, user=person, now=now()),
        "is_answered": has_answered(evaluation=found, user=person),
        "is_preview": get_enrolment_for(person, found.lesson.course.programme) is None,
    }
    return render(request, "assessments/evaluation.html", context)


def _person(request: HttpRequest) -> User:
    return cast("User", request.user)
