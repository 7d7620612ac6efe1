"""Polls for templates: what can be chosen, and results as bars. js/live/polls.js draws the same figures."""

from typing import Any

from django import template

from webinars.enums import PollKind

register = template.Library()
MOST_FIELDS = 5  # for words; whoever has more of them writes them one after the other


@register.filter
def poll_choices(poll: dict[str, Any]) -> list[dict[str, Any]]:
    chosen = (poll["mine"] or {}).get("choices", ())
    return [{"value": value, "text": text, "chosen": value in chosen} for value, text in _texts(poll)]


@register.filter
def poll_words(poll: dict[str, Any]) -> list[str]:
    """One for each field, empty where nothing was said yet."""
    if poll["kind"] != PollKind.WORDS:
        return []
    said = list((poll["mine"] or {}).get("words", ()))
    fields = min(MOST_FIELDS, poll["most_choices"])
    return [*said, *[""] * (fields - len(said))][: max(fields, len(said))]


@register.filter
def poll_rows(poll: dict[str, Any]) -> list[dict[str, Any]]:
    results = poll["results"]
    counts = results["words"] if poll["kind"] == PollKind.WORDS else results["counts"]
    texts = [(word, word) for word in counts] if poll["kind"] == PollKind.WORDS else _texts(poll)
    total = max(1, results["votes"])
    rows = [{"text": text, "count": counts.get(str(value), 0)} for value, text in texts]
    return [{**row, "percent": round(row["count"] * 100 / total)} for row in rows]


def _texts(poll: dict[str, Any]) -> list[tuple[Any, Any]]:
    if poll["kind"] == PollKind.SCALE:
        return [(step, step) for step in range(poll["scale_from"], poll["scale_to"] + 1)]
    if poll["kind"] == PollKind.WORDS:
        return []
    return [(one["position"], one["text"]) for one in poll["options"]]
