"""What is taken out of a copy before anybody uses it: whatever opens a door, reaches a person, or is nobody's business.

Load does not depend on it. Nobody in the copy has an address, so no message can reach anybody, whatever is set up.
"""

import secrets
from datetime import datetime
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from operations.domain.drill.errors import DrillError

MARKER = "drill_copy"
DOMAIN = "drill.invalid"  # reserved by RFC 2606: no mail server will ever answer for it
# Their rows stay behind: pg_dump never reads them. No other table refers to them (a test looks).
LEFT_OUT = (
    "account_emailaddress",
    "account_emailconfirmation",
    "accounts_auditevent",
    "accounts_invitation",
    "accounts_limitcounter",
    "accounts_pendingimport",
    "accounts_signinrequest",
    "analytics_pseudonym",
    "analytics_sharingconsent",
    "analytics_statement",
    "analytics_statementfeed",
    "certification_acknowledgement",
    "certification_certificate",
    "certification_certificatefile",
    "certification_chain",
    "certification_claim",
    "certification_claimevidence",
    "certification_contributor",
    "certification_discloser",
    "certification_disclosure",
    "certification_disclosurerequest",
    "certification_disclosurereview",
    "certification_disclosuresheet",
    "certification_evidencepack",
    "certification_keptname",
    "certification_ledgerentry",
    "certification_publishedhead",
    "certification_reasontext",
    "certification_signatureimage",
    "django_admin_log",
    "django_session",
    "mfa_authenticator",
    "reminders_calendarfeed",
    "reminders_campaign",
    "reminders_channelchoice",
    "reminders_consentrecord",
    "reminders_delivery",
    "reminders_inboxitem",
    "reminders_phonecode",
    "reminders_providerevent",
    "reminders_pushsubscription",
    "reminders_suppression",
    "webinars_roomevent",
    "webinars_spotrequest",
)
_SHUT = "repeat('x', length({0}))"  # as long as it was: pages weigh the same
# By table: what each column becomes.
REPLACED: dict[str, dict[str, LiteralString]] = {
    "accounts_user": {
        "password": "'!drill'",
        "email": f"'doctor-' || id || '@{DOMAIN}'",
        "first_name": "'Doctor'",
        "last_name": "id::text",
        "phone": "''",
        "phone_proved_at": "NULL",
        "registration_number": "''",
    },
    "accounts_device": {
        "session_key": "'gone' || md5(id::text || %(salt)s)",
        "user_agent": "''",
        "address": "NULL",
    },
    "webinars_streamkey": {"digest": "md5(digest || %(salt)s) || md5(id::text || %(salt)s)", "ending": "'gone'"},
    "webinars_spotwindow": {"slug": "left(md5(id::text || %(salt)s), 24)"},
    "webinars_webinar": {"external_url": f"CASE external_url WHEN '' THEN '' ELSE 'https://{DOMAIN}/' END"},
    "webinars_question": {name: _SHUT.format(name) for name in ("text", "edited_text", "answer_text")},
    "webinars_questionmessage": {"text": _SHUT.format("text")},
    "webinars_room": {"first_kept": "last_number + 1"},  # its events were left out
    "webinars_streamnotice": {"detail": "''"},  # may name a presenter
    "webinars_personrestriction": {"reason": "''"},
    "reminders_messagepolicy": {"sender_name": "''", "reply_to": "''"},
    "media_upload": {"direct_id": "''", "fingerprint": "''"},
}


def scrub(connection: "psycopg.Connection[Any]", *, now: datetime) -> None:
    """In one transaction with the marker: what carries the marker is scrubbed, what does not is never used."""
    salt = secrets.token_hex(16)
    with connection.transaction():
        for table, columns in REPLACED.items():
            assignments = (
                sql.SQL("{} = {}").format(sql.Identifier(name), sql.SQL(value)) for name, value in columns.items()
            )
            update = sql.SQL("UPDATE {} SET {}").format(sql.Identifier(table), sql.SQL(", ").join(assignments))
            connection.execute(update, {"salt": salt})
        marker = sql.Identifier(MARKER)
        connection.execute(sql.SQL("CREATE TABLE {} (made_at timestamptz NOT NULL)").format(marker))
        connection.execute(sql.SQL("INSERT INTO {} VALUES (%s)").format(marker), [now])


def check_marker(connection: "psycopg.Connection[Any]") -> None:
    """Everything that writes for a drill asks this first. Raises DrillError where it is no scrubbed copy."""
    row = connection.execute("SELECT to_regclass(%s)", [MARKER]).fetchone()
    if row is None or row[0] is None:
        name = connection.info.dbname
        raise DrillError(f"The database {name} is no copy made by a drill. Nothing is written to it.")
