"""What somebody said about being written to stays as it was said, whoever asks."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION reminders_consent_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Consents are append-only: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER reminders_consent_no_change BEFORE UPDATE OR DELETE ON reminders_consentrecord
    FOR EACH ROW EXECUTE FUNCTION reminders_consent_refuse();
CREATE TRIGGER reminders_consent_no_truncate BEFORE TRUNCATE ON reminders_consentrecord
    FOR EACH STATEMENT EXECUTE FUNCTION reminders_consent_refuse();
"""
BACKWARD = """
DROP TRIGGER reminders_consent_no_truncate ON reminders_consentrecord;
DROP TRIGGER reminders_consent_no_change ON reminders_consentrecord;
DROP FUNCTION reminders_consent_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("reminders", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
