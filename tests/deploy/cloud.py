"""What must hold of a plan of deploy/terraform. Every function returns what is wrong, in words; nothing is good."""

import json
from collections.abc import Iterator
from typing import Any

from django.conf import settings

from tests.deploy.product import SECRETS, differences, processes
from tests.deploy.terraform import Plan

DATA, PRIVATE = {"subnet-d1", "subnet-d2", "subnet-d3"}, {"subnet-a1", "subnet-a2", "subnet-a3"}
# AWS lets these be granted for everything only, or the statement narrows them by a condition.
UNBOUNDED = {
    "ecr:GetAuthorizationToken", "ecs:RegisterTaskDefinition", "ecs:DescribeTaskDefinition", "backup:ListRestoreJobs",
    "application-autoscaling:DescribeScalableTargets", "application-autoscaling:DescribeScheduledActions",
    "cloudwatch:GetMetricData", "cloudwatch:DescribeAlarms", "rds:DescribeDBInstances", "rds:DescribeDBSnapshots",
    "backup:ListBackupJobs",
}  # fmt: skip


def findings(plan: Plan, *, production: bool) -> list[str]:
    if not plan.resources:
        return plan.failures or ["nothing is planned"]
    return [
        *plan.failures,
        *database(plan, production=production),
        *cache(plan, production=production),
        *media(plan),
        *fronts(plan),
        *tasks(plan),
        *scaling(plan),
        *permissions(plan),
        *watching(plan),
        *environment(plan),
    ]


def database(plan: Plan, *, production: bool) -> Iterator[str]:
    servers = plan.of("aws_db_instance")
    primary = next(server.values for server in servers if not server.values.get("replicate_source_db"))
    if production and not (primary["multi_az"] and primary["deletion_protection"] and len(servers) > 1):
        yield "production's database needs two zones, a replica and protection from deletion"
    if not all(server.values["storage_encrypted"] for server in servers):
        yield "a database's disk is not encrypted"
    if any(server.values["publicly_accessible"] for server in servers):
        yield "a database is public"
    if primary["backup_retention_period"] < 7:
        yield "the database can be brought back for less than a week"
    if set(plan.one("aws_db_subnet_group")["subnet_ids"]) != DATA or primary["vpc_security_group_ids"] != [
        "sg-database"
    ]:
        yield "the database is not where only tasks reach it"
    parameters = {entry["name"]: entry["value"] for entry in plan.one("aws_db_parameter_group")["parameter"]}
    if parameters.get("rds.force_ssl") != "1":
        yield "PostgreSQL takes connections without TLS"
    if parameters.get("synchronous_commit") != "on":
        yield "acknowledged rows may be lost"
    if "made-up/with?signs" in plan.text or "made-up%2Fwith" in plan.text:
        yield "the database's password stands in the plan"
    if (
        plan.one("aws_backup_selection")["resources"]
        != plan.one("aws_backup_restore_testing_selection")["protected_resource_arns"]
    ):
        yield "what is backed up is not what is restored on trial"


def cache(plan: Plan, *, production: bool) -> Iterator[str]:
    group = plan.one("aws_elasticache_replication_group")
    if not (group["transit_encryption_enabled"] and group["at_rest_encryption_enabled"] and group["auth_token"]):
        yield "the cache speaks or stores in the clear, or asks for no password"
    if production and not (group["num_cache_clusters"] > 1 and group["automatic_failover_enabled"]):
        yield "production's cache does not survive a zone"
    policies = {entry["name"]: entry["value"] for entry in plan.one("aws_elasticache_parameter_group")["parameter"]}
    if policies.get("maxmemory-policy") != "volatile-lru":
        yield "a full cache would drop or refuse queued tasks"


def media(plan: Plan) -> Iterator[str]:
    blocks = [resource.values for resource in plan.of("aws_s3_bucket_public_access_block")]
    wanted = ("block_", "ignore_", "restrict_")
    if len(blocks) != 2 or not all(block[name] for block in blocks for name in block if name.startswith(wanted)):
        yield "a bucket may become public"
    allowed = [
        entry
        for entry in json.loads(plan.one("aws_s3_bucket_policy")["policy"])["Statement"]
        if entry["Effect"] == "Allow"
    ]
    if [entry["Resource"].rpartition(":::")[2].partition("/")[2] for entry in allowed] != ["videos/*"]:
        yield "the distribution reads more than videos"
    if any("AWS:SourceArn" not in json.dumps(entry.get("Condition", {})) for entry in allowed):
        yield "any distribution may read the bucket"
    edge = plan.one("aws_cloudfront_distribution")
    for behaviour in [*edge["default_cache_behavior"], *edge["ordered_cache_behavior"]]:
        if not behaviour["trusted_key_groups"]:
            yield f"CloudFront serves {behaviour.get('path_pattern', 'everything')} without a signed cookie"
        if behaviour["viewer_protocol_policy"] != "https-only" or not behaviour["response_headers_policy_id"]:
            yield f"CloudFront serves {behaviour.get('path_pattern', 'everything')} without TLS or the players' headers"
    if not all(origin["origin_access_control_id"] for origin in edge["origin"]):
        yield "CloudFront reads the bucket without origin access control"
    (headers,) = plan.one("aws_cloudfront_response_headers_policy")["cors_config"]
    origins = headers["access_control_allow_origins"][0]["items"]
    if origins != [plan.outputs["site_url"]] or not headers["access_control_allow_credentials"]:
        yield "players of the site cannot ask CloudFront with their cookies"
    rules = [rule for one in plan.of("aws_s3_bucket_lifecycle_configuration") for rule in one.values["rule"]]
    days = [entry["days_after_initiation"] for rule in rules for entry in rule["abort_incomplete_multipart_upload"]]
    if days != [settings.MEDIA_UPLOAD_DAYS]:
        yield "unfinished uploads end at another time than the product says"


def fronts(plan: Plan) -> Iterator[str]:
    groups = {resource.key: resource.values for resource in plan.of("aws_lb_target_group")}
    if not groups["realtime"]["stickiness"][0]["enabled"]:
        yield "WebSockets do not stick"
    listeners = plan.of("aws_lb_listener")
    if any(
        not (item.values["ssl_policy"] or "").startswith("ELBSecurityPolicy-TLS13")
        for item in listeners
        if item.values["port"] == 443
    ):
        yield "a balancer speaks old TLS"
    plain = [item.values["default_action"][0]["type"] for item in listeners if item.values["port"] != 443]
    if plain != ["redirect"]:
        yield "a balancer answers without TLS"
    rules = {
        pattern: rule.values["action"][0]["type"]
        for rule in plan.of("aws_lb_listener_rule")
        for condition in rule.values["condition"]
        for entry in condition["path_pattern"]
        for pattern in entry["values"]
    }
    for path in ("/readyz", "/metrics", "/internal/*"):
        if rules.get(path) != "fixed-response":
            yield f"{path} can be asked from outside"
    if rules.get("/ws/*") != "forward":
        yield "WebSockets do not reach the realtime tier"
    if len(plan.of("aws_wafv2_web_acl_association")) != 1:
        yield "the site has no firewall"


def tasks(plan: Plan) -> Iterator[str]:
    services = {resource.key: resource.values for resource in plan.of("aws_ecs_service")}
    if set(services) != processes():
        yield f"services and processes differ: {sorted(set(services) ^ processes())}"
    for name, service in services.items():
        (network,) = service["network_configuration"]
        if network["assign_public_ip"] or set(network["subnets"]) != PRIVATE:
            yield f"{name} can be reached from outside"
        (breaker,) = service["deployment_circuit_breaker"]
        if not (breaker["enable"] and breaker["rollback"]):
            yield f"{name} stays at a release that does not start"
    for name, container in plan.outputs["containers"].items():
        if not container["readonlyRootFilesystem"] or container["user"] != "10001:10001":
            yield f"{name} may write to its image or be root"
        if container["linuxParameters"]["capabilities"]["drop"] != ["ALL"]:
            yield f"{name} keeps rights of the kernel"
        if container["command"][0] != name or container["healthCheck"]["command"][-1] != name:
            yield f"{name} runs or checks something else"
        if {secret["name"] for secret in container["secrets"]} != set(SECRETS):
            yield f"{name} gets other secrets than the product reads"


def scaling(plan: Plan) -> Iterator[str]:
    targets = {resource.key for resource in plan.of("aws_appautoscaling_target")}
    policies = {resource.key for resource in plan.of("aws_appautoscaling_policy") if resource.values["name"] == "cpu"}
    if not {"web", "realtime"} <= targets or "beat" in targets or targets != policies:
        yield f"not what should grow grows: {sorted(targets)}, by CPU {sorted(policies)}"


def permissions(plan: Plan) -> Iterator[str]:
    for resource in [*plan.of("aws_iam_role_policy"), *plan.of("aws_iam_policy")]:
        for statement in json.loads(resource.values["policy"])["Statement"]:
            actions = _listed(statement["Action"])
            if any(action.endswith("*") for action in actions):
                yield f"{resource.address} allows every action of a service"
            bounded = statement["Resource"] != "*" or "Condition" in statement or set(actions) <= UNBOUNDED
            if not bounded:
                yield f"{resource.address} allows {actions} on everything"


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def watching(plan: Plan) -> Iterator[str]:
    alarms = plan.of("aws_cloudwatch_metric_alarm")
    if [alarm.key for alarm in alarms if not alarm.values["alarm_actions"]]:
        yield "an alarm reaches nobody"
    missing = {alarm.key.removesuffix("-missing") for alarm in alarms if alarm.key.endswith("-missing")}
    if missing != processes():
        yield f"nobody hears when these are gone: {sorted(processes() - missing)}"
    body: dict[str, Any] = json.loads(plan.one("aws_cloudwatch_dashboard")["dashboard_body"])
    if not all(widget["properties"]["metrics"] for widget in body["widgets"]):
        yield "a widget of the dashboard is empty"


def environment(plan: Plan) -> Iterator[str]:
    """The product's own settings start with what the tasks get, and no name is unknown to it."""
    secrets = {name: value for name, value in SECRETS.items() if name in plan.outputs["secret_names"]}
    tasks = plan.outputs["containers"].values()
    everything = {entry["name"]: entry["value"] for task in tasks for entry in task["environment"]}
    yield from differences(everything | secrets)
