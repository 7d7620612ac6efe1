"""What the product says about itself, for comparing the infrastructure's files with it."""

import atexit
import functools
import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
# From an empty environment for each: what is not given is not there. What the settings import is read once.
RUNNER = """
import json, os, runpy, sys
from django.core.exceptions import ImproperlyConfigured
for line in sys.stdin:
    answers = []
    for values in json.loads(line):
        os.environ.clear()
        os.environ.update(values)
        try:
            runpy.run_path("lms/settings.py")
        except ImproperlyConfigured as error:
            answers.append(str(error))
        else:
            answers.append("")
    print(json.dumps(answers), flush=True)
"""
SECRETS = {
    "SECRET_KEY": "kX9-aB7_" * 8,
    "SECRET_KEY_FALLBACKS": "",
    "CERTIFICATE_KEYS": "",
    "DATABASE_URL": "postgresql://rounds:p%2Fw@db.internal:5432/rounds?sslmode=verify-full",
    "REDIS_URL": "rediss://:token@cache.internal:6379/0?ssl_cert_reqs=required",
    "MEDIA_CLOUDFRONT_PRIVATE_KEY": "-----BEGIN RSA PRIVATE KEY-----",
    "LIVE_IVS_PLAYBACK_PRIVATE_KEY": "",
    "EMAIL_HOST_USER": "user",
    "EMAIL_HOST_PASSWORD": "password",
    # Of who carries messages: empty without that provider.
    "SENDGRID_API_KEY": "",
    "SENDGRID_WEBHOOK_KEY": "",
    "MAILGUN_API_KEY": "",
    "MAILGUN_SIGNING_KEY": "",
    "TWILIO_AUTH_TOKEN": "",
    "VONAGE_API_SECRET": "",
    "VONAGE_SIGNATURE_SECRET": "",
    "META_TOKEN": "",
    "META_APP_SECRET": "",
    "META_VERIFY_TOKEN": "",
    "VAPID_PRIVATE_KEY": "",
}


@functools.cache
def processes() -> frozenset[str]:
    """The first column of "What runs" in docs/operating.md."""
    text = (ROOT / "docs" / "operating.md").read_text()
    section = text.partition("## What runs")[2].partition("\n## ")[0]
    return frozenset(re.findall(r"^\| ([a-z]+) \| `", section, re.MULTILINE))


@functools.cache
def known_variables() -> frozenset[str]:
    from tests.test_docs import all_variables  # needs the settings, which conftest.py files are read before

    return frozenset(all_variables())


@functools.cache
def required_variables() -> frozenset[str]:
    """Those that docs/operating.md marks: a production start without one is refused."""
    text = (ROOT / "docs" / "operating.md").read_text()
    return frozenset(re.findall(r"^\| `([A-Z_]+)` \| ●", text, re.MULTILINE))


def settings_problems(*environments: Mapping[str, str]) -> list[str]:
    """For each environment what the settings refuse, in their own words; empty when the product would start."""
    process = _runner()
    assert process.stdin
    assert process.stdout
    process.stdin.write(f"{json.dumps(environments)}\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    if not answer:
        _runner.cache_clear()
        raise RuntimeError("The settings failed otherwise than in words.")
    return list(json.loads(answer))


@functools.cache
def _runner() -> "subprocess.Popen[str]":
    """Waits for environments, and ends with this process."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUNNER], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    atexit.register(process.communicate)
    return process


def differences(given: Mapping[str, str]) -> list[str]:
    """What is wrong with an environment: unknown names, missing ones, and what the settings say of the values."""
    unknown = sorted(set(given) - known_variables())
    missing = sorted(required_variables() - {name for name, value in given.items() if value})
    (refused,) = settings_problems(given)
    return [
        *(f"unknown: {name}" for name in unknown),
        *(f"missing: {name}" for name in missing),
        *([f"refused: {refused}"] if refused else []),
    ]


def without(given: Mapping[str, str], names: Sequence[str]) -> list[dict[str, str]]:
    return [{name: value for name, value in given.items() if name != gone} for gone in names]
