"""No line of a ledger is older than the one before it.

An hour is let pass: the version before this one takes the time before it waits for its turn, and a sweep takes it once.
"""

from django.db import migrations

FORWARD = """
CREATE OR REPLACE FUNCTION certification_entry_follows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before timestamptz;
BEGIN
    IF octet_length(NEW.hash) <> 32 OR octet_length(NEW.previous) <> 32 THEN
        RAISE EXCEPTION 'A line of the ledger is sealed with SHA-256' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.number = 1 AND NEW.previous = decode(repeat('00', 32), 'hex') THEN
        RETURN NEW;
    END IF;
    SELECT entered_at INTO before FROM certification_ledgerentry
    WHERE programme_id = NEW.programme_id AND number = NEW.number - 1 AND hash = NEW.previous;
    IF before IS NULL THEN
        RAISE EXCEPTION 'Line % of the ledger does not follow on the one before', NEW.number
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.entered_at < before - interval '1 hour' THEN
        RAISE EXCEPTION 'Line % of the ledger is older than the one before', NEW.number
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
"""
BACKWARD = """
CREATE OR REPLACE FUNCTION certification_entry_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF octet_length(NEW.hash) <> 32 OR octet_length(NEW.previous) <> 32 THEN
        RAISE EXCEPTION 'A line of the ledger is sealed with SHA-256' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.number = 1 AND NEW.previous = decode(repeat('00', 32), 'hex') THEN
        RETURN NEW;
    END IF;
    IF NOT EXISTS (
        SELECT FROM certification_ledgerentry
        WHERE programme_id = NEW.programme_id AND number = NEW.number - 1 AND hash = NEW.previous
    ) THEN
        RAISE EXCEPTION 'Line % of the ledger does not follow on the one before', NEW.number
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("certification", "0015_ledgers_only_go_on")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
