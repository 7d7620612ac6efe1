"""The form by which the key of a question is corrected: only what is right, and why. What doctors saw stays.

Each kind's folder has a `correcting.py` whose `CORRECTING` is one of these. Reading may give what the kind's `clean`
refuses: it is always called afterwards. Whoever changes nothing in a form changes nothing of the key.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar

from django.utils.translation import gettext as _

from assessments.enums import ItemKind
from assessments.items.base import Json
from core.richtext import as_typed, from_typed

Data = Mapping[str, Sequence[str]]
ONE, SEVERAL, LINE, TEXT = "one", "several", "line", "text"


@dataclass(frozen=True, slots=True)
class KeyField:
    """`shape`: one or several of `choices` (values with their words, which may be HTML), a line, or a longer text."""

    name: str
    label: str
    shape: str
    value: Any
    choices: Sequence[tuple[str, str]] = ()
    help: str = ""


class Correcting(ABC):
    kind: ClassVar[ItemKind]

    @abstractmethod
    def fields(self, *, shown: Json, key: Json) -> list[KeyField]: ...

    @abstractmethod
    def read(self, *, shown: Json, key: Json, data: Data) -> Json:
        """What of the key the form says anew. Raises ItemError."""

    def reasons(self, *, shown: Json, key: Json) -> list[tuple[str, str]]:
        """What may have a reason of its own: identifiers with their words (HTML)."""
        return []


def correcting_of(kind: str) -> Correcting | None:
    """None for a kind with nothing right or wrong."""
    if kind == ItemKind.VIGNETTE:
        return None
    found: Correcting = import_module(f"assessments.items.{ItemKind(kind).value}.correcting").CORRECTING
    return found


def explaining_fields(correcting: Correcting, *, shown: Json, key: Json) -> list[KeyField]:
    """Why it is right: doctors read it with their result, so it must not contradict the corrected key."""
    why = key.get("rationales", {})
    return [
        KeyField("rationale", _("Why it is right"), TEXT, as_typed(key.get("rationale", ""))),
        *(
            KeyField(f"why-{name}", _("Why: %(text)s") % {"text": label}, TEXT, as_typed(why.get(name, "")))
            for name, label in correcting.reasons(shown=shown, key=key)
        ),
        KeyField(
            "references", _("References"), TEXT, "\n".join(key.get("references", ())), help=_("One in each line.")
        ),
    ]


def read_key(correcting: Correcting, *, shown: Json, key: Json, data: Data) -> Json:
    """The whole key, the old one where the form says nothing. Raises ItemError."""
    reasons = correcting.reasons(shown=shown, key=key)
    why = key.get("rationales", {})
    given = {name: html_of(data, f"why-{name}", why.get(name, "")) for name, _label in reasons if f"why-{name}" in data}
    explained: Json = {"rationales": {**why, **given}}
    if "rationale" in data:
        explained["rationale"] = html_of(data, "rationale", key.get("rationale", ""))
    if "references" in data:
        explained["references"] = lines_of(data, "references")
    return {**key, **explained, **correcting.read(shown=shown, key=key, data=data)}


def one_of(data: Data, name: str) -> str:
    return next(iter(data.get(name, ())), "").strip()


def html_of(data: Data, name: str, old: str) -> str:
    """Of a typed text; exactly what it was where nobody has touched it."""
    text = "\n".join(one_of(data, name).splitlines())
    return old if text == as_typed(old).strip() else from_typed(text)


def many_of(data: Data, name: str) -> list[str]:
    return list(data.get(name, ()))


def lines_of(data: Data, name: str) -> list[str]:
    return [line.strip() for line in one_of(data, name).splitlines() if line.strip()]


def rule_field(value: str, words: Mapping[str, str]) -> KeyField:
    return KeyField("rule", _("How it is marked"), ONE, value, choices=list(words.items()))
