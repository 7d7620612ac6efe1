"""Whether the database holds what was acknowledged: the crowd's journals against the rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Verdict:
    """Nothing lost and nothing twice is `is_clean`."""

    acked_beats: int = 0
    lost_acks: int = 0
    ok_questions: int = 0
    lost_questions: int = 0
    unexpected_questions: int = 0  # in the database although the site had said no
    ok_votes: int = 0
    lost_votes: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.lost_acks or self.lost_questions or self.unexpected_questions or self.lost_votes)


def verify(journals: Sequence[Path | str], *, dsn: str, webinar_id: int) -> Verdict:
    """`dsn`: of the database that the site writes to, or of a copy made after the crowd had gone."""
    raise NotImplementedError
