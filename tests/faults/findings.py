"""What the checkers say, in one form."""

from dataclasses import dataclass
from typing import Any

import psycopg

Database = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class Finding:
    kind: str
    token: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind} {self.token}: {self.text}"
