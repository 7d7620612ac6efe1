"""The hash of a certificate's PDF is signed with its key, and stays as it is until another engine makes the file anew."""

from django.db import migrations, models

FORWARD = """
CREATE FUNCTION certification_file_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER certification_file_fixed BEFORE UPDATE OR DELETE ON certification_certificatefile
    FOR EACH ROW EXECUTE FUNCTION certification_file_fixed();
"""
BACKWARD = "DROP FUNCTION certification_file_fixed() CASCADE"


class Migration(migrations.Migration):
    dependencies = [("certification", "0013_contributors_come_back")]

    operations = [
        migrations.AddField(
            model_name="certificatefile",
            name="engine",
            field=models.CharField(blank=True, db_default="", default="", max_length=100),
        ),
        migrations.AddField(
            model_name="certificatefile",
            name="signature",
            field=models.BinaryField(max_length=64, null=True),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
