"""deploy/terraform, planned without an account. tests/deploy/conftest.py says so when Terraform cannot run here."""
# ruff: noqa: E501 - a table of changes is read by its lines

from dataclasses import replace
from pathlib import Path

import pytest

from tests.deploy.cloud import findings
from tests.deploy.terraform import Workspace

pytestmark = pytest.mark.long
M = "modules/"
# A file, what to change in it, and what has to be found then. All are planted in one copy: a plan costs six seconds.
MISTAKES = (
    (M + "database/main.tf", 'publicly_accessible    = false\n  parameter_group_name   = aws_db_parameter_group.this.name\n  ca_cert_identifier     = "rds-ca-rsa2048-g1"\n\n', "publicly_accessible = true\n", "a database is public"),
    (M + "database/main.tf", '{ value = "on", method = "immediate" }', '{ value = "off", method = "immediate" }', "acknowledged rows may be lost"),
    (M + "cache/main.tf", "volatile-lru", "allkeys-lru", "a full cache would drop or refuse queued tasks"),
    (M + "media/main.tf", "restrict_public_buckets = true", "restrict_public_buckets = false", "a bucket may become public"),
    (M + "media/main.tf", ".arn}/videos/*", ".arn}/*", "the distribution reads more than videos"),
    (M + "media/main.tf", "items = [var.site_url]", 'items = ["*"]', "players of the site cannot ask CloudFront with their cookies"),
    (M + "compute/roles.tf", '"evidence", "cold"', '"evidence"', "may not write ['cold']"),
    (M + "compute/balancers.tf", 'each.key == "realtime"', "false", "WebSockets do not stick"),
    (M + "compute/balancers.tf", '"/readyz", "/metrics"', '"/readyz"', "/metrics can be asked from outside"),
    (M + "compute/main.tf", 'drop = ["ALL"] }\n    }\n    portMappings', 'drop = ["MKNOD"] }\n    }\n    portMappings', "beat keeps rights of the kernel"),
    (M + "compute/roles.tf", '["secretsmanager:GetSecretValue"], Resource = [var.secret_arn, var.database_secret_arn]', '["secretsmanager:GetSecretValue"], Resource = "*"', "module.compute.aws_iam_role_policy.execution allows ['secretsmanager:GetSecretValue'] on everything"),
    ("environment.tf", "    SITE_URL                = local.site_url\n", "    SITE_ADDRESS = local.site_url\n", "unknown: SITE_ADDRESS"),
    ("backups.tf", '"aws:SecureTransport"', '"aws:Secure"', "a bucket answers without TLS"),
    ("watching.tf", '"CapacityMissing"\n        namespace', '"CapacityMisses"\n        namespace', "an alarm has no runbook"),
    ("failures.tf", ", backupVaultArn = local.our_vault", "", "a backup that is not ours or did not fail"),
    ("failures.tf", "sourceBackupVaultArn", "backupVault", "a copy that is not ours or did not fail"),
    ("failures.tf", '["Restore Job State Change"]', '["Restore Job"]', "failures of some kind are told nobody"),
    ("watching.tf", 'for name, least in local.standing : "${name}-missing"', 'for name, least in { web = 3 } : "${name}-missing"', "nobody hears when these are gone"),
    ("environment.tf", "${module.pooler.address}/rounds?sslmode=require&", "${module.database.address}:5432/rounds?sslmode=require&", "the services do not go by PgBouncer"),
    ("environment.tf", ', DATABASE_TRANSACTION_POOLER = "true" }', " }", "web does not know of PgBouncer"),
    ("main.tf", "server_connections = 4 *", "server_connections = 2 *", "PgBouncer opens"),
    (M + "compute/main.tf", "secrets     = local.direct_secrets", "secrets     = local.secrets", "migrations and backups go by PgBouncer"),
    (M + "compute/schedules.tf", "var.operations_group_id", "var.service_group_id", "operations do not reach the database"),
    (M + "pooler/main.tf", "internal                         = true", "internal                         = false", "PgBouncer's balancer is not inside"),
    (M + "pooler/main.tf", "draining = 660", "draining = 60", "a task of PgBouncer goes while"),
    (M + "pooler/main.tf", "security_groups  = [var.group_id]", "security_groups  = [var.balancer_group_id]", "PgBouncer is reached by others"),
    (M + "pooler/main.tf", '"verify-full"', '"require"', "pooler takes any server"),
    (M + "pooler/main.tf", 'POOLER_DRAIN_SECONDS = "100"', 'POOLER_DRAIN_SECONDS = "120"', "pooler is killed before"),
)  # fmt: skip


def test_the_plan_of_production_is_sound_and_starts_the_product(tmp_path: Path) -> None:
    """With AWS IVS; staging below is without."""
    workspace = Workspace(tmp_path)
    workspace.change([("production.tfvars", "log_days ", "live_ivs_enabled = true\nlog_days ")])
    plan = workspace.plan("production.tfvars")

    assert len(plan.resources) > 100
    assert findings(plan, production=True) == []
    for old, new, wanted in (
        ("ivs:GetStream", "ivs:*", "allows every action of a service"),
        ("ivs:StopStream", "ivs:StopStreams", "the product asks AWS IVS what it may not: ['StopStream']"),
    ):
        spoiled = [replace(one, values=_with(one.values, old, new)) for one in plan.resources]
        found = findings(replace(plan, resources=spoiled), production=True)
        assert any(wanted in one for one in found), found


def _with(values: dict[str, object], old: str, new: str) -> dict[str, object]:
    return {name: value.replace(old, new) if name == "policy" and isinstance(value, str) else value
            for name, value in values.items()}  # fmt: skip


def test_staging_is_the_same_code_and_planted_mistakes_are_found(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.change(mistake[:3] for mistake in MISTAKES)

    found = findings(workspace.plan("staging.tfvars"), production=False)

    assert [wanted for *_, wanted in MISTAKES if not any(one.startswith(wanted) for one in found)] == []
    # Nothing else is wrong: staging itself is sound. What follows from a planted mistake stands beside it.
    follows = (
        "missing: SITE_URL",
        "a failed restore of ours",  # its kind is misspelt
        "refused: ",
        *(f"{name} keeps rights" for name in ("web", "realtime", "worker", "long", "sender", "transcoder", "ingest")),
        *(f"{name} does not know" for name in ("realtime", "worker", "long", "sender", "transcoder", "ingest", "beat")),
    )
    assert [one for one in found if not one.startswith((*(mistake[3] for mistake in MISTAKES), *follows))] == []
