"""Reads settings from the environment and reports every bad value at once."""

import base64
import os
from collections.abc import Sequence
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from django.conf.global_settings import LANGUAGES
from django.core.exceptions import ImproperlyConfigured

DEVELOPMENT_SECRET = "development-only-not-a-secret"  # noqa: S105  # refused wherever DEBUG is off
SEED_BYTES = 32
DEVELOPMENT_SEED = b"development-only-not-a-secret!!!"  # 32 bytes; what it signs proves nothing
HOW_TO_MAKE_A_SEED = "python3 -c 'import base64, secrets; print(base64.b64encode(secrets.token_bytes(32)).decode())'"
HOW_TO_MAKE = "python3 -c 'import secrets; print(secrets.token_urlsafe(64))'"


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

    def networks(self, name: str, default: Sequence[str]) -> list[str]:
        """In the notation of CIDR: 10.0.0.0/16."""
        given = self.words(name, default)
        for network in given:
            try:
                ip_network(network)
            except ValueError:
                self.problems.append(f"{name} must be networks like 10.0.0.0/16, not {network!r}")
        return given

    def languages(self, name: str, default: Sequence[str]) -> list[tuple[str, str]]:
        """Codes as Django writes them, in the order given; the first is the site's own."""
        given = dict.fromkeys(word.lower().replace("_", "-") for word in self.words(name, default))
        known = dict(LANGUAGES)
        if unknown := [code for code in given if code not in known]:
            self.problems.append(
                f"{name} must be codes of languages that Django knows (en, fr, pt-br …), not {', '.join(unknown)}"
            )
        return [(code, known[code]) for code in given if code in known] or [(code, known[code]) for code in default]

    def path(self, name: str, default: Path) -> Path:
        given = self.text(name)
        return Path(given).expanduser().resolve() if given else default

    def choice(self, name: str, choices: Sequence[str], default: str) -> str:
        given = self.text(name, default)
        if given not in choices:
            self.problems.append(f"{name} must be one of {', '.join(choices)}, not {given!r}")
            return default
        return given

    def url(self, name: str, *schemes: str) -> str:
        """A URL's text is never part of a problem: it may hold a password."""
        given = self.text(name)
        if given and urlsplit(given).scheme not in schemes:
            self.problems.append(f"{name} must start with {' or '.join(f'{scheme}://' for scheme in schemes)}")
            return ""
        return given

    def secret(self, name: str, value: str) -> None:
        """The rule of Django's own deployment check, plus the values people leave in templates."""
        weak = len(value) < 50 or len(set(value)) < 5 or value.startswith(("django-insecure-", DEVELOPMENT_SECRET))
        if not value:
            self.problems.append(f"{name} is missing; make one: {HOW_TO_MAKE}")
        elif weak or "changeme" in value.lower().replace("-", "").replace("_", ""):
            self.problems.append(f"{name} is a default or a weak value (50 random characters or more); {HOW_TO_MAKE}")

    def playback_key(self, name: str, value: str, *, needed: bool) -> None:
        if needed:
            self.require(name, value, "set the PEM of the private key (P-384) whose public half AWS IVS has")
        if value:
            from core.keys import p384_key  # cryptography takes a moment to load, which few need here

            try:
                p384_key(value)
            except ValueError as problem:
                self.problems.append(f"{name} is {problem}")

    def seeds(self, name: str) -> tuple[bytes, ...]:
        """Private keys of Ed25519: 32 bytes each, in base64. Their text is never part of a problem."""
        found = []
        for number, word in enumerate(self.words(name), 1):
            try:
                seed = base64.b64decode(word, altchars=b"-_", validate=True)
            except ValueError:
                seed = b""
            if len(seed) == SEED_BYTES:
                found.append(seed)
            else:
                self.problems.append(
                    f"{name}, key {number}, must be 32 bytes in base64; make one: {HOW_TO_MAKE_A_SEED}"
                )
        return tuple(found)

    def require(self, name: str, value: object, why: str) -> None:
        if not value:
            self.problems.append(f"{name} is missing: {why}")

    def raise_problems(self) -> None:
        if self.problems:
            lines = "".join(f"\n  - {problem}" for problem in self.problems)
            raise ImproperlyConfigured(
                f"The configuration cannot be used (docs/operating.md lists every variable):{lines}"
            )
