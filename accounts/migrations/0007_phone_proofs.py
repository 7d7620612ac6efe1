"""That a telephone is its person's holds for one number: a change of the number ends it, whoever makes it."""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

FORWARD = """
CREATE FUNCTION accounts_phone_unproved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.phone_proved_at := NULL;
    RETURN NEW;
END
$$;
CREATE TRIGGER accounts_phone_changed BEFORE UPDATE ON accounts_user
    FOR EACH ROW WHEN (OLD.phone IS DISTINCT FROM NEW.phone AND NEW.phone_proved_at IS NOT NULL)
    EXECUTE FUNCTION accounts_phone_unproved();
"""
BACKWARD = """
DROP TRIGGER accounts_phone_changed ON accounts_user;
DROP FUNCTION accounts_phone_unproved();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_message_links")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="phone_proved_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="phone confirmed at"),
        ),
        migrations.AddField(
            model_name="signinrequest",
            name="phone_proved_at",
            field=models.DateTimeField(null=True),
        ),
        AddConstraintNotValid(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(("phone_proved_at", None), models.Q(("phone", ""), _negated=True), _connector="OR"),
                name="accounts_user_proof_of_a_number",
            ),
        ),
        AddConstraintNotValid(
            model_name="signinrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("phone_proved_at", None), models.Q(("code_hash", None), ("is_message", True)), _connector="OR"
                ),
                name="accounts_signin_phone_by_message",
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
