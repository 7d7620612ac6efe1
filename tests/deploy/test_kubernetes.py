"""deploy/kubernetes: right by Kubernetes' own schemas, and shaped as docs/operating.md says."""

import re
from collections.abc import Iterator
from typing import Any

import kubernetes_validate
import yaml
from django.conf import settings

from tests.deploy.product import DEPLOY, SECRETS, differences, processes

VERSION = "1.31"
Objects = list[dict[str, Any]]


def read() -> Objects:
    files = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    return [entry for path in files for entry in yaml.safe_load_all(path.read_text()) if entry]


def of(objects: Objects, kind: str) -> dict[str, dict[str, Any]]:
    names = (entry["metadata"] for entry in objects if entry["kind"] == kind)
    keys = [metadata.get("name") or metadata["generateName"].rstrip("-") for metadata in names]
    return dict(zip(keys, (entry for entry in objects if entry["kind"] == kind), strict=True))


def findings(objects: Objects) -> list[str]:
    return [
        *schema(objects),
        *processes_of(objects),
        *pods(objects),
        *scaling(objects),
        *network(objects),
        *environment(objects),
        *pooler(objects),
    ]


def schema(objects: Objects) -> Iterator[str]:
    for entry in objects:
        named = {**entry, "metadata": {"name": "made-up", **entry["metadata"]}}  # a Job's name is made at its creation
        try:
            kubernetes_validate.validate(named, VERSION, strict=True)
        except kubernetes_validate.ValidationError as error:
            yield f"{entry['kind']}: {error.message}"


def processes_of(objects: Objects) -> Iterator[str]:
    expected = processes() | {"pooler"}
    if set(of(objects, "Deployment")) != expected:
        yield f"deployments and processes differ: {sorted(set(of(objects, 'Deployment')) ^ expected)}"
    commands = {name: container(entry)["args"] for name, entry in of(objects, "Job").items()}
    if commands != {"expand": ["manage", "expand"], "contract": ["manage", "migrate", "--noinput"]}:
        yield f"migrations run otherwise: {commands}"
    timed = {name: container(entry)["args"][:2] for name, entry in jobs(objects).items()}
    backup, checkup = ["manage", "backup"], ["manage", "checkup"]
    if timed != {"backup": backup, "checkup": checkup, "checkup-weekly": checkup}:
        yield f"nobody backs up or looks: {timed}"
    for name, entry in of(objects, "Deployment").items():
        if name != "pooler" and container(entry)["args"][0] != name:
            yield f"{name} runs something else"


def jobs(objects: Objects) -> dict[str, dict[str, Any]]:
    return {name: entry["spec"]["jobTemplate"] for name, entry in of(objects, "CronJob").items()}


def container(entry: dict[str, Any]) -> dict[str, Any]:
    return dict(entry["spec"]["template"]["spec"]["containers"][0])


def pods(objects: Objects) -> Iterator[str]:
    for name, entry in {**of(objects, "Deployment"), **of(objects, "Job"), **jobs(objects)}.items():
        pod, main = entry["spec"]["template"]["spec"], container(entry)
        rights = main["securityContext"]
        bare = rights["readOnlyRootFilesystem"] and not rights["allowPrivilegeEscalation"]
        if not (bare and rights["capabilities"] == {"drop": ["ALL"]} and pod["securityContext"]["runAsNonRoot"]):
            yield f"{name} has more rights than it needs"
        if "memory" not in main["resources"]["limits"]:
            yield f"{name} may take all memory"
    for name, entry in of(objects, "Deployment").items():
        main = container(entry)
        if entry["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] != 0:
            yield f"{name} goes before the next one is there"
        if name in {"web", "realtime"}:
            paths = [
                main.get(probe, {}).get("httpGet", {}).get("path") for probe in ("livenessProbe", "readinessProbe")
            ]
            if paths != ["/healthz", "/readyz"]:
                yield f"{name} is probed at {paths}"
            waits = main.get("lifecycle", {}).get("preStop")
            if not waits or entry["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] < 30:
                yield f"{name} leaves while traffic still comes"
        elif name != "beat" and "livenessProbe" not in main:
            yield f"{name} is not probed"


def scaling(objects: Objects) -> Iterator[str]:
    scaled = of(objects, "HorizontalPodAutoscaler")
    if not {"web", "realtime", "worker"} <= set(scaled) or "beat" in scaled:
        yield f"not what should grow grows: {sorted(scaled)}"
    several = {name for name, entry in of(objects, "Deployment").items() if entry["spec"]["replicas"] > 1}
    if set(of(objects, "PodDisruptionBudget")) != several:
        yield f"emptying a node may take all of {sorted(several ^ set(of(objects, 'PodDisruptionBudget')))}"


def network(objects: Objects) -> Iterator[str]:
    policies = of(objects, "NetworkPolicy")
    if policies.get("nothing", {}).get("spec") != {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}:
        yield "what is not named is not refused"
    inside = [path["path"] for path in of(objects, "Ingress")["inside-only"]["spec"]["rules"][0]["http"]["paths"]]
    if inside != ["/readyz", "/metrics", "/internal"]:
        yield f"hidden from outside are only {inside}"


def environment(objects: Objects) -> Iterator[str]:
    own = {
        item["name"]: item["value"]
        for entry in of(objects, "Deployment").values()
        for item in container(entry).get("env", ())
        if entry["metadata"]["name"] != "pooler"
    }
    if not of(objects, "ConfigMap")["rounds"]["data"].get("BACKUP_URL", "").startswith("s3://"):
        yield "backups end with their pod"
    yield from differences(of(objects, "ConfigMap")["rounds"]["data"] | own | SECRETS)


def pooler(objects: Objects) -> Iterator[str]:
    """The processes reach it, it reaches PostgreSQL; what needs a session of its own goes past it."""
    pod = of(objects, "Deployment")["pooler"]["spec"]["template"]["spec"]
    (main,) = pod["containers"]
    plain = {item["name"]: item.get("value") for item in main["env"]}
    if plain["PGPASSWORD"] is not None or plain["PGSSLMODE"] != "verify-full":
        yield "pooler's password lies open, or it takes any server for the database"
    if pod.get("enableServiceLinks", True):
        yield "Kubernetes sets variables of pooler"
    start = (DEPLOY / "docker" / "pooler" / "start").read_text()
    if unknown := [name for name in plain if not re.search(rf"\b{name}\b", start)]:
        yield f"pooler knows no {unknown}"
    renewed = settings.DATABASES["default"]["OPTIONS"]["pool"]["max_lifetime"]
    if not renewed < int(plain["POOLER_DRAIN_SECONDS"] or 0) < pod["terminationGracePeriodSeconds"]:
        yield "pooler goes while processes still have connections to it"
    if not of(objects, "Service")["pooler"]["spec"]["selector"].items() <= labels(objects, "pooler").items():
        yield "nobody finds pooler"
    once = {**of(objects, "Job"), **jobs(objects)}
    for name, entry in once.items():
        given = {item["name"]: item for item in container(entry).get("env", ())}
        flag = given.get("DATABASE_TRANSACTION_POOLER", {}).get("value")
        source = given.get("DATABASE_URL", {}).get("valueFrom", {}).get("secretKeyRef", {}).get("name")
        if (flag, source) != ("false", "rounds-database"):
            yield f"{name} goes by PgBouncer"
    if of(objects, "ConfigMap")["rounds"]["data"].get("DATABASE_TRANSACTION_POOLER") != "true":
        yield "the processes do not know of PgBouncer"
    reach = of(objects, "NetworkPolicy")["database"]["spec"]["podSelector"]["matchExpressions"][0]["values"]
    others = [name for name, entry in of(objects, "NetworkPolicy").items() if name != "database" and to_database(entry)]
    if set(reach) != {"pooler", *once} or others:
        yield f"PostgreSQL is reached otherwise: {sorted(reach)}, {others}"


def labels(objects: Objects, name: str) -> dict[str, str]:
    return dict(of(objects, "Deployment")[name]["spec"]["template"]["metadata"]["labels"])


def to_database(policy: dict[str, Any]) -> bool:
    return any(port["port"] == 5432 for rule in policy["spec"].get("egress", ()) for port in rule["ports"])


def web(objects: Objects) -> dict[str, Any]:
    """Changing this changes the manifest."""
    containers: Objects = of(objects, "Deployment")["web"]["spec"]["template"]["spec"]["containers"]
    return containers[0]


def test_the_manifests_are_sound() -> None:
    assert findings(read()) == []


def test_planted_mistakes_are_found() -> None:
    """All at once: the schemas and the settings take seconds."""
    objects = read()
    data = of(objects, "ConfigMap")["rounds"]["data"]
    expand = of(objects, "Job")["expand"]["spec"]["template"]["spec"]["containers"][0]
    for object_kind, name in (("Deployment", "long"), ("PodDisruptionBudget", "web"), ("NetworkPolicy", "nothing")):
        objects.remove(of(objects, object_kind)[name])
    web(objects)["securityContext"].update(readOnlyRootFilesystem=False)
    web(objects)["livenessProbe"]["httpGet"].update(path="/readyz")
    web(objects).update(imagePulPolicy="Always")
    del web(objects)["lifecycle"], data["ALLOWED_HOSTS"], data["BACKUP_URL"]
    jobs(objects)["backup"]["spec"]["template"]["spec"]["containers"][0]["args"] = ["manage", "check"]
    expand["args"] = ["manage", "migrate"]
    data["SITE_URL"] = "http://learn.example.org"
    of(objects, "Service")["web"]["spec"]["ports"][0]["port"] = "many"

    pod = of(objects, "Deployment")["pooler"]["spec"]["template"]["spec"]
    pod |= {"terminationGracePeriodSeconds": 30, "enableServiceLinks": True}
    container(of(objects, "Deployment")["pooler"])["env"].append({"name": "PGSSL", "value": "on"})
    container(of(objects, "Job")["contract"])["env"].clear()
    of(objects, "NetworkPolicy")["out"]["spec"]["egress"][-1]["ports"].append({"protocol": "TCP", "port": 5432})

    found = findings(objects)

    wanted = (
        "pooler knows no ['PGSSL']", "pooler goes while", "contract goes by PgBouncer",
        "PostgreSQL is reached otherwise", "Kubernetes sets variables of pooler",
        "Deployment: Additional properties", "Service: ", "deployments and processes differ: ['long']",
        "emptying a node", "what is not named", "web has more rights", "web is probed at",
        "web leaves while", "migrations run otherwise",
        "missing: ALLOWED_HOSTS", "refused: ", "nobody backs up or looks", "backups end with their pod",
    )  # fmt: skip
    assert [start for start in wanted if not any(one.startswith(start) for one in found)] == []
