"""The presenter's page. It works by reloading; with JavaScript its parts are fetched again when something happens."""

from collections.abc import Callable
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from core.clock import now
from media.domain.grants import issue_key
from webinars.domain import checks, schedule, stream_keys
from webinars.domain.answers import answer_live_on_stage
from webinars.domain.broadcasts import RehearsalError, set_rehearsal
from webinars.domain.lanes import LaneError
from webinars.domain.questions import QuestionError
from webinars.domain.room_state import last_number
from webinars.domain.scheduling import set_takeover
from webinars.domain.stage import Stage, key_of, read_stage
from webinars.ingest import ingest_for
from webinars.ingest.base import IngestError, Setup
from webinars.models import Webinar
from webinars.rules import get_presented_webinar
from webinars.views.stages import DeviceRequest

PARTS = {name: f"webinars/stage/_{name}.html" for name in ("top", "side", "choices", "checks", "checks_desk")}
SEEN = "stage_seen"  # in the session: of which broadcast this browser has played the preview
REFUSALS = (
    checks.CheckError,
    schedule.ScheduleError,
    stream_keys.StreamKeyError,
    RehearsalError,
    QuestionError,
    LaneError,
)


class Done(NamedTuple):
    """What a button did: words for the page, and a new stream key where one was made."""

    text: str = ""
    raw_key: str = ""


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def stage(request: DeviceRequest, webinar_id: int) -> HttpResponse:
    """`X-Fragment` with `?part=` asks for one part of the page, after a POST too."""
    webinar = get_presented_webinar(request.user, webinar_id)
    done = _act(request, webinar) if request.method == "POST" else Done()
    is_fragment = bool(request.headers.get("X-Fragment"))
    if request.method == "POST" and not done.raw_key and not is_fragment:
        return redirect("webinars:stage", webinar.pk)
    board = _board(request, webinar)
    part = request.GET.get("part", "")
    context = {"webinar": webinar, "stage": board, "raw_key": done.raw_key, "said": done.text}
    if not is_fragment or part in {"checks", "checks_desk"}:
        context |= _checks(webinar, board) | {"checks_said": done.text if is_fragment else ""}
    if is_fragment:
        return _granted(render(request, PARTS.get(part, PARTS["top"]), context), request, board)
    context |= _setup(webinar) | {
        "key": key_of(webinar=webinar, presenter=request.user),
        "number": last_number(webinar.pk),
        "refresh_seconds": 0 if done.raw_key else 30,
    }
    return _granted(render(request, "webinars/stage/page.html", context), request, board)


def _board(request: DeviceRequest, webinar: Webinar) -> Stage:
    """Read anew: a button may just have changed it."""
    fresh = Webinar.objects.select_related("video", "lesson__course__programme").get(pk=webinar.pk)
    webinar.allows_takeover, webinar.is_rehearsal = fresh.allows_takeover, fresh.is_rehearsal
    return read_stage(webinar=fresh, presenter=request.user, seen=request.session.get(SEEN, ""), now=now())


def _checks(webinar: Webinar, board: Stage) -> dict[str, Any]:
    found = checks.stage_checks(webinar=webinar)
    return {
        "checks": found,
        "checks_run": any(one.is_running for one in found),
        "check_is_open": any(one.is_open for one in found),
        "room_is_open": board.schedule.state in checks.ROOM_IS_OPEN,
    }


def _setup(webinar: Webinar) -> dict[str, Any]:
    """A service that does not answer is said on the page; the rest of the page still works."""
    ingest = ingest_for(webinar.ingest)
    try:
        return {"setup": ingest.setup(webinar)}
    except IngestError as failed:
        return {"setup": Setup(kind=ingest.kind), "setup_problem": str(failed)}


def _granted(response: HttpResponse, request: DeviceRequest, board: Stage) -> HttpResponse:
    """For as long as doctors get it; every refresh of a part renews it."""
    if board.broadcast is not None and board.source:
        seconds = settings.LIVE_GRANT_SECONDS
        device, user = request.device, request.user
        key = board.broadcast.key
        issue_key(response, key=key, user_id=user.pk, device_id=device.pk, seconds=seconds, now=now())
    return response


def _act(request: DeviceRequest, webinar: Webinar) -> Done:
    """What was done, or why not, stands on the page that comes back, whichever way it comes."""
    work = MOVES.get(request.POST.get("do", ""))
    if work is None:
        return Done()
    is_fragment = bool(request.headers.get("X-Fragment"))
    try:
        done = work(request, webinar)
    except REFUSALS as refused:
        if not is_fragment:
            messages.error(request, str(refused.message))
        return Done(str(refused.message))
    if done.text and not done.raw_key and not is_fragment:
        messages.success(request, done.text)
    return done


def _given(request: DeviceRequest) -> dict[str, Any]:
    return {"actor": request.user, "request": request, "now": now()}


def _make_key(request: DeviceRequest, webinar: Webinar) -> Done:
    _made, raw = stream_keys.make_key(webinar=webinar, presenter=request.user, **_given(request))
    return Done(_("This is your new key. It is shown only now."), raw)


def _revoke_key(request: DeviceRequest, webinar: Webinar) -> Done:
    key = key_of(webinar=webinar, presenter=request.user)
    if key is not None:
        stream_keys.revoke_key(key=key, **_given(request))
    return Done(_("The key is withdrawn. A program that uses it is cut off."))


def _go_live(request: DeviceRequest, webinar: Webinar) -> Done:
    schedule.go_live(webinar_id=webinar.pk, **_given(request))
    return Done(_("You are live."))


def _end(request: DeviceRequest, webinar: Webinar) -> Done:
    schedule.end_webinar(webinar_id=webinar.pk, **_given(request))
    return Done(_("The webinar has ended. Thank you!"))


def _rehearse(request: DeviceRequest, webinar: Webinar) -> Done:
    on = request.POST.get("on") == "1"
    set_rehearsal(webinar_id=webinar.pk, on=on, **_given(request))
    return Done(_("The rehearsal is on: only you and the team see it.") if on else _("The rehearsal is over."))


def _takeover(request: DeviceRequest, webinar: Webinar) -> Done:
    on = request.POST.get("on") == "1"
    set_takeover(webinar_id=webinar.pk, on=on, **_given(request))
    return Done(_("A second stream takes over from the first.") if on else _("A second stream is refused."))


def _answer(request: DeviceRequest, webinar: Webinar) -> Done:
    answer_live_on_stage(webinar=webinar, question_id=_number(request, "question"), actor=request.user, now=now())
    return Done(_("Marked as answered."))


def _check_open(request: DeviceRequest, webinar: Webinar) -> Done:
    checks.open_check(webinar=webinar, lesson_id=_number(request, "check"), **_given(request))
    return Done(_("The check is open for everybody."))


def _check_close(request: DeviceRequest, webinar: Webinar) -> Done:
    checks.close_check(webinar=webinar, lesson_id=_number(request, "check"), **_given(request))
    return Done(_("The check is closed."))


def _number(request: DeviceRequest, name: str) -> int:
    number = request.POST.get(name, "")
    return int(number) if number.isdecimal() and len(number) < 18 else 0


def _seen(request: DeviceRequest, webinar: Webinar) -> Done:
    board = _board(request, webinar)
    if board.broadcast is not None:
        request.session[SEEN] = str(board.broadcast.key)
    return Done()


MOVES: dict[str, Callable[[DeviceRequest, Webinar], Done]] = {
    "key": _make_key,
    "revoke": _revoke_key,
    "live": _go_live,
    "end": _end,
    "rehearse": _rehearse,
    "takeover": _takeover,
    "answer": _answer,
    "check-open": _check_open,
    "check-close": _check_close,
    "seen": _seen,
}
