"""What was granted, stated and shown stays: the database refuses to change it, whoever asks.

Two doors are left. `manage.py purge_records` sets `certification.purge` for its own transaction: then evidence, shown
sheets' acknowledgements and files may leave, and a certificate's facts be emptied, when their time is over. A line of
the ledger never leaves, and one that does not follow on the one before never comes in.
"""

from django.db import migrations

FIXED = ("ledgerentry", "claim", "disclosure", "disclosurereview", "disclosuresheet", "publishedhead")
PURGED = ("claimevidence", "acknowledgement")

FUNCTIONS = """
CREATE FUNCTION certification_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Records of credit are append-only: % of % refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE FUNCTION certification_refuse_unless_purged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('certification.purge', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'Records of credit are append-only: % of % refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE FUNCTION certification_certificate_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('certification.purge', true) = 'on'
        AND NEW.facts = '{}'::jsonb AND to_jsonb(NEW) - 'facts' = to_jsonb(OLD) - 'facts' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'Certificates are never changed: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE FUNCTION certification_entry_follows() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER certification_entry_follows BEFORE INSERT ON certification_ledgerentry
    FOR EACH ROW EXECUTE FUNCTION certification_entry_follows();
CREATE TRIGGER certification_entry_never_emptied BEFORE TRUNCATE ON certification_ledgerentry
    FOR EACH STATEMENT EXECUTE FUNCTION certification_refuse();
CREATE TRIGGER certification_certificate_fixed BEFORE UPDATE OR DELETE ON certification_certificate
    FOR EACH ROW EXECUTE FUNCTION certification_certificate_fixed();
"""
FORWARD = (
    FUNCTIONS
    + "".join(
        f"CREATE TRIGGER certification_{name}_fixed BEFORE UPDATE OR DELETE ON certification_{name}"
        " FOR EACH ROW EXECUTE FUNCTION certification_refuse();\n"
        for name in FIXED
    )
    + "".join(
        f"CREATE TRIGGER certification_{name}_fixed BEFORE UPDATE OR DELETE ON certification_{name}"
        " FOR EACH ROW EXECUTE FUNCTION certification_refuse_unless_purged();\n"
        for name in PURGED
    )
)
BACKWARD = """
DROP FUNCTION certification_refuse() CASCADE;
DROP FUNCTION certification_refuse_unless_purged() CASCADE;
DROP FUNCTION certification_certificate_fixed() CASCADE;
DROP FUNCTION certification_entry_follows() CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [("certification", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
