"""The rules of xAPI 1.0.3 (part two, sections 2 and 4) and of the video profile, written down apart from the product.

What they are asked about is JSON as it came over the line.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

IRI = re.compile(r"[a-z][a-z0-9+.-]*:\S+")
DURATION = re.compile(r"P(?=.)(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?")
SEGMENTS = re.compile(r"(\d+(\.\d+)?\[\.\]\d+(\.\d+)?(\[,\]\d+(\.\d+)?\[\.\]\d+(\.\d+)?)*)?")
LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
TOP = {"id", "actor", "verb", "object", "result", "context", "timestamp"}
CONTEXT = {"registration", "contextActivities", "extensions", "language"}
RESULT = {"score", "success", "completion", "response", "duration", "extensions"}
VIDEO = "https://w3id.org/xapi/video"


def problems_of(statement: Any) -> list[str]:
    return list(_problems(statement))


def _problems(statement: Any) -> Iterator[str]:
    if not isinstance(statement, dict):
        yield "a statement is an object"
        return
    yield from _unknown(statement, TOP, "statement")
    yield from (
        f"{name} is missing" for name in ("id", "actor", "verb", "object", "timestamp") if name not in statement
    )
    if any(value is None for value in _everything(statement)):
        yield "null is no value"
    try:
        UUID(statement["id"])
    except (KeyError, ValueError):
        yield "id is no UUID"
    try:
        if datetime.fromisoformat(statement["timestamp"]).tzinfo is None:
            yield "timestamp without zone"
    except (KeyError, ValueError):
        yield "timestamp is no time"
    yield from _actor(statement.get("actor", {}))
    yield from _verb(statement.get("verb", {}))
    yield from _object(statement)
    yield from _result(statement.get("result", {}))
    yield from _context(statement.get("context", {}), statement)
    yield from _video(statement)


def _everything(value: Any) -> Iterator[Any]:
    yield value
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _everything(one)


def _unknown(value: dict[str, Any], known: set[str], what: str) -> Iterator[str]:
    yield from (f"{what} has an unknown {name}" for name in sorted(set(value) - known))


def _actor(actor: dict[str, Any]) -> Iterator[str]:
    yield from _unknown(actor, {"objectType", "account"}, "actor")  # and no name, no address
    account = actor.get("account", {})
    yield from _unknown(account, {"homePage", "name"}, "account")
    if not IRI.fullmatch(account.get("homePage", "")) or not account.get("name"):
        yield "an account has a home page and a name"


def _verb(verb: dict[str, Any]) -> Iterator[str]:
    yield from _unknown(verb, {"id", "display"}, "verb")
    if not IRI.fullmatch(verb.get("id", "")):
        yield "a verb has an identifier"
    yield from _languages(verb.get("display", {}))


def _languages(words: dict[str, Any]) -> Iterator[str]:
    for tag, text in words.items():
        if not LANGUAGE.fullmatch(tag) or not isinstance(text, str):
            yield f"{tag} is no language with text"


def _activity(thing: dict[str, Any]) -> Iterator[str]:
    yield from _unknown(thing, {"objectType", "id", "definition"}, "activity")
    if thing.get("objectType", "Activity") != "Activity" or not IRI.fullmatch(thing.get("id", "")):
        yield "an activity has an identifier"
    definition = thing.get("definition", {})
    yield from _unknown(definition, {"name", "description", "type", "moreInfo", "extensions"}, "definition")
    if "type" in definition and not IRI.fullmatch(definition["type"]):
        yield "a kind of activity is an identifier"
    yield from _languages(definition.get("name", {}))


def _object(statement: dict[str, Any]) -> Iterator[str]:
    thing = statement.get("object", {})
    if thing.get("objectType") != "StatementRef":
        yield from _activity(thing)
        return
    yield from _unknown(thing, {"objectType", "id"}, "reference")
    if statement["verb"]["id"] != "http://adlnet.gov/expapi/verbs/voided":
        yield "only what is taken back is referred to"
    UUID(thing["id"])


def _extensions(found: dict[str, Any]) -> Iterator[str]:
    yield from (f"the extension {name} is no identifier" for name in found if not IRI.fullmatch(name))


def _result(result: dict[str, Any]) -> Iterator[str]:
    yield from _unknown(result, RESULT, "result")
    yield from _extensions(result.get("extensions", {}))
    if not DURATION.fullmatch(result.get("duration", "PT0S")):
        yield "duration is none"
    score = result.get("score", {})
    yield from _unknown(score, {"scaled", "raw", "min", "max"}, "score")
    if not -1 <= score.get("scaled", 0) <= 1:
        yield "scaled is out of bounds"
    if "raw" in score and not score["min"] <= score["raw"] <= score["max"]:
        yield "raw is out of bounds"
    for name in ("success", "completion"):
        if not isinstance(result.get(name, True), bool):
            yield f"{name} is no truth"


def _context(context: dict[str, Any], statement: dict[str, Any]) -> Iterator[str]:
    yield from _unknown(context, CONTEXT, "context")
    yield from _extensions(context.get("extensions", {}))
    if "registration" in context:
        UUID(context["registration"])
    places = context.get("contextActivities", {})
    yield from _unknown(places, {"parent", "grouping", "category", "other"}, "places")
    for things in places.values():
        for thing in things:
            yield from _activity(thing)


# As `templates` of the profile and its section 2 have them: what is needed in the result and in the context.
NEEDED = {
    "initialized": ((), ("length", "completion-threshold", "session-id")),
    "paused": (("time", "progress", "played-segments"), ("length", "completion-threshold")),
    "completed": (("time", "progress", "played-segments"), ("length", "completion-threshold")),
    "terminated": (("time", "progress", "played-segments"), ("length", "completion-threshold", "session-id")),
}
OF_RESULT = {"time", "progress", "played-segments"}
OF_CONTEXT = {"length", "completion-threshold", "session-id"}
RANDOM_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def verb_of(statement: dict[str, Any]) -> str:
    return str(statement["verb"]["id"]).rpartition("/")[2]


def is_of_video(statement: dict[str, Any]) -> bool:
    places = statement.get("context", {}).get("contextActivities", {})
    return VIDEO in [one["id"] for one in places.get("category", [])]


def extensions_of(found: dict[str, Any]) -> dict[str, Any]:
    """Those of the profile, by their short names."""
    start = f"{VIDEO}/extensions/"
    return {name.removeprefix(start): value for name, value in found.get("extensions", {}).items() if start in name}


def _video(statement: dict[str, Any]) -> Iterator[str]:
    if not is_of_video(statement):
        return
    verb = verb_of(statement)
    result, context = extensions_of(statement.get("result", {})), extensions_of(statement["context"])
    if statement["object"]["definition"]["type"] != f"{VIDEO}/activity-type/video":
        yield "what is watched is a video"
    if verb not in NEEDED:
        yield f"{verb} is no verb of a video"
        return
    for found, needed, known in zip((result, context), NEEDED[verb], (OF_RESULT, OF_CONTEXT), strict=True):
        yield from (f"{name} is missing" for name in needed if name not in found)
        yield from _unknown(found, known, verb)
    yield from _numbers(result | context)
    if not RANDOM_UUID.fullmatch(context.get("session-id", "00000000-0000-4000-8000-000000000000")):
        yield "a session has an id by lot"
    completes = verb == "completed"
    if (statement.get("result", {}).get("completion") is True) != completes:
        yield "completion is of completed, and of nothing else"
    if completes and "duration" not in statement["result"]:
        yield "completed without duration"
    if "played-segments" in result and "length" in context:
        yield from _segments(result, context["length"])


def _numbers(found: dict[str, Any]) -> Iterator[str]:
    """Numbers with three decimals at most; shares from 0 to 1; words as words."""
    for name, value in found.items():
        if name in {"played-segments", "session-id"}:
            if not isinstance(value, str):
                yield f"{name} is no text"
        elif isinstance(value, bool) or not isinstance(value, int | float) or round(value, 3) != value or value < 0:
            yield f"{name} is no number with three decimals"
        elif name in {"progress", "completion-threshold"} and value > 1:
            yield f"{name} is more than all"


def _segments(result: dict[str, Any], length: float) -> Iterator[str]:
    text = result["played-segments"]
    if not isinstance(text, str) or not SEGMENTS.fullmatch(text):
        yield "segments are none"
        return
    parts = [tuple(map(float, part.split("[.]"))) for part in text.split("[,]") if part]
    if any(not 0 <= start < end <= length for start, end in parts):
        yield "a segment is outside the video"
    if abs(result["progress"] - sum(end - start for start, end in parts) / length) > 0.0006:
        yield "progress is not that of the segments"
    if result["time"] > length:
        yield "time is outside the video"


def problems_of_sessions(statements: Iterable[dict[str, Any]]) -> list[str]:
    """What the profile asks of all statements of one session; in the order in which they arrived."""
    sessions: dict[str, list[dict[str, Any]]] = {}
    for one in statements:
        if is_of_video(one) and (session := extensions_of(one["context"]).get("session-id")):
            sessions.setdefault(session, []).append(one)
    return [f"{session}: {problem}" for session, theirs in sessions.items() for problem in _session(session, theirs)]


def _session(session: str, theirs: list[dict[str, Any]]) -> Iterator[str]:
    verbs = [verb_of(one) for one in theirs]
    if [one["id"] for one in theirs if verb_of(one) == "initialized"] != [session]:
        yield "begins with one statement, whose id it has"
        return
    opened = theirs[verbs.index("initialized")]
    if any(one["timestamp"] < opened["timestamp"] for one in theirs):
        yield "something was before its beginning"
    if len({(str(one["actor"]), str(one["object"]["id"])) for one in theirs}) > 1:
        yield "is of one person and one video"
    if "terminated" not in verbs:
        return
    end = theirs[verbs.index("terminated")]
    if verbs.count("terminated") > 1 or any(one["timestamp"] > end["timestamp"] for one in theirs):
        yield "something was after its end"
    before = theirs[: verbs.index("terminated")]
    if not any(verb_of(one) == "paused" and one["result"] == end["result"] for one in before):
        yield "ends without a pause"
