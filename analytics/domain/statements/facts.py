"""What there is to tell of one row of the domain."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from analytics.enums import StatementVerb

# Of this product, made once; names below it are those of `name_of`.
NAMESPACE = uuid.UUID("6b1f9a3e-52c7-5d0b-9d4c-8f6f2b0c7e11")


@dataclass(frozen=True, slots=True)
class Fact:
    """`source` and `edition` name it. Where it `replaces`, one source has one statement that holds: a later edition
    takes the one before back, and no `verb` means that nothing holds any more. `statement_id`: where it has one of its
    own; the others' are made from their names.
    """

    source: str
    user_id: int
    programme_id: int
    happened_at: datetime
    verb: StatementVerb | None
    edition: str = ""
    body: dict[str, Any] = field(default_factory=dict)
    replaces: bool = False
    statement_id: uuid.UUID | None = None


def id_of(*, home: str, source: str, edition: str = "", number: int = 0) -> uuid.UUID:
    """The same on every replica and every time. `number`: how many the source had before, of those that replace."""
    return uuid.uuid5(NAMESPACE, "\n".join((home, source, edition, str(number))))
