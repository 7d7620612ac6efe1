"""What must hold of a plan of deploy/terraform. Every function returns what is wrong, in words; nothing is good."""

import json
import re
from collections.abc import Iterator
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings
from moto.events.models import EventPattern

from operations.domain.capacity.inputs import ELASTIC, Assumptions, read_prices
from operations.domain.capacity.sizing import machines
from tests.deploy.product import ROOT, SECRETS, differences, processes
from tests.deploy.terraform import Plan

DATA, PRIVATE = {"subnet-d1", "subnet-d2", "subnet-d3"}, {"subnet-a1", "subnet-a2", "subnet-a3"}
# AWS lets these be granted for everything only, or the statement narrows them by a condition.
UNBOUNDED = {
    "ecr:GetAuthorizationToken", "ecs:RegisterTaskDefinition", "ecs:DescribeTaskDefinition", "backup:ListRestoreJobs",
    "application-autoscaling:DescribeScalableTargets", "application-autoscaling:DescribeScheduledActions",
    "cloudwatch:GetMetricData", "cloudwatch:DescribeAlarms", "rds:DescribeDBInstances", "rds:DescribeDBSnapshots",
    "backup:ListBackupJobs", "ses:GetAccount", "sms-voice:DescribeAccountAttributes",
}  # fmt: skip


def findings(plan: Plan, *, production: bool) -> list[str]:
    if not plan.resources:
        return plan.failures or ["nothing is planned"]
    return [
        *plan.failures,
        *database(plan, production=production),
        *cache(plan, production=production),
        *buckets(plan),
        *media(plan),
        *folders(plan),
        *live(plan),
        *fronts(plan),
        *tasks(plan),
        *pooler(plan),
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


def buckets(plan: Plan) -> Iterator[str]:
    count = len(plan.of("aws_s3_bucket"))
    blocks = [resource.values for resource in plan.of("aws_s3_bucket_public_access_block")]
    wanted = ("block_", "ignore_", "restrict_")
    if len(blocks) != count or not all(block[name] for block in blocks for name in block if name.startswith(wanted)):
        yield "a bucket may become public"
    if len(plan.of("aws_s3_bucket_server_side_encryption_configuration")) != count:
        yield "a bucket is not encrypted"
    denied = [entry for entry in bucket_statements(plan) if entry["Effect"] == "Deny" and entry["Principal"] == "*"]
    if sum("aws:SecureTransport" in json.dumps(entry["Condition"]) for entry in denied) != count:
        yield "a bucket answers without TLS"


def bucket_statements(plan: Plan) -> list[dict[str, Any]]:
    policies = [json.loads(resource.values["policy"]) for resource in plan.of("aws_s3_bucket_policy")]
    return [entry for policy in policies for entry in policy["Statement"]]


def media(plan: Plan) -> Iterator[str]:
    allowed = [entry for entry in bucket_statements(plan) if entry["Effect"] == "Allow"]
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


def folders(plan: Plan) -> Iterator[str]:
    """Of the private storage, that those who write there may."""
    kept = ("certificates", "transcripts", "evidence", "cold")
    for role in plan.of("aws_iam_role_policy"):
        by_tasks = ".media[" in role.address
        if by_tasks or role.address.endswith(".kept"):
            wanted = (*kept, "videos", "sources") if by_tasks else kept
            if missing := [name for name in wanted if f"/{name}/*" not in role.values["policy"]]:
                yield f"may not write {missing}: {role.address}"


def live(plan: Plan) -> Iterator[str]:
    """AWS IVS: nothing of it, or all that the product's adapter needs."""
    roles = {role.key for role in plan.of("aws_iam_role_policy") if ".live_ivs[" in role.address}
    if not plan.of("aws_ivs_recording_configuration"):
        if roles or plan.of("aws_ivs_playback_key_pair"):
            yield "AWS IVS is off and there is something of it"
        return
    if plan.one("aws_ivs_recording_configuration")["recording_reconnect_window_seconds"]:
        yield "AWS would hide interruptions of a recording"
    if not plan.one("aws_ivs_playback_key_pair")["public_key"]:
        yield "AWS cannot check who may play"
    if roles != {"web", "worker", "long"}:
        yield f"others use AWS IVS than do: {sorted(roles)}"
    policies = [role.values["policy"] for role in plan.of("aws_iam_role_policy") if ".live_ivs[" in role.address]
    asked = {_action(name) for name in re.findall(r"client\.([a-z_]+)\(", IVS)} - {"GetPaginator", "GetObject"}
    asked |= {_action(name) for name in re.findall(r'get_paginator\("(list_channels)"\)', IVS)}
    for policy in policies:
        if missing := sorted(name for name in asked if f'"ivs:{name}"' not in policy):
            yield f"the product asks AWS IVS what it may not: {missing}"
    days = [
        rule["expiration"][0]["days"]
        for one in plan.of("aws_s3_bucket_lifecycle_configuration")
        for rule in one.values["rule"]
        if rule["id"] == "copied"
    ]
    if days != [settings.LIVE_SEGMENT_DAYS]:
        yield "recordings at AWS end at another time than the product says"


IVS = (ROOT / "webinars/ingest/ivs.py").read_text()


def _action(method: str) -> str:
    return "".join(word.title() for word in method.split("_"))


def fronts(plan: Plan) -> Iterator[str]:
    groups = {resource.key: resource.values for resource in plan.of("aws_lb_target_group")}
    if not groups["realtime"]["stickiness"][0]["enabled"]:
        yield "WebSockets do not stick"
    listeners = [one for one in plan.of("aws_lb_listener") if ".pooler." not in one.address]  # inside; TLS goes through
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
    services = {resource.values["name"]: resource.values for resource in plan.of("aws_ecs_service")}
    if set(services) != processes() | {"pooler"}:
        yield f"services and processes differ: {sorted(set(services) ^ processes())}"
    for name, service in services.items():
        (network,) = service["network_configuration"]
        if network["assign_public_ip"] or set(network["subnets"]) != PRIVATE:
            yield f"{name} can be reached from outside"
        (breaker,) = service["deployment_circuit_breaker"]
        if not (breaker["enable"] and breaker["rollback"]):
            yield f"{name} stays at a release that does not start"
        if bool(service["service_registries"]) != (name in {"web", "realtime"}):
            yield f"{name} is not where Prometheus looks for it"
    for name, container in plan.outputs["containers"].items():
        if not container["readonlyRootFilesystem"] or container["user"] != "10001:10001":
            yield f"{name} may write to its image or be root"
        if container["linuxParameters"]["capabilities"]["drop"] != ["ALL"]:
            yield f"{name} keeps rights of the kernel"
        if container["command"][0] != name or container["healthCheck"]["command"][-1] != name:
            yield f"{name} runs or checks something else"
        if {secret["name"] for secret in container["secrets"]} != set(SECRETS):
            yield f"{name} gets other secrets than the product reads"


def pooler(plan: Plan) -> Iterator[str]:
    """Between the services and the database; what needs a session of its own goes past it."""
    service = next(one.values for one in plan.of("aws_ecs_service") if one.values["name"] == "pooler")
    balancer = next(one.values for one in plan.of("aws_lb") if one.values["name"].endswith("-pooler"))
    group = next(one.values for one in plan.of("aws_lb_target_group") if one.values["name"].endswith("-pooler"))
    if service["desired_count"] < 2 or service["deployment_minimum_healthy_percent"] < 100:
        yield "without one task of PgBouncer the site has no database"
    if service["network_configuration"][0]["security_groups"] != ["sg-pooler"]:
        yield "PgBouncer is reached by others than the services"
    inside = balancer["internal"] and balancer["security_groups"] == ["sg-poolerbalancer"]
    if not inside or set(balancer["subnets"]) != PRIVATE:
        yield "PgBouncer's balancer is not inside"
    if int(group["deregistration_delay"]) <= settings.DATABASES["default"]["OPTIONS"]["pool"]["max_lifetime"]:
        yield "a task of PgBouncer goes while processes still have connections to it"
    for name, container in plan.outputs["containers"].items():
        if {"name": "DATABASE_TRANSACTION_POOLER", "value": "true"} not in container["environment"]:
            yield f"{name} does not know of PgBouncer"
        if any("database-" in secret["valueFrom"] for secret in container["secrets"]):
            yield f"{name} goes past PgBouncer"
    yield from pooler_container(plan.outputs["pooler_container"])
    addresses = plan.outputs["database_addresses"]
    if not re.match(r"pooler\.elb\.[^/]+:6432/rounds\?sslmode=require&keepalives_idle=\d", addresses["services"]):
        yield f"the services do not go by PgBouncer: {addresses['services']}"
    if not re.match(r"[^/]+\.rds\.amazonaws\.com:5432/rounds\?sslmode=verify-full", addresses["operations"]):
        yield f"operations do not ask the database itself: {addresses['operations']}"
    yield from past_pooler(plan)
    shared, database = plan.outputs["connections"], plan.of("aws_db_instance")[0].values["instance_class"]
    vcpus = {machine.name.rpartition(".")[2]: machine.vcpus for machine in machines(read_prices()["database"])}
    wanted = Assumptions().server_connections_a_vcpu * vcpus.get(database.rpartition(".")[2], 2)
    if shared["behind"] != wanted:
        yield f"PgBouncer opens {shared['behind']} connections, {wanted:.0f} by the calculation"


def pooler_container(found: dict[str, Any]) -> Iterator[str]:
    if not found["readonlyRootFilesystem"] or found["user"] != "10001:10001":
        yield "pooler may write to its image or be root"
    if found["linuxParameters"]["capabilities"]["drop"] != ["ALL"]:
        yield "pooler keeps rights of the kernel"
    if [(one["name"], "database-" in one["valueFrom"]) for one in found["secrets"]] != [("PGPASSWORD", True)]:
        yield "pooler gets other secrets than its own"
    given = {entry["name"]: entry["value"] for entry in found["environment"]}
    if (given["PGSSLMODE"], given["PGSSLROOTCERT"]) != ("verify-full", "/etc/ssl/rounds/rds.pem"):
        yield "pooler takes any server for the database"
    start = (ROOT / "deploy/docker/pooler/start").read_text()
    if unknown := [name for name in [*given, "PGPASSWORD"] if not re.search(rf"\b{name}\b", start)]:
        yield f"pooler knows no {unknown}"
    if int(given["POOLER_DRAIN_SECONDS"]) >= found["stopTimeout"]:
        yield "pooler is killed before its transactions end"


def past_pooler(plan: Plan) -> Iterator[str]:
    operations = plan.outputs["operations_container"]
    sources = {secret["name"]: secret["valueFrom"] for secret in operations["secrets"]}
    if "database-" not in sources["DATABASE_URL"] or any("POOLER" in one["name"] for one in operations["environment"]):
        yield "migrations and backups go by PgBouncer"
    if set(sources) != set(SECRETS):
        yield "operations get other secrets than the product reads"
    groups = {
        group
        for schedule in plan.of("aws_scheduler_schedule")
        for target in schedule.values["target"]
        for parameters in target["ecs_parameters"]
        for network in parameters["network_configuration"]
        for group in network["security_groups"]
    }
    if groups != {"sg-operations"} or plan.outputs["release_network"]["security_group"] != "sg-operations":
        yield "operations do not reach the database"


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
    books = {path.name for path in (ROOT / "docs/runbooks").iterdir()}
    texts = {one.address: one.values["alarm_description"] for one in alarms}
    texts |= {one.address: one.values["description"] for one in plan.of("aws_cloudwatch_event_rule")}
    for address, text in texts.items():
        named = re.findall(r"docs/runbooks/(\w+\.md)", text)
        if not named or not books.issuperset(named):
            yield f"an alarm has no runbook: {address}"
    rules = {rule.key: json.loads(rule.values["event_pattern"]) for rule in plan.of("aws_cloudwatch_event_rule")}
    heard = {pattern["detail-type"][0] for pattern in rules.values()}
    if not {"Backup Job State Change", "Restore Job State Change", "ECS Task State Change"} <= heard:
        yield f"failures of some kind are told nobody: {sorted(heard)}"
    yield from failures_of_others(rules)
    if {target.key for target in plan.of("aws_cloudwatch_event_target")} != set(rules):
        yield "a failure reaches nobody"
    capacity = [alarm.values["dimensions"] for alarm in alarms if alarm.key.startswith("capacity-of-")]
    cluster = plan.one("aws_ecs_cluster")["name"]
    if {frozenset(one.items()) for one in capacity} != {
        frozenset({("Cluster", cluster), ("Tier", tier)}) for tier in ELASTIC
    }:
        yield "the alarm of the calendar looks for another number than the product tells"
    missing = {alarm.key.removesuffix("-missing") for alarm in alarms if alarm.key.endswith("-missing")}
    expected = processes() | {"pooler"}
    if missing != expected:
        yield f"nobody hears when these are gone: {sorted(expected - missing)}"
    if not {"pooler-unhealthy", "pooler-cpu"} <= {alarm.key for alarm in alarms}:
        yield "nobody hears when PgBouncer does not answer or is full"
    body: dict[str, Any] = json.loads(plan.one("aws_cloudwatch_dashboard")["dashboard_body"])
    if not all(widget["properties"]["metrics"] for widget in body["widgets"]):
        yield "a widget of the dashboard is empty"


def failures_of_others(rules: dict[str, Any]) -> Iterator[str]:
    """As EventBridge judges; an event that does not say whose it is must wake somebody rather than nobody."""
    vault = "arn:aws:backup:eu-central-1:123456789012:backup-vault:rounds-production"
    for name, kind, state, whose, ours in (
        ("backup", "Backup Job State Change", "state", "backupVaultArn", vault),
        ("restore", "Restore Job State Change", "status", "iamRoleArn", "arn:aws:iam::123456789012:role/made-up"),
        ("copy", "Copy Job State Change", "state", "sourceBackupVaultArn", vault),
    ):
        pattern = EventPattern.load(json.dumps(rules[name]))

        def hears(detail: dict[str, str], kind: str = kind, pattern: Any = pattern) -> bool:
            return bool(pattern.matches_event({"source": "aws.backup", "detail-type": kind, "detail": detail}))

        if not (hears({state: "FAILED", whose: ours}) and hears({state: "FAILED"})):
            yield f"a failed {name} of ours is told nobody"
        if hears({state: "FAILED", whose: "another"}) or hears({state: "COMPLETED", whose: ours}):
            yield f"a {name} that is not ours or did not fail wakes somebody"


def environment(plan: Plan) -> Iterator[str]:
    """The product's own settings start with what the tasks get, and no name is unknown to it."""
    secrets = {name: value for name, value in SECRETS.items() if name in plan.outputs["secret_names"]}
    tasks = plan.outputs["containers"].values()
    everything = {entry["name"]: entry["value"] for task in tasks for entry in task["environment"]}
    if everything["LIVE_IVS_RECORDING_ARN"]:
        key = generate_private_key(SECP384R1())
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        secrets["LIVE_IVS_PLAYBACK_PRIVATE_KEY"] = pem.decode()
    yield from differences(everything | secrets)
