"""What a new database begins with: all that the migrations which it replaces came to."""

import uuid
from decimal import Decimal

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.comparison
from django.conf import settings
from django.db import migrations, models

from core.together import CreateModels

# Lines, claims and published heads are as they were written. Two doors are left for what stands beside them: the next.
FIXED = ("ledgerentry", "claim", "publishedhead")
# May leave after their years, by the door of the purge.
PURGED = (
    "claimevidence",
    "acknowledgement",
    "keptname",
    "reasontext",
    "disclosure",
    "disclosurereview",
    "disclosuresheet",
)
# TRUNCATE fires no trigger for its rows: no proof is emptied as a whole.
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
    "reasontext",
)
# The door of the purge opens for what is six years old, by the database's own clock, whoever asks. Six years are the
# least that any authority's rules name: what is kept longer is for `certification/domain/retained.py` to know. Whatever
# is still open keeps what its presenters stated.
DOOR = """
CREATE FUNCTION certification_may_leave(since timestamptz) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce(
        current_setting('certification.purge', true) = 'on'
        AND (since AT TIME ZONE 'UTC')::date <= (now() AT TIME ZONE 'UTC')::date - interval '6 years', false)
$$;
CREATE FUNCTION certification_taught_until(activity bigint) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT greatest(starts_at, ends_at, closed_at, CASE WHEN state = 'open' THEN now() END)
    FROM certification_activity WHERE id = activity;
$$;
CREATE FUNCTION certification_person_taught_until(person bigint) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT max(certification_taught_until(activity_id)) FROM certification_contributor WHERE person_id = person;
$$;
CREATE FUNCTION certification_refuse_unless_purged() RETURNS trigger LANGUAGE plpgsql AS $$
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
# What was granted, stated and shown stays.
RECORDS = """
CREATE FUNCTION certification_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Records of credit are append-only: % of % refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE FUNCTION certification_certificate_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND certification_may_leave(OLD.issued_at)
        AND NEW.facts = '{}'::jsonb AND to_jsonb(NEW) - 'facts' = to_jsonb(OLD) - 'facts' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'Certificates are never changed: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER certification_certificate_fixed BEFORE UPDATE OR DELETE ON certification_certificate
    FOR EACH ROW EXECUTE FUNCTION certification_certificate_fixed();
CREATE FUNCTION certification_file_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER certification_file_fixed BEFORE UPDATE OR DELETE ON certification_certificatefile
    FOR EACH ROW EXECUTE FUNCTION certification_file_fixed();
"""
# A line that does not follow on the one before never comes in, and a ledger's chain only goes on. An hour is let pass
# between lines: a version before this took the time before it waited for its turn, and a sweep takes it once.
LEDGER = """
CREATE FUNCTION certification_entry_follows() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER certification_entry_follows BEFORE INSERT ON certification_ledgerentry
    FOR EACH ROW EXECUTE FUNCTION certification_entry_follows();
CREATE TRIGGER certification_entry_never_emptied BEFORE TRUNCATE ON certification_ledgerentry
    FOR EACH STATEMENT EXECUTE FUNCTION certification_refuse();
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
# A template that a certificate was issued with stays as it is: its pictures and colours are part of the document.
TEMPLATES = """
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
TRIGGERS = "".join(
    f"CREATE TRIGGER certification_{name}_fixed BEFORE UPDATE OR DELETE ON certification_{name}"
    f" FOR EACH ROW EXECUTE FUNCTION {function}();\n"
    for names, function in (
        (FIXED, "certification_refuse"),
        (PURGED, "certification_refuse_unless_purged"),
    )
    for name in names
) + "".join(
    f"CREATE TRIGGER certification_{name}_never_emptied BEFORE TRUNCATE ON certification_{name}"
    " FOR EACH STATEMENT EXECUTE FUNCTION certification_refuse();\n"
    for name in PROOFS
)
BACKWARD = "".join(
    f"DROP FUNCTION certification_{function} CASCADE;\n"
    for function in (
        "template_fixed()",
        "signature_fixed()",
        "chain_goes_on()",
        "entry_follows()",
        "file_fixed()",
        "certificate_fixed()",
        "refuse()",
        "refuse_unless_purged()",
        "person_taught_until(bigint)",
        "taught_until(bigint)",
        "may_leave(timestamptz)",
    )
)


class Migration(migrations.Migration):
    initial = True

    replaces = [
        ("certification", "0001_initial"),
        ("certification", "0002_append_only"),
        ("certification", "0003_template_fixed"),
        ("certification", "0004_count_refused_requests"),
        ("certification", "0005_evidence_packs"),
        ("certification", "0006_find_files_by_hash"),
        ("certification", "0007_kept_names"),
        ("certification", "0008_events"),
        ("certification", "0009_copies"),
        ("certification", "0010_claim_once_of_copies"),
        ("certification", "0011_find_keys_in_use"),
        ("certification", "0012_contributors_leave"),
        ("certification", "0013_contributors_come_back"),
        ("certification", "0014_note_files"),
        ("certification", "0015_ledgers_only_go_on"),
        ("certification", "0016_lines_in_order_of_time"),
        ("certification", "0017_purge_after_six_years"),
        ("certification", "0018_reasons_beside"),
        ("certification", "0019_forget_addresses"),
    ]

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("courses", "0001_squashed_0006_lessons_by_their_completion"),
    ]

    operations = [
        CreateModels(
            [
                migrations.CreateModel(
                    name="Certificate",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("activity", "For one activity"),
                                    ("course", "For a course"),
                                    ("programme", "For the programme"),
                                ],
                                max_length=9,
                                verbose_name="kind",
                            ),
                        ),
                        ("edition", models.PositiveSmallIntegerField(default=1)),
                        ("public_id", models.CharField(max_length=26, unique=True)),
                        ("serial", models.PositiveIntegerField()),
                        ("number", models.CharField(max_length=40, unique=True, verbose_name="number")),
                        ("facts", models.JSONField()),
                        ("key_fingerprint", models.CharField(max_length=64)),
                        ("signature", models.BinaryField(max_length=64)),
                        ("issued_at", models.DateTimeField(verbose_name="issued at")),
                        (
                            "course",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="courses.course",
                            ),
                        ),
                        (
                            "programme",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="certificates",
                                to="courses.programme",
                            ),
                        ),
                        (
                            "replaces",
                            models.OneToOneField(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="replaced_by",
                                to="certification.certificate",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="certificates",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "template",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="certificates",
                                to="certification.certificatetemplate",
                            ),
                        ),
                        (
                            "claim",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="certificates",
                                to="certification.claim",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "certificate",
                        "verbose_name_plural": "certificates",
                        "ordering": ("-issued_at", "-pk"),
                        "indexes": [
                            models.Index(fields=["user", "programme"], name="certification_cert_person"),
                            models.Index(fields=["key_fingerprint"], name="certification_cert_key"),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("programme", "serial"), name="certification_certificate_serial"
                            ),
                            models.UniqueConstraint(fields=("claim", "edition"), name="certification_one_for_a_claim"),
                            models.UniqueConstraint(
                                fields=("user", "course", "edition"), name="certification_one_for_a_course"
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("kind", "programme")),
                                fields=("user", "programme", "edition"),
                                name="certification_one_for_a_programme",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("claim__isnull", False), ("course", None), ("kind", "activity")),
                                    models.Q(("claim", None), ("course__isnull", False), ("kind", "course")),
                                    models.Q(("claim", None), ("course", None), ("kind", "programme")),
                                    _connector="OR",
                                ),
                                name="certification_certificate_kind",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("edition", 1), ("replaces", None)),
                                    models.Q(("edition__gt", 1), ("replaces__isnull", False)),
                                    _connector="OR",
                                ),
                                name="certification_edition_replaces",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("replaces", models.F("pk")), _negated=True),
                                name="certification_replaces_another",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Chain",
                    fields=[
                        (
                            "programme",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.PROTECT,
                                primary_key=True,
                                related_name="chain",
                                serialize=False,
                                to="courses.programme",
                            ),
                        ),
                        (
                            "public_id",
                            models.UUIDField(
                                default=uuid.uuid4,
                                editable=False,
                                help_text="Names the chain where its head is published.",
                                unique=True,
                            ),
                        ),
                        ("length", models.PositiveIntegerField(default=0)),
                        ("head", models.BinaryField(max_length=32)),
                        ("last_serial", models.PositiveIntegerField(default=0, help_text="Of the newest certificate.")),
                    ],
                    options={
                        "verbose_name": "chain",
                        "verbose_name_plural": "chains",
                    },
                ),
                migrations.CreateModel(
                    name="Activity",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "format",
                            models.CharField(
                                choices=[("live", "Live"), ("enduring", "Recording")],
                                max_length=8,
                                verbose_name="format",
                            ),
                        ),
                        ("title", models.CharField(max_length=200, verbose_name="title as accredited")),
                        (
                            "state",
                            models.CharField(
                                choices=[("draft", "Draft"), ("open", "Open"), ("closed", "Closed")],
                                default="draft",
                                max_length=6,
                                verbose_name="state",
                            ),
                        ),
                        (
                            "starts_at",
                            models.DateTimeField(blank=True, null=True, verbose_name="starts or is released at"),
                        ),
                        ("ends_at", models.DateTimeField(blank=True, null=True, verbose_name="ends at")),
                        (
                            "reviewed_on",
                            models.DateField(blank=True, null=True, verbose_name="content last reviewed on"),
                        ),
                        (
                            "minutes",
                            models.PositiveSmallIntegerField(
                                blank=True,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(1)],
                                verbose_name="minutes of education",
                            ),
                        ),
                        (
                            "objectives",
                            models.TextField(blank=True, max_length=4000, verbose_name="learning objectives"),
                        ),
                        ("sources", models.TextField(blank=True, max_length=8000, verbose_name="sources")),
                        ("opened_at", models.DateTimeField(blank=True, null=True, verbose_name="opened at")),
                        ("closed_at", models.DateTimeField(blank=True, null=True, verbose_name="closed at")),
                        (
                            "assessment",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="courses.lesson",
                                verbose_name="test to pass",
                            ),
                        ),
                        (
                            "evaluation",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="courses.lesson",
                                verbose_name="feedback form",
                            ),
                        ),
                        (
                            "lesson",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="activities",
                                to="courses.lesson",
                                verbose_name="webinar",
                            ),
                        ),
                        (
                            "same_as",
                            models.ForeignKey(
                                blank=True,
                                db_index=False,
                                help_text="Of a copy: the webinar that it is a copy of. Whoever has credit of one of them has none of the other.",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="courses.lesson",
                                verbose_name="same content as",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "activity",
                        "verbose_name_plural": "activities",
                        "ordering": ("lesson", "format"),
                        "constraints": [
                            models.UniqueConstraint(fields=("lesson", "format"), name="certification_activity_once"),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("ends_at", None),
                                    ("starts_at", None),
                                    ("ends_at__gt", models.F("starts_at")),
                                    _connector="OR",
                                ),
                                name="certification_activity_window",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("state", "draft"),
                                    models.Q(
                                        ("ends_at__isnull", False),
                                        ("minutes__isnull", False),
                                        ("opened_at__isnull", False),
                                        ("starts_at__isnull", False),
                                    ),
                                    _connector="OR",
                                ),
                                name="certification_activity_open_is_whole",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("state", "closed"), _negated=True),
                                    ("closed_at__isnull", False),
                                    _connector="OR",
                                ),
                                name="certification_activity_closed_has_date",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Accreditation",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "authority",
                            models.CharField(
                                choices=[
                                    ("accme", "AMA PRA Category 1 (ACCME)"),
                                    ("eaccme", "EACCME (UEMS)"),
                                    ("india", "State medical council (India)"),
                                    ("attendance", "Attendance, without credit"),
                                ],
                                max_length=12,
                                verbose_name="authority",
                            ),
                        ),
                        ("council", models.CharField(blank=True, max_length=40, verbose_name="council")),
                        ("version", models.CharField(max_length=20, verbose_name="version of the rules")),
                        (
                            "credits",
                            models.DecimalField(
                                decimal_places=2,
                                default=Decimal(0),
                                max_digits=6,
                                validators=[django.core.validators.MinValueValidator(0)],
                                verbose_name="credits",
                            ),
                        ),
                        ("approval_code", models.CharField(blank=True, max_length=80, verbose_name="approval code")),
                        ("provider", models.CharField(blank=True, max_length=200, verbose_name="accredited provider")),
                        ("valid_from", models.DateField(blank=True, null=True, verbose_name="valid from")),
                        ("valid_until", models.DateField(blank=True, null=True, verbose_name="valid until")),
                        ("parameters", models.JSONField(blank=True, default=dict, verbose_name="parameters")),
                        (
                            "activity",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="accreditations",
                                to="certification.activity",
                                verbose_name="activity",
                            ),
                        ),
                        (
                            "event",
                            models.CharField(
                                blank=True,
                                db_default="",
                                help_text="A congress or series that a council caps as a whole: the same word at each of its webinars.",
                                max_length=80,
                                verbose_name="event",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "accreditation",
                        "verbose_name_plural": "accreditations",
                        "ordering": ("activity", "authority", "council"),
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("activity", "authority", "council"), name="certification_accreditation_once"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("credits__gte", 0)), name="certification_accreditation_credits"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("valid_from", None),
                                    ("valid_until", None),
                                    ("valid_until__gte", models.F("valid_from")),
                                    _connector="OR",
                                ),
                                name="certification_accreditation_window",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="CertificateFile",
                    fields=[
                        (
                            "certificate",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                primary_key=True,
                                related_name="file",
                                serialize=False,
                                to="certification.certificate",
                            ),
                        ),
                        ("sha256", models.BinaryField(max_length=32)),
                        ("size_bytes", models.PositiveIntegerField()),
                        ("stored_as", models.CharField(max_length=300)),
                        ("made_at", models.DateTimeField()),
                        ("engine", models.CharField(blank=True, db_default="", default="", max_length=100)),
                        ("signature", models.BinaryField(max_length=64, null=True)),
                    ],
                    options={
                        "verbose_name": "certificate file",
                        "verbose_name_plural": "certificate files",
                        "indexes": [models.Index(fields=["sha256"], name="certification_file_sha256")],
                    },
                ),
                migrations.CreateModel(
                    name="CertificateTemplate",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("version", models.PositiveSmallIntegerField()),
                        (
                            "paper",
                            models.CharField(
                                choices=[("a4", "A4"), ("letter", "US Letter")],
                                default="a4",
                                max_length=6,
                                verbose_name="paper",
                            ),
                        ),
                        ("accent", models.CharField(default="#0b5d66", max_length=7, verbose_name="colour")),
                        ("language", models.CharField(default="en", max_length=12, verbose_name="language")),
                        ("heading", models.CharField(blank=True, max_length=80, verbose_name="heading")),
                        (
                            "above_name",
                            models.CharField(blank=True, max_length=160, verbose_name="line above the name"),
                        ),
                        (
                            "below_name",
                            models.CharField(blank=True, max_length=300, verbose_name="line below the name"),
                        ),
                        ("logo", models.BinaryField(null=True)),
                        (
                            "signatories",
                            models.JSONField(
                                default=list, help_text='[{"name", "role"}], in order.', verbose_name="signatures"
                            ),
                        ),
                        ("used_at", models.DateTimeField(editable=False, null=True, verbose_name="first used at")),
                        (
                            "programme",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="certificate_templates",
                                to="courses.programme",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "certificate template",
                        "verbose_name_plural": "certificate templates",
                        "ordering": ("programme", "-version"),
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("programme", "version"), name="certification_template_version"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("accent__regex", "^#[0-9a-f]{6}$")),
                                name="certification_template_accent",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Claim",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "authority",
                            models.CharField(
                                choices=[
                                    ("accme", "AMA PRA Category 1 (ACCME)"),
                                    ("eaccme", "EACCME (UEMS)"),
                                    ("india", "State medical council (India)"),
                                    ("attendance", "Attendance, without credit"),
                                ],
                                max_length=12,
                            ),
                        ),
                        ("council", models.CharField(blank=True, max_length=40)),
                        ("took_part_on", models.DateField()),
                        ("made_at", models.DateTimeField()),
                        (
                            "accreditation",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="claims",
                                to="certification.accreditation",
                            ),
                        ),
                        (
                            "lesson",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="courses.lesson"
                            ),
                        ),
                        (
                            "programme",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="courses.programme"
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="claims",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "copy_of",
                            models.ForeignKey(
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="courses.lesson",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "claim",
                        "verbose_name_plural": "claims",
                        "indexes": [models.Index(fields=["accreditation", "user"], name="certification_claim_person")],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("user", "lesson", "authority", "council"), name="certification_claim_once"
                            ),
                            models.UniqueConstraint(
                                models.F("user"),
                                django.db.models.functions.comparison.Coalesce("copy_of", "lesson"),
                                models.F("authority"),
                                models.F("council"),
                                name="certification_claim_once_of_copies",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Discloser",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("name", models.CharField(max_length=200, verbose_name="name")),
                        ("email", models.EmailField(max_length=254, verbose_name="e-mail address")),
                        (
                            "programme",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="disclosers",
                                to="courses.programme",
                                verbose_name="programme",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "person who discloses",
                        "verbose_name_plural": "people who disclose",
                        "ordering": ("name", "pk"),
                        "constraints": [
                            models.UniqueConstraint(fields=("programme", "email"), name="certification_discloser_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Contributor",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "role",
                            models.CharField(
                                choices=[
                                    ("presenter", "Presenter"),
                                    ("moderator", "Moderator"),
                                    ("planner", "Planner"),
                                    ("reviewer", "Reviewer"),
                                ],
                                default="presenter",
                                max_length=10,
                                verbose_name="role",
                            ),
                        ),
                        (
                            "activity",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="contributors",
                                to="certification.activity",
                                verbose_name="activity",
                            ),
                        ),
                        (
                            "person",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="contributions",
                                to="certification.discloser",
                                verbose_name="person",
                            ),
                        ),
                        ("left_at", models.DateTimeField(editable=False, null=True, verbose_name="until")),
                    ],
                    options={
                        "verbose_name": "contributor",
                        "verbose_name_plural": "contributors",
                        "ordering": ("activity", "role", "pk"),
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("left_at", None)),
                                fields=("activity", "person", "role"),
                                name="certification_contributor_now",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Disclosure",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("interests", models.JSONField(default=list, verbose_name="relationships")),
                        ("covers_from", models.DateField(verbose_name="from")),
                        ("covers_until", models.DateField(verbose_name="until")),
                        ("signed_name", models.CharField(max_length=200, verbose_name="signed by")),
                        ("made_at", models.DateTimeField(verbose_name="stated at")),
                        (
                            "person",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="disclosures",
                                to="certification.discloser",
                                verbose_name="person",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "disclosure",
                        "verbose_name_plural": "disclosures",
                        "ordering": ("-made_at", "-pk"),
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("covers_until__gt", models.F("covers_from"))),
                                name="certification_disclosure_covers",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="DisclosureRequest",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("token_hash", models.BinaryField(max_length=32, null=True, unique=True)),
                        ("created_at", models.DateTimeField()),
                        ("claimed_at", models.DateTimeField(null=True)),
                        ("sent_at", models.DateTimeField(null=True)),
                        ("expires_at", models.DateTimeField()),
                        ("used_at", models.DateTimeField(null=True)),
                        ("revoked_at", models.DateTimeField(null=True)),
                        (
                            "person",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="requests",
                                to="certification.discloser",
                            ),
                        ),
                        (
                            "requested_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("failures", models.PositiveSmallIntegerField(db_default=0, default=0)),
                    ],
                    options={
                        "verbose_name": "disclosure request",
                        "verbose_name_plural": "disclosure requests",
                        "ordering": ("-created_at",),
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("revoked_at", None), ("used_at", None)),
                                fields=("person",),
                                name="certification_request_one_open",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("expires_at__gt", models.F("created_at"))),
                                name="certification_request_expires",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="DisclosureReview",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "decision",
                            models.CharField(
                                choices=[
                                    ("none", "No relevant relationship"),
                                    ("mitigated", "Relevant, and mitigated"),
                                    ("excluded", "May not take part"),
                                ],
                                max_length=10,
                                verbose_name="decision",
                            ),
                        ),
                        ("mitigation", models.TextField(blank=True, max_length=2000, verbose_name="what was done")),
                        ("reviewed_at", models.DateTimeField(verbose_name="reviewed at")),
                        (
                            "disclosure",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="reviews",
                                to="certification.disclosure",
                            ),
                        ),
                        (
                            "reviewed_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "review",
                        "verbose_name_plural": "reviews",
                        "ordering": ("-reviewed_at", "-pk"),
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("decision", "mitigated"), _negated=True),
                                    models.Q(("mitigation", ""), _negated=True),
                                    _connector="OR",
                                ),
                                name="certification_review_says_what_was_done",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="DisclosureSheet",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("digest", models.BinaryField(max_length=32)),
                        ("content", models.JSONField()),
                        ("made_at", models.DateTimeField()),
                        (
                            "activity",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="sheets",
                                to="certification.activity",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "disclosure sheet",
                        "verbose_name_plural": "disclosure sheets",
                        "constraints": [
                            models.UniqueConstraint(fields=("activity", "digest"), name="certification_sheet_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Acknowledgement",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("shown_at", models.DateTimeField()),
                        ("acknowledged_at", models.DateTimeField()),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "sheet",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="acknowledgements",
                                to="certification.disclosuresheet",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "acknowledgement",
                        "verbose_name_plural": "acknowledgements",
                        "constraints": [
                            models.UniqueConstraint(fields=("user", "sheet"), name="certification_acknowledged_once"),
                            models.CheckConstraint(
                                condition=models.Q(("acknowledged_at__gte", models.F("shown_at"))),
                                name="certification_acknowledged_later",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="LedgerEntry",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("number", models.PositiveIntegerField()),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("credit_granted", "Credit granted"),
                                    ("credit_corrected", "Credit corrected"),
                                    ("credit_revoked", "Credit revoked"),
                                    ("certificate_issued", "Certificate issued"),
                                    ("certificate_reissued", "Certificate issued anew"),
                                    ("certificate_revoked", "Certificate revoked"),
                                    ("certificate_purged", "Printed facts removed after their years"),
                                ],
                                max_length=22,
                                verbose_name="what",
                            ),
                        ),
                        (
                            "credits",
                            models.DecimalField(decimal_places=2, max_digits=6, null=True, verbose_name="credits"),
                        ),
                        ("reason", models.CharField(blank=True, max_length=500, verbose_name="reason")),
                        ("details", models.JSONField(default=dict)),
                        ("entered_at", models.DateTimeField(verbose_name="at")),
                        ("previous", models.BinaryField(max_length=32)),
                        ("hash", models.BinaryField(max_length=32)),
                        (
                            "actor",
                            models.ForeignKey(
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "certificate",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="entries",
                                to="certification.certificate",
                            ),
                        ),
                        (
                            "claim",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="entries",
                                to="certification.claim",
                            ),
                        ),
                        (
                            "programme",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="ledger",
                                to="courses.programme",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                                verbose_name="doctor",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "line of the ledger",
                        "verbose_name_plural": "ledger",
                        "ordering": ("programme", "number"),
                        "indexes": [models.Index(fields=["user", "programme"], name="certification_entry_person")],
                        "constraints": [
                            models.UniqueConstraint(fields=("programme", "number"), name="certification_entry_number"),
                            models.UniqueConstraint(
                                fields=("programme", "previous"), name="certification_entry_one_after_another"
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("kind", "credit_granted")),
                                fields=("claim",),
                                name="certification_granted_once",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("kind__in", ["certificate_issued", "certificate_reissued"])),
                                fields=("certificate",),
                                name="certification_issued_once",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("kind", "certificate_revoked")),
                                fields=("certificate",),
                                name="certification_revoked_once",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("certificate", None),
                                        ("claim__isnull", False),
                                        ("credits__gte", 0),
                                        ("kind__in", ["credit_corrected", "credit_granted", "credit_revoked"]),
                                    ),
                                    models.Q(
                                        models.Q(
                                            ("kind__in", ["credit_corrected", "credit_granted", "credit_revoked"]),
                                            _negated=True,
                                        ),
                                        ("certificate__isnull", False),
                                        ("claim", None),
                                        ("credits", None),
                                    ),
                                    _connector="OR",
                                ),
                                name="certification_entry_about_one_thing",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("kind__in", ["credit_granted", "certificate_issued"]),
                                    models.Q(("reason", ""), _negated=True),
                                    _connector="OR",
                                ),
                                name="certification_entry_reason",
                                violation_error_message="Say why: an auditor will ask.",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ClaimEvidence",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("evidence", models.JSONField()),
                        ("decision", models.JSONField()),
                        (
                            "entry",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="evidence",
                                to="certification.ledgerentry",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "evidence",
                        "verbose_name_plural": "evidence",
                    },
                ),
                migrations.CreateModel(
                    name="PublishedHead",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("published_on", models.DateField()),
                        ("length", models.PositiveIntegerField()),
                        ("hash", models.BinaryField(max_length=32)),
                        ("published_at", models.DateTimeField()),
                        ("stored_as", models.CharField(blank=True, max_length=300)),
                        (
                            "programme",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="courses.programme"
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "published head",
                        "verbose_name_plural": "published heads",
                        "ordering": ("-published_on",),
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("programme", "published_on"), name="certification_head_once_a_day"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SignatureImage",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("position", models.PositiveSmallIntegerField()),
                        ("image", models.BinaryField()),
                        (
                            "template",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="images",
                                to="certification.certificatetemplate",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "signature",
                        "verbose_name_plural": "signatures",
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("template", "position"), name="certification_signature_place"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="EvidencePack",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("requested_at", models.DateTimeField(verbose_name="asked for at")),
                        ("claimed_at", models.DateTimeField(null=True)),
                        ("made_at", models.DateTimeField(null=True, verbose_name="made at")),
                        ("failed_at", models.DateTimeField(null=True)),
                        ("stored_as", models.CharField(blank=True, max_length=300)),
                        ("size_bytes", models.PositiveBigIntegerField(null=True)),
                        ("sha256", models.BinaryField(max_length=32, null=True)),
                        (
                            "activity",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="packs",
                                to="certification.activity",
                                verbose_name="activity",
                            ),
                        ),
                        (
                            "requested_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "evidence pack",
                        "verbose_name_plural": "evidence packs",
                        "ordering": ("-requested_at", "-pk"),
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("failed_at", None), ("made_at", None)),
                                fields=("activity",),
                                name="certification_pack_one_open",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("made_at", None),
                                    models.Q(
                                        ("sha256__isnull", False),
                                        ("size_bytes__isnull", False),
                                        models.Q(("stored_as", ""), _negated=True),
                                    ),
                                    _connector="OR",
                                ),
                                name="certification_pack_made_is_kept",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="KeptName",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("name", models.CharField(max_length=254, verbose_name="name")),
                        ("council", models.CharField(blank=True, max_length=120, verbose_name="medical council")),
                        (
                            "registration_number",
                            models.CharField(blank=True, max_length=60, verbose_name="registration number"),
                        ),
                        ("kept_at", models.DateTimeField()),
                        (
                            "claim",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="kept_name",
                                to="certification.claim",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "kept name",
                        "verbose_name_plural": "kept names",
                    },
                ),
                migrations.CreateModel(
                    name="ReasonText",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
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
                    options={
                        "verbose_name": "reason",
                        "verbose_name_plural": "reasons",
                    },
                ),
            ]
        ),
        migrations.RunSQL(DOOR + RECORDS + LEDGER + TEMPLATES + TRIGGERS, BACKWARD),
    ]
