"""Which providers carry messages, from the environment. `docs/messages.md` says how each is set up."""

import base64
import re
from email.utils import parseaddr
from typing import Any

from lms.environment import Environment

HOW_TO_MAKE_VAPID = (
    "python3 -c 'import base64, secrets;"
    ' print(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("="))\''
)
TOPIC = re.compile(r"arn:aws[a-z-]*:sns:[\w-]+:\d{12}:[\w-]+")
SHAPES = {
    "TWILIO_ACCOUNT_SID": (re.compile(r"AC[0-9a-f]{32}"), "AC and 32 hexadecimal digits"),
    "TWILIO_SMS_FROM": (re.compile(r"\+[1-9]\d{6,14}|MG[0-9a-f]{32}|[A-Za-z0-9 ]{1,11}"), "a number (+…) or MG…"),
    "TWILIO_WHATSAPP_FROM": (re.compile(r"\+[1-9]\d{6,14}|MG[0-9a-f]{32}"), "a number (+…) or MG…"),
    "VONAGE_SIGNATURE_SECRET": (re.compile(r"\S{32,}"), "32 characters or more"),
    "VONAGE_FROM": (re.compile(r"\+?[1-9]\d{6,14}|[A-Za-z0-9 ]{1,11}"), "a number or up to 11 letters"),
    "META_PHONE_NUMBER_ID": (re.compile(r"\d{5,20}"), "the number's id, digits alone"),
    "META_API_VERSION": (re.compile(r"v\d{2}\.\d"), "as v23.0"),
    "META_APP_SECRET": (re.compile(r"[0-9a-f]{32}"), "32 hexadecimal digits"),
    "SENDGRID_API_KEY": (re.compile(r"SG\.[\w-]+\.[\w-]+"), "SG.….…"),
    "MAILGUN_DOMAIN": (re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+"), "a domain"),
    "VAPID_SUBJECT": (re.compile(r"(mailto:\S+@\S+|https://\S+)"), "mailto:… or https://…"),
}
NEEDED = {
    ("MESSAGES_EMAIL", "sendgrid"): ("SENDGRID_API_KEY", "SENDGRID_WEBHOOK_KEY"),
    ("MESSAGES_EMAIL", "mailgun"): ("MAILGUN_API_KEY", "MAILGUN_DOMAIN", "MAILGUN_SIGNING_KEY"),
    ("MESSAGES_SMS", "twilio"): ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_SMS_FROM"),
    ("MESSAGES_SMS", "vonage"): ("VONAGE_API_KEY", "VONAGE_API_SECRET", "VONAGE_SIGNATURE_SECRET", "VONAGE_FROM"),
    ("MESSAGES_SMS", "aws"): ("AWS_SMS_ORIGINATION",),
    ("MESSAGES_WHATSAPP", "twilio"): ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_WHATSAPP_FROM"),
    ("MESSAGES_WHATSAPP", "meta"): ("META_PHONE_NUMBER_ID", "META_TOKEN", "META_APP_SECRET", "META_VERIFY_TOKEN"),
    ("MESSAGES_PUSH", "webpush"): ("VAPID_PRIVATE_KEY", "VAPID_SUBJECT"),
}


def messages(env: Environment, *, production: bool) -> dict[str, Any]:
    """By the variable's own name. What is missing or cannot be right is a problem of the start, with its name."""
    nothing = "none" if production else "folder"
    has_vapid = bool(env.text("VAPID_PRIVATE_KEY"))
    found: dict[str, Any] = {
        "MESSAGES_EMAIL": env.choice(
            "MESSAGES_EMAIL",
            ("smtp", "ses", "sendgrid", "mailgun", "folder", "none"),
            "smtp" if production else "folder",
        ),
        "MESSAGES_SMS": env.choice("MESSAGES_SMS", ("twilio", "vonage", "aws", "folder", "none"), nothing),
        "MESSAGES_WHATSAPP": env.choice("MESSAGES_WHATSAPP", ("twilio", "meta", "folder", "none"), nothing),
        "MESSAGES_PUSH": env.choice(
            "MESSAGES_PUSH", ("webpush", "folder", "none"), "webpush" if has_vapid else nothing
        ),
        "MESSAGES_FROM": env.text("MESSAGES_FROM"),
        "MESSAGES_TIMEOUT": env.number("MESSAGES_TIMEOUT", 30, low=1, high=300),
        "MESSAGES_EMAIL_RATE": env.number("MESSAGES_EMAIL_RATE", 100, low=1, high=10_000),
        "MESSAGES_SMS_RATE": env.number("MESSAGES_SMS_RATE", 50, low=1, high=10_000),
        "MESSAGES_WHATSAPP_RATE": env.number("MESSAGES_WHATSAPP_RATE", 50, low=1, high=10_000),
        "MESSAGES_PUSH_RATE": env.number("MESSAGES_PUSH_RATE", 200, low=1, high=10_000),
        "MESSAGES_CODES_AN_HOUR": env.number("MESSAGES_CODES_AN_HOUR", 1_000, low=1, high=100_000),
        "MESSAGES_WHATSAPP_CODE": env.text("MESSAGES_WHATSAPP_CODE"),
    }
    found |= _email(env) | _numbers(env) | _push(env)
    _require(env, found)
    if production:
        _require_real(env, found)
    return found


def _email(env: Environment) -> dict[str, Any]:
    return {
        "SES_CONFIGURATION_SET": env.text("SES_CONFIGURATION_SET"),
        "AWS_SNS_TOPICS": tuple(env.words("AWS_SNS_TOPICS")),
        "SENDGRID_API_KEY": env.text("SENDGRID_API_KEY"),
        "SENDGRID_API_URL": env.url("SENDGRID_API_URL", "https", "http") or "https://api.sendgrid.com/v3",
        "SENDGRID_WEBHOOK_KEY": env.text("SENDGRID_WEBHOOK_KEY"),
        "MAILGUN_API_KEY": env.text("MAILGUN_API_KEY"),
        "MAILGUN_API_URL": env.url("MAILGUN_API_URL", "https", "http") or "https://api.mailgun.net/v3",
        "MAILGUN_DOMAIN": env.text("MAILGUN_DOMAIN"),
        "MAILGUN_SIGNING_KEY": env.text("MAILGUN_SIGNING_KEY"),
    }


def _numbers(env: Environment) -> dict[str, Any]:
    return {
        "TWILIO_ACCOUNT_SID": env.text("TWILIO_ACCOUNT_SID"),
        "TWILIO_AUTH_TOKEN": env.text("TWILIO_AUTH_TOKEN"),
        "TWILIO_API_URL": env.url("TWILIO_API_URL", "https", "http") or "https://api.twilio.com",
        "TWILIO_SMS_FROM": env.text("TWILIO_SMS_FROM"),
        "TWILIO_WHATSAPP_FROM": env.text("TWILIO_WHATSAPP_FROM"),
        "VONAGE_API_KEY": env.text("VONAGE_API_KEY"),
        "VONAGE_API_SECRET": env.text("VONAGE_API_SECRET"),
        "VONAGE_API_URL": env.url("VONAGE_API_URL", "https", "http") or "https://api.nexmo.com",
        "VONAGE_SIGNATURE_SECRET": env.text("VONAGE_SIGNATURE_SECRET"),
        "VONAGE_FROM": env.text("VONAGE_FROM"),
        "AWS_SMS_ORIGINATION": env.text("AWS_SMS_ORIGINATION"),
        "AWS_SMS_CONFIGURATION_SET": env.text("AWS_SMS_CONFIGURATION_SET"),
        "META_API_URL": env.url("META_API_URL", "https", "http") or "https://graph.facebook.com",
        "META_API_VERSION": env.text("META_API_VERSION", "v23.0"),
        "META_PHONE_NUMBER_ID": env.text("META_PHONE_NUMBER_ID"),
        "META_TOKEN": env.text("META_TOKEN"),
        "META_APP_SECRET": env.text("META_APP_SECRET"),
        "META_VERIFY_TOKEN": env.text("META_VERIFY_TOKEN"),
    }


def _push(env: Environment) -> dict[str, Any]:
    return {
        "VAPID_PRIVATE_KEY": env.text("VAPID_PRIVATE_KEY"),
        "VAPID_SUBJECT": env.text("VAPID_SUBJECT"),
        "PUSH_SERVICES": tuple(service.rstrip("/") for service in env.words("PUSH_SERVICES")),
    }


def _require(env: Environment, found: dict[str, Any]) -> None:
    """Values are never part of a problem: they are secrets."""
    chosen = {pair: names for pair, names in NEEDED.items() if found[pair[0]] == pair[1]}
    needed = {name: f"{choice}={kind} needs it" for (choice, kind), names in chosen.items() for name in names}
    for name, why in needed.items():
        env.require(name, found[name], why)
    for name, (shape, words) in SHAPES.items():
        if name in needed and found[name] and not shape.fullmatch(found[name]):
            env.problems.append(f"{name} is not one: it must be {words}")
    if found["MESSAGES_FROM"] and "@" not in parseaddr(found["MESSAGES_FROM"])[1]:
        env.problems.append("MESSAGES_FROM must be an address, or a name and an address in <>")
    if found["VAPID_PRIVATE_KEY"] and not _is_vapid(found["VAPID_PRIVATE_KEY"]):
        env.problems.append(f"VAPID_PRIVATE_KEY must be 32 bytes in base64url; make one: {HOW_TO_MAKE_VAPID}")
    if found["SENDGRID_WEBHOOK_KEY"] and not _is_base64(found["SENDGRID_WEBHOOK_KEY"]):
        env.problems.append("SENDGRID_WEBHOOK_KEY must be the verification key of the event webhook, in base64")
    if strange := [arn for arn in found["AWS_SNS_TOPICS"] if not TOPIC.fullmatch(arn)]:
        env.problems.append(f"AWS_SNS_TOPICS must be ARNs of topics, not {', '.join(strange)}")


def _require_real(env: Environment, found: dict[str, Any]) -> None:
    for choice in ("MESSAGES_EMAIL", "MESSAGES_SMS", "MESSAGES_WHATSAPP", "MESSAGES_PUSH"):
        if found[choice] == "folder":
            env.problems.append(f"{choice}=folder sends nothing: it is for development")
    for name in ("SENDGRID_API_URL", "MAILGUN_API_URL", "TWILIO_API_URL", "VONAGE_API_URL", "META_API_URL"):
        if not found[name].startswith("https://"):
            env.problems.append(f"{name} must start with https://: credentials go there")
    if strange := [service for service in found["PUSH_SERVICES"] if not service.startswith("https://")]:
        env.problems.append(f"PUSH_SERVICES must start with https://, not {', '.join(strange)}")


def _is_base64(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) > 80
    except ValueError:
        return False


def _is_vapid(text: str) -> bool:
    try:
        return len(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)) == 32
    except ValueError:
        return False
