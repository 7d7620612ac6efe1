"""The page of a webinar through all its states, and the little frame that serves browsers without JavaScript."""

from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from accounts.models import User
from core import clock
from courses.domain.credited import credit_page_of
from courses.domain.gates import gate_of
from media.domain.grants import issue, issue_key
from webinars.domain import visits
from webinars.domain.chapters import chapters_of
from webinars.domain.checks import ShownCheck, shown_checks
from webinars.domain.course_page import follow_up_of
from webinars.domain.live_source import LiveSource
from webinars.domain.registrations import has_place, places_of
from webinars.domain.room_page import RoomPage, program_seconds, read_room_page, reason_of_cancelling
from webinars.domain.room_state import last_number
from webinars.domain.timelines import recording_map
from webinars.enums import Phase
from webinars.rules import get_webinar_for
from webinars.views.stages import DeviceRequest, Look, Stage, look

SPEEDS = (0.75, 1, 1.25, 1.5, 1.75, 2)
# Well inside the shortest grant: a page that comes back a little late still finds the old one valid.
KEEP_ALIVE_SHARE = 0.4
# Beats that another lecture left over are delivered from here too: the player puts the number in.
PLAYER_URLS = {"beats": "/api/v1/webinars/{webinar}/beats/", "playback": "/api/v1/webinars/{webinar}/playback/"}
DATES = ("doors_open_at", "starts_at", "planned_end_at", "live_at", "ended_at")
WITH_CHECKS = frozenset({Stage.DOORS, Stage.ELSEWHERE, Stage.LIVE, Stage.RECORDED})
ABOUT_PLACES = frozenset({Stage.SCHEDULED, Stage.REGISTER, Stage.DOORS, Stage.ELSEWHERE})
TEMPLATES = {
    Stage.NOT_NOW: "webinars/not_now.html",
    Stage.RECORDED: "webinars/watch.html",
    Stage.SCHEDULED: "webinars/live/scheduled.html",
    Stage.REGISTER: "webinars/live/scheduled.html",
    Stage.CANCELLED: "webinars/live/cancelled.html",
    Stage.REMOVED: "webinars/live/removed.html",
    Stage.DOORS: "webinars/live/doors.html",
    Stage.ELSEWHERE: "webinars/live/elsewhere.html",
    Stage.LIVE: "webinars/live/live.html",
    Stage.ENDED: "webinars/live/ended.html",
}


@require_safe
@login_required
def watch(request: DeviceRequest, webinar_id: int) -> HttpResponse:
    """One address for all states. Open pages fetch it again when the state changes, and take the parts they need."""
    found = look(request, get_webinar_for(request.user, webinar_id), now=clock.now())
    if found.starts_here and (first := gate_of(lesson=found.webinar.lesson, user=request.user, is_live=found.is_now)):
        return redirect(first)
    response = render(request, TEMPLATES[found.stage], context_of(request, found))
    return with_grant(response, request, found)


@require_safe
@login_required
@xframe_options_sameorigin
def keep_alive(request: DeviceRequest, webinar_id: int) -> HttpResponse:
    """A frame of the page for browsers without JavaScript: by reloading it renews the grant, or the visit elsewhere."""
    found = look(request, get_webinar_for(request.user, webinar_id), now=clock.now())
    if found.stage is Stage.ELSEWHERE:
        visits.keep(webinar=found.webinar, user=request.user, now=found.now)
    elif found.stage not in {Stage.RECORDED, Stage.LIVE} and request.GET.get("stage") != Stage.LIVE:
        raise Http404
    seconds = settings.MEDIA_GRANT_SECONDS if found.stage is Stage.RECORDED else settings.LIVE_GRANT_SECONDS
    context = {"refresh_seconds": int(seconds * KEEP_ALIVE_SHARE), "found": found, "webinar": found.webinar}
    context["was_live"] = request.GET.get("stage") == Stage.LIVE
    return with_grant(render(request, "webinars/keep_alive.html", context), request, found)


def context_of(request: DeviceRequest, found: Look) -> dict[str, Any]:
    webinar = found.webinar
    context: dict[str, Any] = {
        "found": found,
        "webinar": webinar,
        "page": found.page,
        "may_preview": found.ahead,
        "presenters": [person.get_full_name() for person in webinar.presenters.all()],
        "schedule": found.schedule,
        "state": found.schedule.state.value,
        "planned_seconds": webinar.planned_minutes * 60,
    }
    context |= room_context(request.user, found) | stage_context(request.user, found)
    if found.stage in {Stage.RECORDED, Stage.LIVE}:
        player = player_settings(request, found)
        context |= {"sources": found.sources, "speeds": SPEEDS, "mark": mark_of(request.user), "player": player}
        context["start_at"] = found.page.resume_at if player["start"] is None else player["start"]
        context["is_signed"] = found.live is not None and found.live.place is not None
    if found.stage in {Stage.RECORDED, Stage.ENDED}:
        context["follow_up"] = follow_up_of(found.page)
    if found.stage is Stage.RECORDED and not found.page.is_preview:  # where a room of thousands ends it is not asked
        context["credit_url"] = credit_page_of(lesson=webinar.lesson)
    context["held"] = held_context(found)
    context["live"] = page_settings(request, found, context.get("room"))
    return context


def room_context(user: User, found: Look) -> dict[str, Any]:
    if not found.has_room:
        return {}
    room = read_room_page(webinar=found.webinar, user=user, part=found.part, now=found.now)
    return {"room": room, "room_settings": room.as_settings(), "keys": (uuid4(), uuid4())}


def held_context(found: Look) -> list[ShownCheck] | None:
    """Checks within the webinar, None where this page has no place for them."""
    if found.stage not in WITH_CHECKS:
        return None
    lessons = [one.lesson for one in found.page.lessons]
    done = {one.lesson.pk for one in found.page.lessons if one.completed_at}
    return shown_checks(webinar=found.webinar, lessons=lessons, completed_lesson_ids=done, now=found.now)


def stage_context(user: User, found: Look) -> dict[str, Any]:
    """What one stage shows and the others do not."""
    webinar = found.webinar
    if found.stage in ABOUT_PLACES:
        return {"places": places_of(webinar=webinar, user=user, now=found.now)}
    if found.stage is Stage.CANCELLED:
        return {"reason": reason_of_cancelling(webinar)}
    if found.stage is Stage.ENDED:
        return {"program_seconds": program_seconds(webinar)}
    if found.stage is Stage.RECORDED and webinar.starts_at is not None:
        return {"chapters": chapters_of(webinar.pk, recording_map(webinar))}
    return {}


def with_grant(response: HttpResponse, request: DeviceRequest, found: Look) -> HttpResponse:
    whose: dict[str, Any] = {"user_id": request.user.pk, "device_id": request.device.pk, "now": clock.now()}
    if found.live is not None:
        issue_key(response, key=found.live.key, seconds=settings.LIVE_GRANT_SECONDS, **whose)
    elif found.stage is Stage.RECORDED and found.webinar.video:
        issue(response, video=found.webinar.video, **whose)
    return response


def mark_of(user: User) -> str:
    """What moves over the picture: enough to find the person who filmed the screen."""
    number = " ".join(part for part in (user.medical_council, user.registration_number) if part)
    return f"{user.get_full_name()} · {number or user.email}"


def grant_seconds(live: LiveSource | None) -> int:
    """What the page itself came with. At AWS that is nothing: the play session brings an address for this moment."""
    if live is None:
        return settings.MEDIA_GRANT_SECONDS
    return 0 if live.place else settings.LIVE_GRANT_SECONDS


def asked_start(request: DeviceRequest, found: Look) -> int | None:
    """`?at=` seconds into a recording, as other pages link to a place in it. It moves nobody's place to continue."""
    text = request.GET.get("at", "")
    if found.stage is not Stage.RECORDED or not (text.isascii() and text.isdigit() and len(text) < 7):
        return None
    return int(text) if int(text) < found.page.watched.length else None


def player_settings(request: DeviceRequest, found: Look) -> dict[str, Any]:
    """Everything the player needs, so that it asks for nothing before the first play. Live seconds are program time."""
    webinar, page, live = found.webinar, found.page, found.live
    video, watched = webinar.video, page.watched
    return {
        "webinar": webinar.pk,
        "user": str(request.user.pk),
        "csrf": get_token(request),
        "phase": Phase.LIVE if live else Phase.ON_DEMAND,
        "epoch": live.epoch.isoformat() if live else None,
        "version": video.published_version if video and not live else "",
        "duration": video.duration_seconds if video and not live else 0,
        "position": watched.live_position if live else page.resume_at,
        "start": asked_start(request, found),
        "coverage": watched.live_coverage if live else watched.coverage,
        "required": watched.required,
        "is_done": page.current.completed_at is not None,
        "grant_seconds": grant_seconds(live),
        "sources": {name: getattr(found.sources, name) for name in ("hls", "mp4", "audio", "poster", "sprite")},
        "urls": PLAYER_URLS
        | {
            "sessions": f"/api/v1/webinars/{webinar.pk}/play-sessions/",
            "keep_alive": reverse("webinars:keep_alive", args=[webinar.pk]),
        },
    }


def number_of(found: Look, room: RoomPage | None) -> int:
    """From where the page follows. A page without a room shows nothing of what was said, and needs none of it again."""
    if room is not None:
        return room.number
    return last_number(found.webinar.pk) if found.follows else 0


def page_settings(request: DeviceRequest, found: Look, room: RoomPage | None) -> dict[str, Any]:
    """What the page follows. A recorded lecture has no room: nothing about it changes by itself."""
    webinar, schedule = found.webinar, found.schedule
    api = f"/api/v1/webinars/{webinar.pk}"
    return {
        "webinar": webinar.pk,
        "lesson": webinar.lesson_id,
        "csrf": get_token(request),
        "state": schedule.state.value,
        "stage": found.stage.value,
        "schedule": {name: at.isoformat() if (at := getattr(schedule, name)) else None for name in DATES},
        "now": found.now.isoformat(),
        "number": number_of(found, room),
        "has_place": has_place(webinar=webinar, user=request.user, part=found.part),
        "follows": found.follows,
        "urls": {
            "socket": f"/ws/webinars/{webinar.pk}/",
            "events": f"{api}/events/",
            "questions": f"{api}/questions/",
            "polls": f"{api}/polls/",
            "sign_in": reverse("account_login"),
            "keep_alive": reverse("webinars:keep_alive", args=[webinar.pk]),
        },
    }
