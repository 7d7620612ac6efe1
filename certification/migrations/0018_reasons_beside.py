"""What somebody typed as a reason stands beside its line, and leaves after its years; so does what presenters stated.

The least years run, by the database's own clock, from the line, and from the end of what was taught: whatever is still
open keeps what its presenters stated, whoever asks.
"""

import django.db.models.deletion
from django.db import migrations, models

TAUGHT = """
CREATE FUNCTION certification_taught_until(activity bigint) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT greatest(starts_at, ends_at, closed_at, CASE WHEN state = 'open' THEN now() END)
    FROM certification_activity WHERE id = activity;
$$;
CREATE FUNCTION certification_person_taught_until(person bigint) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT max(certification_taught_until(activity_id)) FROM certification_contributor WHERE person_id = person;
$$;
"""
DOOR = """
CREATE OR REPLACE FUNCTION certification_refuse_unless_purged() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    since timestamptz;
BEGIN
    IF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'certification_acknowledgement' THEN
        since := OLD.acknowledged_at;
    ELSIF TG_OP = 'DELETE' AND TG_TABLE_NAME IN ('certification_claimevidence', 'certification_reasontext') THEN
        SELECT entered_at INTO since FROM certification_ledgerentry WHERE id = OLD.entry_id;
    ELSIF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'certification_keptname' THEN
        SELECT min(entered_at) INTO since FROM certification_ledgerentry WHERE claim_id = OLD.claim_id;
    ELSIF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'certification_disclosuresheet' THEN
        since := greatest(OLD.made_at, certification_taught_until(OLD.activity_id));
    ELSIF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'certification_disclosure' THEN
        since := greatest(OLD.made_at, certification_person_taught_until(OLD.person_id));
    ELSIF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'certification_disclosurereview' THEN
        SELECT greatest(OLD.reviewed_at, certification_person_taught_until(person_id)) INTO since
        FROM certification_disclosure WHERE id = OLD.disclosure_id;
    END IF;
    IF certification_may_leave(since) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'Records of credit are append-only: % of % refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;
"""
TRIGGERS = "".join(
    f"CREATE OR REPLACE TRIGGER certification_{name}_fixed BEFORE UPDATE OR DELETE ON certification_{name}"
    " FOR EACH ROW EXECUTE FUNCTION certification_refuse_unless_purged();\n"
    for name in ("reasontext", "disclosure", "disclosurereview", "disclosuresheet")
)
EMPTYING = """
CREATE TRIGGER certification_reasontext_never_emptied BEFORE TRUNCATE ON certification_reasontext
    FOR EACH STATEMENT EXECUTE FUNCTION certification_refuse();
"""
BEFORE = """
CREATE OR REPLACE FUNCTION certification_refuse_unless_purged() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    since timestamptz;
BEGIN
    IF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'certification_acknowledgement' THEN
        since := OLD.acknowledged_at;
    ELSIF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'certification_claimevidence' THEN
        SELECT entered_at INTO since FROM certification_ledgerentry WHERE id = OLD.entry_id;
    ELSIF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'certification_keptname' THEN
        SELECT min(entered_at) INTO since FROM certification_ledgerentry WHERE claim_id = OLD.claim_id;
    END IF;
    IF certification_may_leave(since) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'Records of credit are append-only: % of % refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;
"""
TRIGGERS_BEFORE = "".join(
    f"CREATE OR REPLACE TRIGGER certification_{name}_fixed BEFORE UPDATE OR DELETE ON certification_{name}"
    " FOR EACH ROW EXECUTE FUNCTION certification_refuse();\n"
    for name in ("disclosure", "disclosurereview", "disclosuresheet")
)
BACKWARD = (
    BEFORE
    + TRIGGERS_BEFORE
    + "DROP FUNCTION certification_person_taught_until(bigint);\nDROP FUNCTION certification_taught_until(bigint);\n"
)


class Migration(migrations.Migration):
    dependencies = [("certification", "0017_purge_after_six_years")]

    operations = [
        migrations.CreateModel(
            name="ReasonText",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.CharField(max_length=500, verbose_name="reason")),
                ("salt", models.BinaryField(max_length=16)),
                (
                    "entry",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reason_text",
                        to="certification.ledgerentry",
                    ),
                ),
            ],
            options={"verbose_name": "reason", "verbose_name_plural": "reasons"},
        ),
        migrations.RunSQL(TAUGHT + DOOR + TRIGGERS + EMPTYING, BACKWARD),
    ]
