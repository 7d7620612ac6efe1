"""Where a doctor stands in a test, the board of those who show their names, and whether one's own is on it."""

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from assessments.domain.ranking import BINS, NotRankedError, View, board_of, show_name, view_of
from assessments.models import Quiz
from assessments.rules import get_quiz_for
from core.clock import now

HEIGHT = 40  # of the picture, whose width is 100


class Bar(NamedTuple):
    """People with results in one twentieth, from 0 to 100 percent; `is_mine` has this doctor among them."""

    x: float
    y: float
    width: float
    height: float
    is_mine: bool


@require_safe
@login_required
def ranking(request: HttpRequest, quiz_id: int) -> HttpResponse:
    person = cast("User", request.user)
    view = _view(get_quiz_for(person, quiz_id), person)
    groups = ["all", *(one.group for one in view.own.standings[1:])] if view.own else ["all"]
    group = request.GET.get("group", "all")
    board = board_of(view=view, user=person, group=group, page=request.GET.get("page"))
    context: dict[str, Any] = {"view": view, "quiz": view.quiz, "board": board, "bars": bars_of(view)}
    context |= {"group": group if group in groups else "all", "own": view.own if view.is_shown else None}
    return render(request, "assessments/ranking.html", context)


@require_POST
@login_required
def name(request: HttpRequest, quiz_id: int) -> HttpResponse:
    """On the board, or off it."""
    person = cast("User", request.user)
    quiz = get_quiz_for(person, quiz_id)
    view = _view(quiz, person)
    if view.is_candidate:
        show_name(quiz=quiz, user=person, shows=request.POST.get("shows") == "on")
    return redirect("assessments:ranking", quiz.pk)


def bars_of(view: View) -> Sequence[Bar]:
    """Nothing where the ranking is not shown."""
    if not view.is_shown or view.ranking is None:
        return []
    most, step, mine = max(view.ranking.bins, default=0) or 1, 100 / BINS, view.own.bin if view.own else None
    heights = [count / most * HEIGHT for count in view.ranking.bins]
    return [Bar(at * step + 0.4, HEIGHT - high, step - 0.8, high, at == mine) for at, high in enumerate(heights)]


def _view(quiz: Quiz, person: User) -> View:
    try:
        return view_of(quiz=quiz, user=person, now=now())
    except NotRankedError as absent:
        raise Http404 from absent
