"""The rules of xAPI 1.0.3 (part two, sections 2 and 4) and of the video profile, written down apart from the product.

What they are asked about is JSON as it came over the line.
"""

import re
from collections.abc import Iterator
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


def _video(statement: dict[str, Any]) -> Iterator[str]:
    context = statement.get("context", {})
    if VIDEO not in [one["id"] for one in context.get("contextActivities", {}).get("category", [])]:
        return
    verb = statement["verb"]["id"].rpartition("/")[2]
    extensions = statement.get("result", {}).get("extensions", {})
    if statement["object"]["definition"]["type"] != f"{VIDEO}/activity-type/video":
        yield "what is watched is a video"
    length = context["extensions"].get(f"{VIDEO}/extensions/length")
    if length is None:
        yield "the length is missing"
        return
    if verb == "initialized":
        return
    for name in ("time", "progress", "played-segments"):
        if f"{VIDEO}/extensions/{name}" not in extensions:
            yield f"{name} is missing"
            return
    if not 0 <= extensions[f"{VIDEO}/extensions/progress"] <= 1:
        yield "progress is out of bounds"
    if not 0 <= extensions[f"{VIDEO}/extensions/time"] <= length:
        yield "time is outside the video"
    if not SEGMENTS.fullmatch(extensions[f"{VIDEO}/extensions/played-segments"]):
        yield "segments are none"
    if verb == "completed" and statement["result"].get("completion") is not True:
        yield "completed without completion"
