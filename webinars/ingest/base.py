"""What every way of bringing a picture does. One file per kind; `CONTRIBUTING.md` lists the places to touch."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from webinars.enums import IngestKind

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

    from webinars.models import Webinar


class IngestError(Exception):
    """The service behind it does not answer, or refuses; the text is for staff."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a presenter needs to go on air. `server` and `key` are empty where the kind has none.

    `key` is filled only by kinds whose service shows it again; the built-in one shows it once, when it is made.
    """

    kind: IngestKind
    server: str = ""
    key: str = ""
    link: str = ""
    has_own_keys: bool = False
    steps: Sequence["str | StrPromise"] = ()
    settings: Sequence[tuple["str | StrPromise", "str | StrPromise"]] = ()


@dataclass(frozen=True, slots=True)
class StreamState:
    """Whether something arrives, as far as the kind knows. `is_known` is false where nobody can tell."""

    is_known: bool = True
    is_live: bool = False
    figures: dict[str, object] = field(default_factory=dict)


class Ingest(ABC):
    kind: IngestKind
    # Whether our own playlists are played, and our own segments become the recording.
    has_segments = False

    @abstractmethod
    def setup(self, webinar: "Webinar") -> Setup:
        """What the presenter's page shows. May ask a service; raises `IngestError`."""

    @abstractmethod
    def state(self, webinar: "Webinar") -> StreamState:
        """Whether the picture comes in now."""

    @abstractmethod
    def playback_url(self, webinar: "Webinar") -> str:
        """What the page plays or links to; empty where the broadcast's own playlists are played."""

    @abstractmethod
    def end(self, webinar: "Webinar") -> None:
        """The webinar is over: whoever still sends is cut off. Safe to repeat."""
