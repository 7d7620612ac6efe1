"""What a presenter sees while standing on the stage, read at one moment: stream, people, questions, time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from django_countries import countries

from accounts.models import User
from media.storages import grant_backend
from webinars.domain.broadcasts import current_broadcast, current_session
from webinars.domain.poll_results import all_polls
from webinars.domain.presence import People, people_in
from webinars.domain.question_lists import forwarded_questions
from webinars.domain.schedule import Schedule, schedule_of
from webinars.enums import IngestKind, PollState, QuestionState, StreamProblem, WebinarState
from webinars.models import Broadcast, PublishSession, StreamKey, StreamNotice, Webinar

SHOWN_COUNTRIES = 6
SHOWN_NOTICES = 4
NOTICE_LASTS = timedelta(minutes=10)
REPORT_LASTS = timedelta(seconds=8)  # a report comes every two seconds
BAD_RATE = frozenset({StreamProblem.BITRATE_TOO_HIGH, StreamProblem.BITRATE_LOW, StreamProblem.KEYFRAMES_RARE})
DROPPED_SHARE = 0.02
CODECS = {"avc1": "H.264", "mp4a": "AAC"}


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing about the stream: its value as text, and whether it is as it should be."""

    name: str
    value: str
    is_good: bool


@dataclass(frozen=True, slots=True)
class Step:
    """A line of the rehearsal's checklist. It ticks itself; `help` says what to do while it does not."""

    name: str
    help: str
    is_done: bool


@dataclass(frozen=True, slots=True)
class Notice:
    at: datetime
    problem: str
    detail: str
    what_to_do: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A row of a picture with its figure beside it."""

    label: str
    number: int
    most: int


@dataclass(frozen=True, slots=True)
class PollShown:
    question: str
    votes: int
    is_open: bool
    mean: float | None
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    schedule: Schedule
    now: datetime
    broadcast: Broadcast | None
    session: PublishSession | None
    figures: tuple[Figure, ...]
    steps: tuple[Step, ...]
    notices: tuple[Notice, ...]
    people: People
    countries: tuple[Bar, ...]
    waiting: tuple[dict[str, Any], ...]
    answered: tuple[dict[str, Any], ...]
    polls: tuple[PollShown, ...]

    @property
    def is_sending(self) -> bool:
        return self.session is not None

    @property
    def is_healthy(self) -> bool:
        return self.is_sending and all(figure.is_good for figure in self.figures)

    @property
    def is_live(self) -> bool:
        return self.schedule.state == WebinarState.LIVE

    @property
    def is_coming(self) -> bool:
        return self.schedule.state in {WebinarState.SCHEDULED, WebinarState.DOORS_OPEN}

    @property
    def is_over(self) -> bool:
        return not (self.is_live or self.is_coming)

    @property
    def seconds_left(self) -> int:
        """Until the planned end while it is live, until the start before; below zero when it is over time."""
        end = self.schedule.planned_end_at if self.is_live else self.schedule.starts_at
        return round((end - self.now).total_seconds()) if end else 0

    @property
    def seconds_over(self) -> int:
        return -self.seconds_left

    @property
    def live_seconds(self) -> int:
        return round((self.now - self.schedule.live_at).total_seconds()) if self.schedule.live_at else 0

    @property
    def source(self) -> str:
        """Where the picture that doctors get can be played; a grant for the broadcast's key opens it."""
        if self.broadcast is None or self.broadcast.epoch is None or self.broadcast.webinar.ingest == IngestKind.IVS:
            return ""
        return grant_backend().url(self.broadcast.key, "live/master.m3u8")


def key_of(*, webinar: Webinar, presenter: User) -> StreamKey | None:
    return StreamKey.objects.filter(webinar=webinar, presenter=presenter, revoked_at=None).first()


def read_stage(*, webinar: Webinar, presenter: User, seen: str, now: datetime) -> Stage:
    """`seen` is the key of the broadcast whose preview this browser has played. Some fifteen small queries."""
    session, broadcast = current_session(webinar.pk), current_broadcast(webinar.pk)
    health = session.health if session else {}
    is_fresh = session is not None and session.reported_at is not None and now - session.reported_at < REPORT_LASTS
    key = key_of(webinar=webinar, presenter=presenter)
    questions = [
        {**one, "country": str(countries.name(one["country"]))} for one in forwarded_questions(webinar=webinar)
    ]
    people = people_in(webinar.pk, now=now)
    return Stage(
        schedule=schedule_of(webinar, now=now),
        now=now,
        broadcast=broadcast,
        session=session,
        figures=figures_of(health) if is_fresh else (),
        steps=steps_of(
            health if is_fresh else {},
            has_key=key is not None,
            is_connected=session is not None,
            has_seen=broadcast is not None and seen == str(broadcast.key),
        ),
        notices=_notices(webinar, session, now=now),
        people=people,
        countries=_countries(people),
        waiting=tuple(one for one in questions if one["state"] == QuestionState.FORWARDED),
        answered=tuple(one for one in questions if one["state"] != QuestionState.FORWARDED),
        polls=tuple(_poll(one) for one in all_polls(webinar=webinar) if one["state"] != PollState.DRAFT),
    )


def figures_of(health: Mapping[str, Any]) -> tuple[Figure, ...]:
    """What `webinars.ingest.health.Meter` reported last, in a presenter's words."""
    said = {one.get("problem") for one in health.get("problems", ())}
    frames, dropped = health.get("frames") or 0, health.get("frames_dropped") or 0
    picture = f"{health.get('width') or '?'} × {health.get('height') or '?'}"
    age = health.get("key_frame_age")
    kbits = (health.get("video_kbits") or 0) + (health.get("audio_kbits") or 0)
    rate_is_good = not said & {StreamProblem.BITRATE_TOO_HIGH, StreamProblem.BITRATE_LOW}
    return (
        Figure(
            _("Picture"),
            f"{picture} · {codec_name(health.get('video_codec'))}" if has_picture(health) else _("None"),
            has_picture(health),
        ),
        Figure(
            _("Sound"), codec_name(health.get("audio_codec")) if has_sound(health) else _("None"), has_sound(health)
        ),
        Figure(_("Bitrate"), _("%(n)d kbit/s") % {"n": kbits}, rate_is_good),
        Figure(_("Frames a second"), f"{health.get('frame_rate') or 0:g}", (health.get("frame_rate") or 0) > 5),
        Figure(_("Lost frames"), f"{dropped} / {frames + dropped}", dropped <= frames * DROPPED_SHARE),
        Figure(
            _("Last key frame"),
            _("%(n)s s ago") % {"n": f"{age:g}"} if age is not None else _("None"),
            age is not None and StreamProblem.KEYFRAMES_RARE not in said,
        ),
    )


def codec_name(code: object) -> str:
    """As programs call it in their settings, not as streams do."""
    return CODECS.get(str(code), str(code))


def has_picture(health: Mapping[str, Any]) -> bool:
    said = {one.get("problem") for one in health.get("problems", ())}
    return bool(health.get("video_codec")) and not said & {StreamProblem.NO_VIDEO, StreamProblem.WRONG_VIDEO}


def has_sound(health: Mapping[str, Any]) -> bool:
    said = {one.get("problem") for one in health.get("problems", ())}
    return bool(health.get("audio_codec")) and not said & {StreamProblem.NO_SOUND, StreamProblem.WRONG_SOUND}


def steps_of(health: Mapping[str, Any], *, has_key: bool, is_connected: bool, has_seen: bool) -> tuple[Step, ...]:
    said = {one.get("problem") for one in health.get("problems", ())}
    rate = (health.get("video_kbits") or 0) > 0 and not said & BAD_RATE
    return (
        Step(_("Stream key made"), _("Press “Make a stream key” and copy it into your program."), has_key),
        Step(_("Program connected"), _("Press “Start streaming” in OBS, or “Go live on custom service” in Zoom."),
             is_connected),
        Step(_("Picture arrives"), _("Add your slides or your camera to the scene."), has_picture(health)),
        Step(_("Sound arrives"), _("Speak. If nothing happens, choose a microphone and look whether it is muted."),
             has_sound(health)),
        Step(_("The line is good"), _("Set 1500 to 2500 kbit/s and a key frame every 2 seconds. A cable beats Wi-Fi."),
             rate),
        Step(_("Seen as doctors see it"), _("Play the preview on this page for some seconds, with sound."), has_seen),
    )  # fmt: skip


def _notices(webinar: Webinar, session: PublishSession | None, *, now: datetime) -> tuple[Notice, ...]:
    """The latest of each kind; who is on air again need not read that the stream was interrupted before."""
    found = StreamNotice.objects.filter(Q(at__gte=now - NOTICE_LASTS), webinar=webinar).order_by("-at", "-pk")
    known: dict[str, StreamNotice] = {}
    for notice in found[:50]:
        over = session is not None and notice.at <= session.started_at
        if notice.problem not in known and not over:
            known[notice.problem] = notice
    return tuple(
        Notice(one.at, str(problem.label), one.detail, problem.what_to_do)
        for one in list(known.values())[:SHOWN_NOTICES]
        for problem in (StreamProblem(one.problem),)
    )


def _countries(people: People) -> tuple[Bar, ...]:
    """The largest by name; the rest together, so that the bars add up to everybody whose country is known."""
    ordered = list(people.countries.items())
    most = ordered[0][1] if ordered else 1
    bars = [Bar(str(countries.name(code)) or code, number, most) for code, number in ordered[:SHOWN_COUNTRIES]]
    if rest := ordered[SHOWN_COUNTRIES:]:
        number = sum(count for _code, count in rest)
        bars.append(Bar(_("%(n)d more countries") % {"n": len(rest)}, number, max(most, number)))
    return tuple(bars)


def _poll(poll: Mapping[str, Any]) -> PollShown:
    results = poll["results"]
    votes: int = results["votes"]
    most = max(votes, 1)
    options = {str(one["position"]): one["text"] for one in poll["options"]}
    if poll["kind"] == "scale":
        options = {str(step): str(step) for step in range(poll["scale_from"], poll["scale_to"] + 1)}
    bars = [Bar(text, results["counts"].get(position, 0), most) for position, text in options.items()]
    if poll["kind"] == "words":
        most = max(results["words"].values(), default=1)
        bars = [Bar(word, number, most) for word, number in list(results["words"].items())[:12]]
    return PollShown(poll["question"], votes, poll["state"] == PollState.OPEN, results["mean"], tuple(bars))
