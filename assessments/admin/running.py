"""A test while it runs: who is in, who is through; extra time, an end or a strike for one doctor. For operators.

Each view takes the admin of tests: its door says whose programmes these are. Reading who did what is recorded.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.domain import audit
from accounts.models import User
from accounts.rules import person_of
from assessments.admin.quiz_forms import ExtraForm, ReasonForm
from assessments.domain.interventions import InterventionError, end_attempt, give_extra, strike_out
from assessments.domain.running import (
    STATES,
    answers_of,
    figures_of,
    find_doctors,
    page_of_attempts,
    standing_pause,
)
from assessments.enums import AttemptState
from assessments.models import Attempt, Candidate, Quiz
from core.clock import now
from core.time import when

LONGEST_SEARCH = 100
TABS = {
    "all": _("All"),
    "open": _("In it now"),
    "finished": _("Handed in"),
    "submitted": _("Being marked"),
    "void": _("Struck out"),
}


def running(admin: Any, request: HttpRequest, quiz_id: int) -> HttpResponse:
    quiz = _quiz(admin, request, quiz_id)
    search = request.GET.get("q", "").replace("\x00", "")[:LONGEST_SEARCH].strip()
    state = request.GET.get("state", "all")
    state = state if state in STATES else "all"
    page = page_of_attempts(quiz=quiz, state=state, search=search, number=request.GET.get("page", "1"))
    details = {"state": state, "search": search, "page": page.number}
    audit.record("attempts.listed", actor=person_of(request), subject=quiz, request=request, details=details, now=now())
    context = {
        "title": _("Run the test"),
        "figures": figures_of(quiz=quiz),
        "pause": standing_pause(quiz=quiz),
        "doctors": find_doctors(quiz=quiz, search=search),
        "search": search,
        "state": state,
        "tabs": TABS.items(),
        "page": page,
    }
    return _page(admin, request, quiz, "running", context)


def attempt(admin: Any, request: HttpRequest, attempt_id: int) -> HttpResponse:
    found = _attempt(admin, request, attempt_id)
    audit.record("attempt.read", actor=person_of(request), subject=found, request=request, now=now())
    context = {
        "title": _("Attempt"),
        "attempt": found,
        "questions": len(found.paper["items"]),
        "answers": answers_of(attempt=found),
        "changes": found.score_changes.select_related("by"),
        "candidate": Candidate.objects.filter(quiz=found.quiz_id, user=found.user_id).first(),
        "is_open": found.state == AttemptState.OPEN,
        "is_void": found.state == AttemptState.VOID,
    }
    return _page(admin, request, found.quiz, "attempt", context)


def end(admin: Any, request: HttpRequest, attempt_id: int) -> HttpResponse:
    asked = {
        "title": _("End this attempt now?"),
        "description": _("What is answered is handed in and marked. The doctor cannot go on."),
        "button": _("End it now"),
        "told": _("The attempt is handed in."),
    }
    found = _attempt(admin, request, attempt_id)
    return _decide(admin, request, found, asked, end_attempt)


def strike(admin: Any, request: HttpRequest, attempt_id: int) -> HttpResponse:
    asked = {
        "title": _("Strike this attempt out?"),
        "description": _(
            "It counts no longer, and the doctor may begin another one in its place. If it is open it ends at once. "
            "What was answered is kept, and so is a lesson that it has completed. This cannot be taken back."
        ),
        "button": _("Strike it out"),
        "told": _("The attempt is struck out."),
    }
    found = _attempt(admin, request, attempt_id)
    return _decide(admin, request, found, asked, strike_out)


def extra(admin: Any, request: HttpRequest, quiz_id: int, user_id: int) -> HttpResponse:
    """Extra time and attempts of one doctor of the programme."""
    quiz = _quiz(admin, request, quiz_id)
    user = get_object_or_404(User, pk=user_id, enrolments__programme=quiz.lesson.course.programme_id)
    candidate = Candidate.objects.filter(quiz=quiz, user=user).first()
    form = ExtraForm(request.POST or None, candidate=candidate)
    if request.method == "POST" and form.is_valid():
        try:
            given = give_extra(quiz=quiz, user=user, actor=person_of(request), request=request, **form.cleaned_data)
        except InterventionError as refused:
            form.add_error(None, str(refused.message))
        else:
            messages.success(request, _("It is saved."))
            if given.deadline_after is not None:
                text = _("The open attempt ends %(when)s now.") % {"when": when(given.deadline_after)}
                messages.info(request, text)
            return HttpResponseRedirect(reverse("admin:assessments_quiz_running", args=(quiz.pk,)))
    context = {
        "title": _("Extra time and attempts"),
        "description": _(
            "More time holds for an open attempt at once, as far as the test is open; less time from the next one on."
        ),
        "person": user,
        "form": form,
        "button": _("Save"),
        "back": reverse("admin:assessments_quiz_running", args=(quiz.pk,)),
    }
    return _page(admin, request, quiz, "decide", context)


def _decide(
    admin: Any, request: HttpRequest, found: Attempt, asked: dict[str, Any], act: Callable[..., Attempt]
) -> HttpResponse:
    """GET asks once more and for a reason, POST does it."""
    back = reverse("admin:assessments_quiz_attempt", args=(found.pk,))
    form: Form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            reason = form.cleaned_data["reason"]
            act(attempt_id=found.pk, reason=reason, actor=person_of(request), request=request)
        except InterventionError as refused:
            messages.error(request, str(refused.message))
        else:
            messages.success(request, asked["told"])
        return HttpResponseRedirect(back)
    context = {**asked, "person": found.user, "attempt": found, "form": form, "back": back}
    return _page(admin, request, found.quiz, "decide", context)


def _page(admin: Any, request: HttpRequest, quiz: Quiz, name: str, context: dict[str, Any]) -> HttpResponse:
    shared = {**admin.admin_site.each_context(request), "opts": admin.opts, "quiz": quiz}
    return TemplateResponse(request, f"admin/assessments/quiz/{name}.html", {**shared, **context})


def _quiz(admin: Any, request: HttpRequest, quiz_id: int) -> Quiz:
    """404 for a foreign one, 403 for who works on the programme without running its tests."""
    quiz: Quiz = admin.object_or_404(request, str(quiz_id))
    if not admin.has_run_permission(request, quiz):
        raise PermissionDenied
    return quiz


def _attempt(admin: Any, request: HttpRequest, attempt_id: int) -> Attempt:
    found = Attempt.objects.select_related("user", "quiz__lesson__course__programme").filter(pk=attempt_id).first()
    if found is None:
        raise Http404
    _quiz(admin, request, found.quiz_id)
    return found
