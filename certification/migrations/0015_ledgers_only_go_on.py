"""A ledger's chain only goes on, and no proof is emptied as a whole: TRUNCATE fires no trigger for its rows."""

from django.db import migrations

PROOFS = (
    "chain",
    "claim",
    "claimevidence",
    "publishedhead",
    "certificate",
    "certificatefile",
    "certificatetemplate",
    "signatureimage",
    "disclosure",
    "disclosurereview",
    "disclosuresheet",
    "acknowledgement",
    "keptname",
)
CHAIN = """
CREATE FUNCTION certification_chain_goes_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.programme_id = OLD.programme_id AND NEW.public_id = OLD.public_id
        AND NEW.last_serial >= OLD.last_serial AND NEW.length >= OLD.length
        AND ((NEW.length, NEW.head) = (OLD.length, OLD.head) OR EXISTS (
            SELECT FROM certification_ledgerentry
            WHERE programme_id = NEW.programme_id AND number = NEW.length AND hash = NEW.head
        )) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'A ledger only goes on: % of its chain refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER certification_chain_goes_on BEFORE UPDATE OR DELETE ON certification_chain
    FOR EACH ROW EXECUTE FUNCTION certification_chain_goes_on();
"""
FORWARD = CHAIN + "".join(
    f"CREATE TRIGGER certification_{name}_never_emptied BEFORE TRUNCATE ON certification_{name}"
    " FOR EACH STATEMENT EXECUTE FUNCTION certification_refuse();\n"
    for name in PROOFS
)
BACKWARD = "DROP FUNCTION certification_chain_goes_on() CASCADE;\n" + "".join(
    f"DROP TRIGGER certification_{name}_never_emptied ON certification_{name};\n" for name in PROOFS
)


class Migration(migrations.Migration):
    dependencies = [("certification", "0014_note_files")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
