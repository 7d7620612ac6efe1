"""A template that a certificate was issued with stays as it is: its pictures and colours are part of the document."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION certification_template_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.used_at IS NULL THEN
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    RAISE EXCEPTION 'Certificates were issued with this template: % refused', TG_OP
        USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE FUNCTION certification_signature_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM certification_certificatetemplate
        WHERE used_at IS NOT NULL AND id IN (
            CASE WHEN TG_OP = 'INSERT' THEN NEW.template_id ELSE OLD.template_id END,
            CASE WHEN TG_OP = 'DELETE' THEN OLD.template_id ELSE NEW.template_id END
        )
    ) THEN
        RAISE EXCEPTION 'Certificates were issued with this template: % refused', TG_OP
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END
$$;
CREATE TRIGGER certification_template_fixed BEFORE UPDATE OR DELETE ON certification_certificatetemplate
    FOR EACH ROW EXECUTE FUNCTION certification_template_fixed();
CREATE TRIGGER certification_signature_fixed BEFORE INSERT OR UPDATE OR DELETE ON certification_signatureimage
    FOR EACH ROW EXECUTE FUNCTION certification_signature_fixed();
"""
BACKWARD = """
DROP FUNCTION certification_template_fixed() CASCADE;
DROP FUNCTION certification_signature_fixed() CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [("certification", "0002_append_only")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
