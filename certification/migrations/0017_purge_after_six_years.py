"""The door of the purge opens for what is six years old, by the database's own clock, whoever asks.

Six years are the least that any authority's rules name (a test compares): what is kept longer is for
`certification/domain/retained.py` to know. What leaves a certificate has its line in the ledger.
"""

from django.db import migrations, models

LEAST = """
CREATE FUNCTION certification_may_leave(since timestamptz) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce(
        current_setting('certification.purge', true) = 'on'
        AND (since AT TIME ZONE 'UTC')::date <= (now() AT TIME ZONE 'UTC')::date - interval '6 years', false)
$$;
"""
FUNCTIONS = """
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
CREATE OR REPLACE FUNCTION certification_certificate_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND certification_may_leave(OLD.issued_at)
        AND NEW.facts = '{}'::jsonb AND to_jsonb(NEW) - 'facts' = to_jsonb(OLD) - 'facts' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'Certificates are never changed: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE OR REPLACE FUNCTION certification_file_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND certification_may_leave(
        (SELECT issued_at FROM certification_certificate WHERE id = OLD.certificate_id)
    ) THEN
        RETURN OLD;
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.certificate_id = OLD.certificate_id
        AND (NEW.engine <> OLD.engine OR (NEW.sha256, NEW.size_bytes) = (OLD.sha256, OLD.size_bytes)) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'The file of a certificate is never another one: % refused', TG_OP
        USING ERRCODE = 'insufficient_privilege';
END
$$;
"""
BEFORE = """
CREATE OR REPLACE FUNCTION certification_refuse_unless_purged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('certification.purge', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'Records of credit are append-only: % of % refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE OR REPLACE FUNCTION certification_certificate_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('certification.purge', true) = 'on'
        AND NEW.facts = '{}'::jsonb AND to_jsonb(NEW) - 'facts' = to_jsonb(OLD) - 'facts' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'Certificates are never changed: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE OR REPLACE FUNCTION certification_file_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('certification.purge', true) = 'on' THEN
        RETURN OLD;
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.certificate_id = OLD.certificate_id
        AND (NEW.engine <> OLD.engine OR (NEW.sha256, NEW.size_bytes) = (OLD.sha256, OLD.size_bytes)) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'The file of a certificate is never another one: % refused', TG_OP
        USING ERRCODE = 'insufficient_privilege';
END
$$;
DROP FUNCTION certification_may_leave(timestamptz);
"""
KINDS = [
    ("credit_granted", "Credit granted"),
    ("credit_corrected", "Credit corrected"),
    ("credit_revoked", "Credit revoked"),
    ("certificate_issued", "Certificate issued"),
    ("certificate_reissued", "Certificate issued anew"),
    ("certificate_revoked", "Certificate revoked"),
    ("certificate_purged", "Printed facts removed after their years"),
]


class Migration(migrations.Migration):
    dependencies = [("certification", "0016_lines_in_order_of_time")]

    operations = [
        migrations.AlterField(
            model_name="ledgerentry",
            name="kind",
            field=models.CharField(choices=KINDS, max_length=22, verbose_name="what"),
        ),
        migrations.RunSQL(LEAST + FUNCTIONS, BEFORE),
    ]
