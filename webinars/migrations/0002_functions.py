from django.db import migrations

# Credits the first `allowed - seconds(have)` seconds of what is new. Only called when a claim is over the allowance.
CREDIT = """
CREATE FUNCTION webinars_credit(have int4multirange, claimed int4multirange, allowed integer)
RETURNS int4multirange LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    result int4multirange := have;
    part int4range;
    room integer;
BEGIN
    SELECT allowed - coalesce(sum(upper(r) - lower(r)), 0) INTO room FROM unnest(have) AS r;
    FOR part IN SELECT r FROM unnest(claimed - have) AS r ORDER BY r LOOP
        EXIT WHEN room <= 0;
        result := result + int4multirange(int4range(lower(part), least(upper(part), lower(part) + room)));
        room := room - (upper(part) - lower(part));
    END LOOP;
    RETURN result;
END
$$
"""

# Every beat rewrites its row; with room in the page the new version stays beside the old one and no index is touched.
ROOM = "ALTER TABLE webinars_watchrecord SET (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05)"
NO_ROOM = "ALTER TABLE webinars_watchrecord RESET (fillfactor, autovacuum_vacuum_scale_factor)"


class Migration(migrations.Migration):
    dependencies = [("webinars", "0001_initial")]

    operations = [
        migrations.RunSQL(CREDIT, "DROP FUNCTION webinars_credit(int4multirange, int4multirange, integer)"),
        migrations.RunSQL(ROOM, NO_ROOM),
    ]
