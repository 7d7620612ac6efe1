"""What an event may say to whom. One place, so that nothing reaches an audience because a payload happened to grow."""

from collections.abc import Mapping
from typing import Any

from webinars.enums import Audience, EventKind

_ALL, _PRESENTERS, _MODERATORS, _PERSON = Audience.ALL, Audience.PRESENTERS, Audience.MODERATORS, Audience.PERSON
_QUESTION = (
    "id state text edited_text author is_anonymous is_priority merged_into claimed_by claimed_until answer_text"
    " is_answered_live answered_seconds asked_at asked_seconds votes version messages"
)
_FORWARDED = (
    "id text name country is_priority state answer_text is_answered_live merged_count version messages removed reworded"
)
_OWN = "id text state answer_text is_answered_live answered_seconds messages"
_PUBLISHED = "id text name answer_text is_answered_live answered_seconds votes removed reworded"
_POLL = "id kind question options most_choices scale_from scale_to state is_shown"
_RESULTS = "id votes counts words mean"

# The keys of the payload, by kind and audience. docs/protocol.md says what they mean.
SCHEMAS: dict[EventKind, dict[Audience, frozenset[str]]] = {
    kind: {audience: frozenset(keys.split()) for audience, keys in by_audience.items()}
    for kind, by_audience in {
        EventKind.STATE: {_ALL: "state"},
        EventKind.ANNOUNCEMENT: {_ALL: "id text"},
        EventKind.PINNED: {_ALL: "id title url removed"},
        EventKind.LANES: {_ALL: "", _PERSON: ""},
        EventKind.RESTRICTED: {_PERSON: "kind lifted", _MODERATORS: "user name kind lifted by"},
        EventKind.QUESTION: {_MODERATORS: _QUESTION},
        EventKind.FORWARDED: {_PRESENTERS: _FORWARDED},
        EventKind.OWN_QUESTION: {_PERSON: _OWN},
        EventKind.MESSAGE: {},
        EventKind.PUBLISHED: {_ALL: _PUBLISHED},
        EventKind.POLL: {_ALL: _POLL, _PRESENTERS: _POLL},
        EventKind.POLL_RESULTS: {_ALL: _RESULTS, _PRESENTERS: _RESULTS},
        EventKind.CHECK: {_ALL: "id title questions removed"},
        EventKind.SPOT_QUEUE: {_MODERATORS: "pending approved capacity"},
        EventKind.DESK: {_MODERATORS: "by did what"},
    }.items()
}


class PayloadError(ValueError):
    """A mistake of the caller, never of a person: the event is not posted, and its transaction is rolled back."""


def check_payload(*, kind: EventKind, audience: Audience, payload: Mapping[str, Any]) -> None:
    keys = SCHEMAS[kind].get(audience)
    if keys is None:
        raise PayloadError(f"Events of kind {kind.value} are not for {audience.value}; see webinars/domain/events.py")
    if set(payload) != keys:
        wrong = ", ".join(sorted(set(payload) ^ keys))
        raise PayloadError(f"{kind.value} for {audience.value}: {wrong} is missing or too much; see domain/events.py")
