"""Reads settings from the environment and reports every bad value at once."""

import os
from collections.abc import Sequence
from pathlib import Path


class Environment:
    """Typed access to variables. Problems are collected; `raise_problems()` reports all of them together."""

    def __init__(self, values: dict[str, str] | None = None) -> None:
        self._values = dict(os.environ) if values is None else values
        self.problems: list[str] = []

    def text(self, name: str, default: str = "") -> str:
        return self._values.get(name, "").strip() or default

    def number(self, name: str, default: int, *, low: int = 0, high: int = 2**31) -> int:
        given = self.text(name)
        if not given:
            return default
        try:
            value = int(given)
        except ValueError:
            self.problems.append(f"{name} must be a whole number, not {given!r}")
            return default
        if not low <= value <= high:
            self.problems.append(f"{name} must be between {low} and {high}, not {value}")
            return default
        return value

    def flag(self, name: str, default: bool) -> bool:
        given = self.text(name).lower()
        if given in {"1", "true", "yes", "on"}:
            return True
        if given in {"0", "false", "no", "off"}:
            return False
        if given:
            self.problems.append(f"{name} must be true or false, not {given!r}")
        return default

    def words(self, name: str, default: Sequence[str] = ()) -> list[str]:
        given = self.text(name)
        return [word.strip() for word in given.split(",") if word.strip()] if given else list(default)

    def path(self, name: str, default: Path) -> Path:
        given = self.text(name)
        return Path(given).expanduser().resolve() if given else default

    def choice(self, name: str, choices: Sequence[str], default: str) -> str:
        given = self.text(name, default)
        if given not in choices:
            self.problems.append(f"{name} must be one of {', '.join(choices)}, not {given!r}")
            return default
        return given
