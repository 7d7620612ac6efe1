"""The marking desk: what waits, and one answer after another. Without the doctor's name, and without a script too."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from accounts.rules import person_of
from assessments.domain.marking import MarkingError, change_mark, mark_by_hand
from assessments.domain.marking_desk import (
    Paper,
    desk_of,
    desks_of,
    paper_of,
    progress_of,
    put_off,
    recent_marks,
    take_next,
)
from assessments.forms.marking import QUICK, MarkForm, initial_of
from assessments.models import Answer, Quiz
from assessments.rules import get_answer_to_mark, get_marked_quiz, marked_quizzes_for, require_marker


@require_safe
@login_required
def desks(request: HttpRequest) -> HttpResponse:
    require_marker(request.user)
    person, quizzes = person_of(request), marked_quizzes_for(request.user)
    context = {
        "desks": desks_of(marker=person, quizzes=quizzes),
        "recent": recent_marks(marker=person, quizzes=quizzes),
    }
    return render(request, "assessments/marking/desks.html", context)


@require_safe
@login_required
def desk(request: HttpRequest, quiz_id: int) -> HttpResponse:
    quiz = get_marked_quiz(request.user, quiz_id)
    person = person_of(request)
    context = {"quiz": quiz, "desk": desk_of(quiz=quiz, marker=person), "progress": progress_of(quiz=quiz)}
    context["recent"] = recent_marks(quizzes=Quiz.objects.filter(pk=quiz.pk), marker=person)
    return render(request, "assessments/marking/desk.html", context)


@require_POST
@login_required
def take(request: HttpRequest, quiz_id: int) -> HttpResponse:
    quiz = get_marked_quiz(request.user, quiz_id)
    return _next(person_of(request), quiz, disputed="disputed" in request.POST)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def answer(request: HttpRequest, answer_id: int) -> HttpResponse:
    """One answer: to be marked, to be decided, or with one's own mark. A valid form leads to the next one."""
    found = get_answer_to_mark(request.user, answer_id)
    person = person_of(request)
    paper = paper_of(answer=found, marker=person)
    form = _form(request, paper)
    if request.method == "POST" and form.is_valid():
        try:
            return _mark(request, paper, form, person)
        except MarkingError as refused:
            messages.warning(request, str(refused.message))
            return redirect("assessments:marking_answer", found.pk)
    context = {"paper": paper, "form": form, "quiz": found.attempt.quiz, **_standing(found, person)}
    return render(request, "assessments/marking/answer.html", context)


@require_POST
@login_required
def off(request: HttpRequest, answer_id: int) -> HttpResponse:
    """Skip it for now."""
    found = get_answer_to_mark(request.user, answer_id)
    person = person_of(request)
    put_off(answer_id=found.pk, marker=person)
    return _next(person, found.attempt.quiz, disputed="disputed" in request.POST, but=found)


def _next(person: User, quiz: Quiz, *, disputed: bool, but: Answer | None = None) -> HttpResponse:
    """To the next answer; to the overview where there is none, or only the one that was put off."""
    found = take_next(quiz=quiz, marker=person, disputed=disputed)
    if found is None or found == but:
        return redirect("assessments:marking_desk", quiz.pk)
    return redirect("assessments:marking_answer", found.pk)


def _form(request: HttpRequest, paper: Paper) -> MarkForm:
    """A second click on “Save” finds a mark that stands: only who changes one has to say why."""
    data: dict[str, Any] | None = None
    is_change = request.method != "POST" or "change" in request.POST
    if request.method == "POST":
        data = request.POST.dict()
        data["points"] = data.get(QUICK) or data.get("points", "")
    initial = None
    if paper.mine is not None:
        mine = paper.mine
        initial = initial_of(criteria=paper.criteria, rubric=mine.rubric, points=mine.points, comment=mine.comment)
    return MarkForm(
        criteria=paper.criteria,
        most=paper.most,
        wants_reason=paper.mine is not None and paper.result_stands and is_change,
        data=data,
        initial=initial,
    )


def _mark(request: HttpRequest, paper: Paper, form: MarkForm, person: User) -> HttpResponse:
    """Raises MarkingError."""
    quiz, decides = paper.answer.attempt.quiz, "disputed" in request.POST
    given: dict[str, Any] = {
        "answer_id": paper.answer.pk,
        "marker": person,
        "points": form.given,
        "rubric": form.given_rubric,
        "comment": form.cleaned_data["comment"],
        "request": request,
    }
    if "change" in request.POST:
        change_mark(**given, reason=form.cleaned_data.get("reason", ""))
        messages.success(request, _("Your mark is changed."))
        return redirect("assessments:marking_desk", quiz.pk)
    mark_by_hand(**given, decides=decides)
    return _next(person, quiz, disputed=decides)


def _standing(found: Answer, person: User) -> dict[str, Any]:
    """How far the test is, and this person's last mark before this one."""
    quiz = found.attempt.quiz
    marks = recent_marks(quizzes=Quiz.objects.filter(pk=quiz.pk), marker=person)
    last = next((one for one in marks if one.answer_id != found.pk), None)
    return {"progress": progress_of(quiz=quiz), "desk": desk_of(quiz=quiz, marker=person), "last": last}
