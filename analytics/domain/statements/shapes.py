"""The shapes of statements: xAPI 1.0.3, the video profile 1.0, and verbs and kinds of activities of cmi5.

No statement here carries the category of cmi5: that is for what a launched unit says, with the session of a launch.
Identifiers of activities lie under the home page; they name things, and need not lead anywhere.
"""

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from analytics.enums import StatementVerb
from core.ranges import Ranges, seconds
from webinars.enums import Phase

Json = dict[str, Any]
VERBS = {
    StatementVerb.INITIALIZED: "http://adlnet.gov/expapi/verbs/initialized",
    StatementVerb.PAUSED: "https://w3id.org/xapi/video/verbs/paused",
    StatementVerb.TERMINATED: "http://adlnet.gov/expapi/verbs/terminated",
    StatementVerb.COMPLETED: "http://adlnet.gov/expapi/verbs/completed",
    StatementVerb.PASSED: "http://adlnet.gov/expapi/verbs/passed",
    StatementVerb.FAILED: "http://adlnet.gov/expapi/verbs/failed",
    StatementVerb.SCORED: "http://adlnet.gov/expapi/verbs/scored",
    StatementVerb.SATISFIED: "https://w3id.org/xapi/adl/verbs/satisfied",
    StatementVerb.EARNED: "http://id.tincanapi.com/verb/earned",
    StatementVerb.VOIDED: "http://adlnet.gov/expapi/verbs/voided",
}
VIDEO = "https://w3id.org/xapi/video"
EXTENSION = f"{VIDEO}/extensions/"
VIDEO_CATEGORY: Json = {
    "objectType": "Activity",
    "id": VIDEO,
    "definition": {"type": "http://adlnet.gov/expapi/activities/profile"},
}
PROGRAMME = "https://w3id.org/xapi/cmi5/activitytype/course"
COURSE = "https://w3id.org/xapi/cmi5/activitytype/block"
LESSON = "http://adlnet.gov/expapi/activities/lesson"
TEST = "http://adlnet.gov/expapi/activities/assessment"
CREDIT = "http://id.tincanapi.com/activitytype/reward"


def activity(home: str, path: str, *, kind: str, name: str, language: str) -> Json:
    """`path` names it for ever: `webinars/12/live`."""
    definition = {"type": kind, "name": {language: name}}
    return {"objectType": "Activity", "id": f"{home}/xapi/{path}", "definition": definition}


def reference(home: str, path: str) -> Json:
    return {"objectType": "Activity", "id": f"{home}/xapi/{path}"}


def video(home: str, *, webinar_id: int, phase: str, name: str, language: str) -> Json:
    """The live event and its recording are two activities, as they are for those who accredit them."""
    of_phase = "live" if phase == Phase.LIVE else "recording"
    return activity(home, f"webinars/{webinar_id}/{of_phase}", kind=f"{VIDEO}/activity-type/video", name=name,
                    language=language)  # fmt: skip


def said(
    verb: StatementVerb,
    thing: Json,
    *,
    parents: Iterable[Json] = (),
    groups: Iterable[Json] = (),
    result: Json | None = None,
    more: Json | None = None,
    is_video: bool = False,
) -> Json:
    """`more`: extensions of the context, by their whole identifiers."""
    places: Json = {}
    for key, found in (("parent", list(parents)), ("grouping", list(groups))):
        if found:
            places[key] = found
    if is_video:
        places["category"] = [VIDEO_CATEGORY]
    context: Json = {}
    if places:
        context["contextActivities"] = places
    if more:
        context["extensions"] = more
    body: Json = {"verb": _verb(verb), "object": thing}
    if result:
        body["result"] = result
    if context:
        body["context"] = context
    return body


def taken_back(statement_id: uuid.UUID) -> Json:
    return {
        "verb": _verb(StatementVerb.VOIDED),
        "object": {"objectType": "StatementRef", "id": str(statement_id)},
    }


def sent_as(
    body: Json, *, statement_id: uuid.UUID, happened_at: datetime, home: str, pseudonym: uuid.UUID, programme_id: int
) -> Json:
    """Whole: who, when, and the registration, which is one for a person in a programme and follows from both."""
    registration = uuid.uuid5(pseudonym, f"{home}/xapi/programmes/{programme_id}")
    actor = {"objectType": "Agent", "account": {"homePage": home, "name": str(pseudonym)}}
    return body | {
        "id": str(statement_id),
        "actor": actor,
        "timestamp": happened_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "context": body.get("context", {}) | {"registration": str(registration)},
    }


def watched(segments: Ranges, *, length: int, position: float) -> Json:
    """What the video profile says of how far somebody is; seconds of what is shown."""
    return {
        f"{EXTENSION}time": round(min(max(position, 0.0), float(length)), 3),
        f"{EXTENSION}progress": round(min(seconds(segments), length) / length, 3) if length else 0.0,
        f"{EXTENSION}played-segments": played_segments(segments),
    }


def played_segments(segments: Ranges) -> str:
    """In the notation of the video profile: 0[.]12[,]30[.]45."""
    return "[,]".join(f"{start}[.]{end}" for start, end in segments)


def as_shown(ranges: Ranges, shown: Ranges | None) -> Ranges:
    """Seconds of an uncut recording as those of the version that shows these parts of it; without cuts, themselves."""
    if shown is None:
        return ranges
    found: list[tuple[int, int]] = []
    before = 0
    for low, high in shown:
        for start, end in ranges:
            begin, stop = max(start, low) - low + before, min(end, high) - low + before
            if begin >= stop:
                continue
            if found and found[-1][1] == begin:
                begin = found.pop()[0]
            found.append((begin, stop))
        before += high - low
    return tuple(found)


def point_as_shown(point: float, shown: Ranges) -> float:
    """The same of one moment; one that was cut out is where the picture goes on."""
    before = 0
    for low, high in shown:
        if point < high:
            return before + max(0.0, point - low)
        before += high - low
    return float(before)


def score(points: Decimal, most: Decimal) -> Json:
    """`scaled` is needed where something may be compared; points below 0 are none (`Attempt.score`)."""
    scaled = float(round(points / most, 4)) if most else 1.0
    return {"scaled": min(scaled, 1.0), "raw": float(points), "min": 0, "max": float(most)}


def duration(whole_seconds: int) -> str:
    return f"PT{max(whole_seconds, 0)}S"


def _verb(verb: StatementVerb) -> Json:
    return {"id": VERBS[verb], "display": {"en": verb.value}}
